package org.haarbiter.dns.server;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;

/** What one record says. A target that ends with a dot is absolute; any other is relative to the zone. Values; any thread. */
public sealed interface RecordData {

    /** The type that records with such data have. */
    RecordType type();

    /** Why it can't be served, as a sentence; null where it can. */
    @Nullable
    String problem();

    /**
     * From the form that a zone file has, but that a text is the whole value, whatever is in it.
     *
     * @throws IllegalArgumentException naming the value and what was expected
     */
    static RecordData parse(RecordType type, String value) {
        RecordData data = switch (type) {
            case A, AAAA -> new Host(value.strip());
            case CNAME -> new Alias(value.strip());
            case TXT -> Text.of(value);
            case SRV -> Service.parse(value);
        };
        if (data.type() != type) {
            throw new IllegalArgumentException("'" + value + "' (must be what an " + type + " record holds)");
        }
        String problem = data.problem();
        if (problem != null) {
            throw new IllegalArgumentException(type + ": " + problem);
        }
        return data;
    }

    /**
     * An address.
     *
     * @param literal of IPv4 (type A) or IPv6 (type AAAA)
     */
    record Host(String literal) implements RecordData {
        @Override
        public RecordType type() {
            return literal.indexOf(':') < 0 ? RecordType.A : RecordType.AAAA;
        }

        @Override
        public @Nullable String problem() {
            return Address.toByteArray(literal, type() == RecordType.A ? Address.IPv4 : Address.IPv6) == null
                    ? "'" + literal + "' (must be an IPv4 or IPv6 address)"
                    : null;
        }
    }

    /**
     * Where a service is (RFC 2782).
     *
     * @param priority 0 to 65535, the least is tried first
     * @param weight 0 to 65535, the share among those of one priority
     * @param port 0 to 65535
     * @param target the name of the host
     */
    record Service(int priority, int weight, int port, String target) implements RecordData {
        private static Service parse(String value) {
            String[] parts = value.strip().split("\\s+", -1);
            try {
                if (parts.length == 4) {
                    return new Service(
                            Integer.parseInt(parts[0]),
                            Integer.parseInt(parts[1]),
                            Integer.parseInt(parts[2]),
                            parts[3]);
                }
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(expected(value), e);
            }
            throw new IllegalArgumentException(expected(value));
        }

        private static String expected(String value) {
            return "'" + value + "' (must be PRIORITY WEIGHT PORT HOST, such as 0 10 3306 db1)";
        }

        @Override
        public RecordType type() {
            return RecordType.SRV;
        }

        @Override
        public @Nullable String problem() {
            if ((priority | weight | port) >>> 16 != 0) {
                return "priority " + priority + ", weight " + weight + ", port " + port + " (each must be 0 to 65535)";
            }
            return WireName.targetProblem(target);
        }
    }

    /**
     * Texts.
     *
     * @param strings one or more, each of at most 255 bytes in UTF-8
     */
    record Text(List<String> strings) implements RecordData {
        /** Copies the list. */
        public Text {
            strings = List.copyOf(strings);
        }

        /** A text of any length, in strings of as many bytes as one can have. */
        private static Text of(String text) {
            List<String> strings = new ArrayList<>();
            StringBuilder string = new StringBuilder();
            int bytes = 0;
            for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
                String letter = Character.toString(text.codePointAt(at));
                int more = letter.getBytes(StandardCharsets.UTF_8).length;
                if (bytes + more > 255) {
                    strings.add(string.toString());
                    string.setLength(0);
                    bytes = 0;
                }
                string.append(letter);
                bytes += more;
            }
            strings.add(string.toString());
            return new Text(strings);
        }

        /** With one string. */
        public Text(String string) {
            this(List.of(string));
        }

        @Override
        public RecordType type() {
            return RecordType.TXT;
        }

        @Override
        public @Nullable String problem() {
            if (strings.isEmpty()) {
                return "no text (must be one or more)";
            }
            for (String string : strings) {
                int bytes = string.getBytes(StandardCharsets.UTF_8).length;
                if (bytes > 255) {
                    return "a text of " + bytes + " bytes (must be at most 255)";
                }
            }
            return null;
        }
    }

    /**
     * Another name for the same thing.
     *
     * @param target that name
     */
    record Alias(String target) implements RecordData {
        @Override
        public RecordType type() {
            return RecordType.CNAME;
        }

        @Override
        public @Nullable String problem() {
            return WireName.targetProblem(target);
        }
    }
}
