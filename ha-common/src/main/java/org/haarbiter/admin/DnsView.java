package org.haarbiter.admin;

import java.util.List;

/**
 * The DNS that the masters keep. {@code GET /v1/dns}.
 *
 * @param zone the zone; empty where the masters keep none
 * @param kept by what, and where, for people; empty where there is no zone
 * @param groups the names of each group, in the order of the groups' names; of one only where that was asked for
 * @param records what people have put into the zone; empty where one group was asked for
 */
public record DnsView(String zone, String kept, List<GroupNames> groups, List<Records> records) {
    /** Copies the lists. */
    public DnsView {
        groups = List.copyOf(groups);
        records = List.copyOf(records);
    }

    /**
     * A group's names.
     *
     * @param group the group
     * @param names as in {@link GroupView}; {@code state} is {@code none} where nothing is known of them yet
     */
    public record GroupNames(String group, NamesView names) {}

    /**
     * Records of one name and type.
     *
     * @param name relative to the zone
     * @param type such as {@code A}
     * @param region for whose clients; empty for those of every region that has none of its own
     * @param ttlSeconds for how long resolvers may keep them
     * @param values what they hold, in the form of a zone file
     */
    public record Records(String name, String type, String region, int ttlSeconds, List<String> values) {
        /** Copies the list. */
        public Records {
            values = List.copyOf(values);
        }
    }
}
