package org.haarbiter.agent.engine.mysql;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.words.DomainGtids;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * What MariaDB's binary logs hold after the points up to which the primary has the same history. Within a domain the history is
 * one line of growing sequence numbers: what comes after the newest GTID that both have is surplus.
 */
final class MariadbSurplus implements SurplusFile.Contents {
    private static final Pattern GTID = Pattern.compile("#\\d{6} .*\\tGTID (\\d+-\\d+-\\d+)(\\s.*)?");

    /** By domain: the newest that both have, and the newest here. */
    private final TreeMap<Long, Gtid> forks = new TreeMap<>();

    private final TreeMap<Long, Gtid> heads = new TreeMap<>();

    private record Gtid(long domain, long server, long sequence) {
        @Override
        public String toString() {
            return domain + "-" + server + "-" + sequence;
        }
    }

    /**
     * Compares.
     *
     * @param primary what the primary holds
     * @param logged what is in the binary logs, the newest of each domain and server
     * @param applied what came by replication, the newest of each domain
     */
    MariadbSurplus(DomainGtids primary, DomainGtids logged, DomainGtids applied) {
        for (Gtid own : gtids(logged.plus(applied))) {
            heads.merge(own.domain(), own, MariadbSurplus::newer);
        }
        List<Gtid> theirs = gtids(primary);
        for (Gtid own : gtids(logged)) {
            for (Gtid other : theirs) {
                if (own.domain() == other.domain() && own.server() == other.server()) {
                    forks.merge(own.domain(), own.sequence() < other.sequence() ? own : other, MariadbSurplus::newer);
                }
            }
        }
        // Who was made from a copy has no more of the time before than this in its logs.
        for (Gtid own : gtids(applied)) {
            for (Gtid other : theirs) {
                if (own.domain() == other.domain()
                        && own.server() == other.server()
                        && own.sequence() <= other.sequence()) {
                    forks.merge(own.domain(), own, MariadbSurplus::newer);
                }
            }
        }
        heads.forEach((domain, head) -> forks.putIfAbsent(domain, new Gtid(domain, head.server(), 0)));
        forks.keySet().retainAll(heads.keySet());
    }

    private static Gtid newer(Gtid one, Gtid other) {
        return one.sequence() >= other.sequence() ? one : other;
    }

    private static List<Gtid> gtids(DomainGtids position) {
        List<Gtid> gtids = new ArrayList<>();
        for (String text :
                position.isEmpty() ? new String[0] : position.toString().split(",", -1)) {
            gtids.add(toGtid(text));
        }
        return gtids;
    }

    private static Gtid toGtid(String text) {
        String[] fields = text.split("-", -1);
        return new Gtid(Long.parseLong(fields[0]), Long.parseLong(fields[1]), Long.parseLong(fields[2]));
    }

    private boolean surplusIn(long domain) {
        return head(domain).sequence() > fork(domain).sequence();
    }

    private Gtid head(long domain) {
        return java.util.Objects.requireNonNull(heads.get(domain));
    }

    private Gtid fork(long domain) {
        return java.util.Objects.requireNonNull(forks.get(domain));
    }

    boolean isEmpty() {
        return heads.keySet().stream().noneMatch(this::surplusIn);
    }

    @Override
    public String program() {
        return "mariadb-binlog";
    }

    @Override
    public List<String> options() {
        String start = forks.keySet().stream()
                .map(domain -> surplusIn(domain) ? fork(domain) : head(domain))
                .map(Gtid::toString)
                .collect(Collectors.joining(","));
        return List.of("--no-defaults", "-vv", "--gtid-strict-mode=0", "--start-position=" + start);
    }

    @Override
    public String key() {
        return heads.keySet().stream()
                .filter(this::surplusIn)
                .map(domain -> "after " + fork(domain) + " to " + head(domain))
                .collect(Collectors.joining(", "));
    }

    @Override
    public @Nullable String before(List<String> lines) {
        StringBuilder list = null;
        for (String line : lines) {
            int begin = line.indexOf("Gtid list [");
            if (list == null && begin < 0) {
                continue;
            }
            list = (list == null ? new StringBuilder() : list)
                    .append(begin < 0 ? line.replaceFirst("^#", "") : line.substring(begin + "Gtid list [".length()));
            int end = list.indexOf("]");
            if (end >= 0) {
                return list.substring(0, end).replace(" ", "");
            }
        }
        return null;
    }

    @Override
    public boolean noneIn(String before) {
        for (Gtid newest : gtids((DomainGtids) PositionKind.MARIADB_GTID.parse(before))) {
            Gtid fork = forks.get(newest.domain());
            if (fork != null && surplusIn(newest.domain()) && newest.sequence() > fork.sequence()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public @Nullable String gtid(String line) {
        Matcher matcher = GTID.matcher(line);
        return matcher.matches() ? matcher.group(1) : null;
    }

    @Override
    public String domain(String gtid) {
        return gtid.substring(0, gtid.indexOf('-'));
    }

    @Override
    public String positions(SurplusFile.Found found) throws EngineException {
        List<String> positions = new ArrayList<>();
        for (Map.Entry<Long, Gtid> entry : heads.entrySet()) {
            if (surplusIn(entry.getKey())) {
                String domain = entry.getKey().toString();
                String first = found.first().get(domain);
                String last = found.last().get(domain);
                if (first == null
                        || last == null
                        || !last.equals(entry.getValue().toString())) {
                    throw new EngineException("saving the surplus transactions " + key()
                            + ": the binary logs hold domain " + domain + " only up to " + last);
                }
                positions.add(first + ".." + last);
            }
        }
        return String.join(",", positions);
    }
}
