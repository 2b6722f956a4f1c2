package org.haarbiter.admin;

import java.util.List;

/**
 * DNS records of one name and type, as {@code set-records} and {@code remove-records} name them.
 *
 * @param name relative to the zone
 * @param type {@code A}, {@code AAAA}, {@code CNAME}, {@code SRV} or {@code TXT}
 * @param region for whose clients they are; empty for those of every region that has none of its own
 * @param ttlSeconds for how long resolvers may keep them, 0 to 86400; 0 for {@code remove-records}
 * @param values what they hold, in the form of a zone file; empty for {@code remove-records}
 */
public record RecordsChange(String name, String type, String region, int ttlSeconds, List<String> values) {
    /** Copies the list. */
    public RecordsChange {
        values = List.copyOf(values);
    }
}
