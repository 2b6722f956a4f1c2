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
 * @param shares by region, {@link #USUAL} for the usual answer: how often each of its records stands first, beside the others, 1 to
 *     {@value ZoneContents#MAX_SHARE}; records of an answer that isn't in it do so equally often
 */
public record RecordSet(
        RecordType type,
        int ttlSeconds,
        List<RecordData> usual,
        SortedMap<String, List<RecordData>> byRegion,
        SortedMap<String, Map<RecordData, Integer>> shares) {

    /** Stands for no region. */
    public static final String USUAL = "";

    /** Copies the collections; what is listed twice is kept once. */
    public RecordSet {
        usual = distinct(usual);
        TreeMap<String, List<RecordData>> copy = new TreeMap<>();
        for (Map.Entry<String, List<RecordData>> region : byRegion.entrySet()) {
            copy.put(region.getKey(), distinct(region.getValue()));
        }
        byRegion = Collections.unmodifiableSortedMap(copy);
        TreeMap<String, Map<RecordData, Integer>> parts = new TreeMap<>();
        shares.forEach((region, of) -> parts.put(region, Map.copyOf(of)));
        shares = Collections.unmodifiableSortedMap(parts);
    }

    /** Whose records stand first equally often. */
    public RecordSet(
            RecordType type, int ttlSeconds, List<RecordData> usual, SortedMap<String, List<RecordData>> byRegion) {
        this(type, ttlSeconds, usual, byRegion, new TreeMap<>());
    }

    /** The same for the clients of all regions. */
    public RecordSet(RecordType type, int ttlSeconds, List<RecordData> usual) {
        this(type, ttlSeconds, usual, new TreeMap<>());
    }

    /** What clients of a region get, of {@link #USUAL} whoever has no answer of its own. */
    List<RecordData> of(String region) {
        return byRegion.getOrDefault(region, usual);
    }

    /** RFC 2181 5: a set holds no record twice. */
    private static List<RecordData> distinct(List<RecordData> data) {
        return List.copyOf(new LinkedHashSet<>(data));
    }
}
