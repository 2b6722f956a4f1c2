package org.haarbiter.dns.server;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Names as they stand in packets. No state; any thread. */
final class WireName {

    static final int MAX_BYTES = 255;

    /** The hash of the root name; each label before it is joined from the right, so that a name's ends have theirs, too. */
    static final int ROOT_HASH = 17;

    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9_-]{1,63}");

    private static final byte[] SMALL = new byte[256];

    static {
        for (int i = 0; i < 256; i++) {
            SMALL[i] = (byte) (i >= 'A' && i <= 'Z' ? i + 32 : i);
        }
    }

    private WireName() {}

    /** The byte as DNS compares it: of A to Z, the small letter. */
    static byte small(byte letter) {
        return SMALL[letter & 0xff];
    }

    /** The hash of a label with one more byte, in small letters; that of none is the label's length. */
    static int next(int hash, byte small) {
        return hash * 31 + small;
    }

    /** The hash of a name that begins with a label, from the hash of what follows it. */
    static int join(int label, int following) {
        return following * 0x0100_0193 + label;
    }

    /** The hash of the wildcard right below a name. */
    static int wildcardHash(int hash) {
        return join(next(1, (byte) '*'), hash);
    }

    /** The bytes of an absolute name, with a final dot, in small letters. It must have no {@link #problem}. */
    static byte[] of(String absolute) {
        if (absolute.equals(".")) {
            return new byte[1];
        }
        byte[] text = absolute.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII);
        byte[] wire = new byte[text.length + 1];
        int lengthAt = 0;
        for (int i = 0; i < text.length; i++) {
            if (text[i] == '.') {
                wire[lengthAt] = (byte) (i - lengthAt);
                lengthAt = i + 1;
            } else {
                wire[i + 1] = text[i];
            }
        }
        return wire;
    }

    /** The hash of a whole name, in small letters. */
    static int hash(byte[] wire) {
        return hash(wire, 0);
    }

    private static int hash(byte[] wire, int at) {
        if (wire[at] == 0) {
            return ROOT_HASH;
        }
        int end = at + 1 + wire[at];
        int label = wire[at];
        for (int i = at + 1; i < end; i++) {
            label = next(label, wire[i]);
        }
        return join(label, hash(wire, end));
    }

    /** The absolute name of what stands in a zone; {@code @} is the zone itself. */
    static String absolute(String name, String origin) {
        if (name.equals("@")) {
            return origin;
        }
        if (name.endsWith(".")) {
            return name;
        }
        return origin.equals(".") ? name + "." : name + "." + origin;
    }

    /** Why an absolute name, with a final dot, can't be one, as a sentence; null where it can. */
    static @Nullable String problem(String absolute, boolean wildcard) {
        if (absolute.equals(".")) {
            return null;
        }
        String[] labels = absolute.substring(0, absolute.length() - 1).split("\\.", -1);
        for (int i = 0; i < labels.length; i++) {
            boolean star = wildcard && i == 0 && labels[i].equals("*");
            if (!star && !LABEL.matcher(labels[i]).matches()) {
                return "'" + absolute + "' (must be labels of 1 to 63 letters, digits, '-' or '_', with dots between)";
            }
        }
        if (absolute.length() + 1 > MAX_BYTES) {
            return "'" + absolute + "' (has " + (absolute.length() + 1) + " bytes; must have at most " + MAX_BYTES
                    + ")";
        }
        return null;
    }

    /** The same for the target of a record; how long it gets with the zone's name isn't looked at. */
    static @Nullable String targetProblem(String target) {
        return problem(target.endsWith(".") ? target : target + ".", false);
    }
}
