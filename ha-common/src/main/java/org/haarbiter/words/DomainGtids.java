package org.haarbiter.words;

import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A MariaDB position: the newest GTID of each replication domain, written {@code domain-server-sequence,...}. Sequence
 * numbers are ordered within a domain, so the larger one covers the smaller as long as nobody wrote past the primary;
 * where the sequence numbers are equal the servers must be too, or the histories have parted.
 */
public final class DomainGtids implements Position {

    private record Newest(long server, long sequence) {}

    private final TreeMap<Long, Newest> domains;

    private DomainGtids(TreeMap<Long, Newest> domains) {
        this.domains = domains;
    }

    static DomainGtids parse(String text) {
        TreeMap<Long, Newest> domains = new TreeMap<>();
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
            Newest newest = new Newest(Long.parseLong(fields[1]), Long.parseLong(fields[2]));
            Newest present = domains.get(Long.parseLong(fields[0]));
            if (present == null || present.sequence() < newest.sequence()) {
                domains.put(Long.parseLong(fields[0]), newest);
            }
        }
        return new DomainGtids(domains);
    }

    /** For each domain the newer of the two. */
    public DomainGtids plus(DomainGtids other) {
        TreeMap<Long, Newest> union = new TreeMap<>(domains);
        other.domains.forEach((domain, newest) ->
                union.merge(domain, newest, (mine, theirs) -> mine.sequence() >= theirs.sequence() ? mine : theirs));
        return new DomainGtids(union);
    }

    @Override
    public boolean covers(Position other) {
        return other.minus(this).isEmpty();
    }

    @Override
    public DomainGtids minus(Position other) {
        if (!(other instanceof DomainGtids set)) {
            throw new IllegalArgumentException(
                    "position: '" + other + "' (must be a MariaDB position to be compared with one)");
        }
        TreeMap<Long, Newest> rest = new TreeMap<>();
        domains.forEach((domain, newest) -> {
            Newest theirs = set.domains.get(domain);
            if (theirs == null
                    || theirs.sequence() < newest.sequence()
                    || (theirs.sequence() == newest.sequence() && theirs.server() != newest.server())) {
                rest.put(domain, newest);
            }
        });
        return new DomainGtids(rest);
    }

    @Override
    public long transactions() {
        return domains.values().stream().mapToLong(Newest::sequence).sum();
    }

    @Override
    public boolean isEmpty() {
        return domains.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DomainGtids gtids && domains.equals(gtids.domains);
    }

    @Override
    public int hashCode() {
        return domains.hashCode();
    }

    @Override
    public String toString() {
        return domains.entrySet().stream()
                .map(e -> e.getKey() + "-" + e.getValue().server() + "-"
                        + e.getValue().sequence())
                .collect(Collectors.joining(","));
    }
}
