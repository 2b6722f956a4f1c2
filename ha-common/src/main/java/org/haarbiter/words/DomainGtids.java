package org.haarbiter.words;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A MariaDB position: for each replication domain the newest GTID of each server that is known to be in the history, written
 * {@code domain-server-sequence,...}, as {@code gtid_binlog_state} has it. Within a domain the history is one line of growing
 * sequence numbers, so whoever has another's newest GTID has everything before it too. The sequence number alone doesn't
 * show that: where two servers both wrote, the one with the larger number may lack what the other has.
 *
 * <p>Who was provisioned from a backup doesn't know the servers that wrote before it. Then what it has is underestimated.
 */
public final class DomainGtids implements Position {

    /** By domain, then by server. */
    private final TreeMap<Long, TreeMap<Long, Long>> sequences;

    private DomainGtids(TreeMap<Long, TreeMap<Long, Long>> sequences) {
        this.sequences = sequences;
    }

    static DomainGtids parse(String text) {
        TreeMap<Long, TreeMap<Long, Long>> sequences = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            String gtid = part.strip();
            if (gtid.isEmpty()) {
                continue;
            }
            if (!gtid.matches("\\d{1,10}-\\d{1,10}-\\d{1,18}")) {
                throw new IllegalArgumentException(
                        "GTID position: '" + gtid + "' (must be DOMAIN-SERVER-SEQUENCE, e.g. 0-1-100)");
            }
            String[] fields = gtid.split("-", -1);
            sequences
                    .computeIfAbsent(Long.parseLong(fields[0]), d -> new TreeMap<>())
                    .merge(Long.parseLong(fields[1]), Long.parseLong(fields[2]), Math::max);
        }
        return new DomainGtids(sequences);
    }

    /** For each domain and server the newer of the two. */
    public DomainGtids plus(DomainGtids other) {
        TreeMap<Long, TreeMap<Long, Long>> union = new TreeMap<>();
        sequences.forEach((domain, servers) -> union.put(domain, new TreeMap<>(servers)));
        other.sequences.forEach((domain, servers) -> {
            TreeMap<Long, Long> mine = union.computeIfAbsent(domain, d -> new TreeMap<>());
            servers.forEach((server, sequence) -> mine.merge(server, sequence, Math::max));
        });
        return new DomainGtids(union);
    }

    /** The newest GTID of each domain only, as {@code gtid_slave_pos} and {@code MASTER_GTID_WAIT} write positions. */
    public DomainGtids newest() {
        TreeMap<Long, TreeMap<Long, Long>> heads = new TreeMap<>();
        sequences.forEach((domain, servers) -> {
            Map.Entry<Long, Long> head = head(servers);
            heads.put(domain, new TreeMap<>(Map.of(head.getKey(), head.getValue())));
        });
        return new DomainGtids(heads);
    }

    private static Map.Entry<Long, Long> head(TreeMap<Long, Long> servers) {
        return servers.entrySet().stream()
                .max(Comparator.<Map.Entry<Long, Long>>comparingLong(Map.Entry::getValue)
                        .thenComparing(Map.Entry::getKey))
                .orElseThrow();
    }

    @Override
    public boolean covers(Position other) {
        return other.minus(this).isEmpty();
    }

    /** The newest GTID of each domain of which the other isn't known to have it. */
    @Override
    public DomainGtids minus(Position other) {
        if (!(other instanceof DomainGtids set)) {
            throw new IllegalArgumentException(
                    "position: '" + other + "' (must be a MariaDB position to be compared with one)");
        }
        TreeMap<Long, TreeMap<Long, Long>> rest = new TreeMap<>();
        sequences.forEach((domain, servers) -> {
            Map.Entry<Long, Long> head = head(servers);
            Map<Long, Long> theirs = set.sequences.getOrDefault(domain, new TreeMap<>());
            if (theirs.getOrDefault(head.getKey(), 0L) < head.getValue()) {
                rest.put(domain, new TreeMap<>(Map.of(head.getKey(), head.getValue())));
            }
        });
        return new DomainGtids(rest);
    }

    /** Counts sequence numbers: of each domain at least one where its newest is lacking. */
    @Override
    public long beyond(Position other) {
        long count = 0;
        for (Map.Entry<Long, TreeMap<Long, Long>> domain :
                minus(other).sequences.entrySet()) {
            TreeMap<Long, Long> theirs = ((DomainGtids) other).sequences.get(domain.getKey());
            long reached = theirs == null ? 0 : head(theirs).getValue();
            count += Math.max(1, head(domain.getValue()).getValue() - reached);
        }
        return count;
    }

    @Override
    public long transactions() {
        return sequences.values().stream()
                .mapToLong(servers -> head(servers).getValue())
                .sum();
    }

    @Override
    public boolean isEmpty() {
        return sequences.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DomainGtids gtids && sequences.equals(gtids.sequences);
    }

    @Override
    public int hashCode() {
        return sequences.hashCode();
    }

    @Override
    public String toString() {
        return sequences.entrySet().stream()
                .flatMap(domain -> domain.getValue().entrySet().stream()
                        .map(server -> domain.getKey() + "-" + server.getKey() + "-" + server.getValue()))
                .collect(Collectors.joining(","));
    }
}
