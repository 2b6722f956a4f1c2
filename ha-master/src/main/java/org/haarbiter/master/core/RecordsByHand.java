package org.haarbiter.master.core;

import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Records of one name and type that a person has put into the arbiter's zone, beside those that follow from the groups. Immutable.
 *
 * @param name relative to the zone
 * @param type {@code A}, {@code AAAA}, {@code CNAME}, {@code SRV} or {@code TXT}
 * @param region for whose clients they are; empty for those of every region that has none of its own
 * @param ttlSeconds for how long resolvers may keep them, 0 or more
 * @param values what they hold, in the form of a zone file; empty where there are none any more
 */
public record RecordsByHand(String name, String type, String region, int ttlSeconds, List<String> values) {

    /** So many names and types at most are kept in the log. */
    public static final int MOST = 10_000;

    private static final String CNAME = "CNAME";

    /** Copies the values. */
    public RecordsByHand {
        values = List.copyOf(values);
    }

    /** What distinguishes them from others. */
    public String key() {
        return name + " " + type + (region.isEmpty() ? "" : " " + region);
    }

    /** Why they can't stand beside those that are there; null where they can. */
    @Nullable
    String problemBeside(SortedMap<String, RecordsByHand> present) {
        if (values.isEmpty()) {
            return present.containsKey(key()) ? null : "there are no records " + key();
        }
        if (equals(present.get(key()))) {
            return "the records " + key() + " are that already";
        }
        if (!present.containsKey(key()) && present.size() >= MOST) {
            return "there are " + present.size() + " names and types of records already (at most " + MOST + ")";
        }
        for (RecordsByHand other : present.values()) {
            if (other.name.equals(name)
                    && !other.type.equals(type)
                    && (type.equals(CNAME) || other.type.equals(CNAME))) {
                return "'" + name + "' has " + other.type
                        + " records, and a name that has a CNAME record can have no other (remove those first)";
            }
        }
        return null;
    }

    /** For people. */
    public String words() {
        return key() + " " + ttlSeconds + " s: " + String.join(", ", values);
    }
}
