package org.haarbiter.dns.server;

import java.nio.charset.StandardCharsets;
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
