package org.haarbiter.dns.server;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The records of one type at one name, perhaps with another answer for the clients of some regions. Values; any thread.
 *
 * @param type of all records
 * @param ttlSeconds how long resolvers may keep them, 0 to 86400
 * @param usual what clients get whose region is unknown or has no answer of its own, and what secondaries get; never empty
 * @param byRegion what clients of a region get instead; never empty lists
 */
public record RecordSet(
        RecordType type, int ttlSeconds, List<RecordData> usual, SortedMap<String, List<RecordData>> byRegion) {

    /** Copies the collections; what is listed twice is kept once. */
    public RecordSet {
        usual = distinct(usual);
        TreeMap<String, List<RecordData>> copy = new TreeMap<>();
        for (Map.Entry<String, List<RecordData>> region : byRegion.entrySet()) {
            copy.put(region.getKey(), distinct(region.getValue()));
        }
        byRegion = Collections.unmodifiableSortedMap(copy);
    }

    /** The same for the clients of all regions. */
    public RecordSet(RecordType type, int ttlSeconds, List<RecordData> usual) {
        this(type, ttlSeconds, usual, new TreeMap<>());
    }

    /** RFC 2181 5: a set holds no record twice. */
    private static List<RecordData> distinct(List<RecordData> data) {
        return List.copyOf(new LinkedHashSet<>(data));
    }
}
