package org.haarbiter.words;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A MySQL GTID set: for each source (a UUID, with an optional tag since 8.3) the ranges of transaction numbers. Written
 * {@code uuid:1-5:7:tag:1-3,uuid:9}, with white space and line ends allowed where the server puts them.
 */
public final class GtidSet implements Position {

    /** A closed range of transaction numbers, both at least 1. */
    private record Range(long first, long last) {}

    /** Key: {@code uuid} or {@code uuid:tag}, lower case. Ranges are sorted, disjoint and not adjacent. */
    private final TreeMap<String, List<Range>> sources;

    private GtidSet(TreeMap<String, List<Range>> sources) {
        this.sources = sources;
    }

    static GtidSet parse(String text) {
        TreeMap<String, List<Range>> sources = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            String trimmed = part.strip();
            if (trimmed.isEmpty()) {
                continue;
            }
            String[] fields = trimmed.toLowerCase(java.util.Locale.ROOT).split(":", -1);
            if (!fields[0].matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") || fields.length < 2) {
                throw new IllegalArgumentException("GTID set: '" + trimmed
                        + "' (must be UUID:FIRST-LAST, e.g. 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5)");
            }
            String source = fields[0];
            for (int i = 1; i < fields.length; i++) {
                String field = fields[i].strip();
                if (field.matches("[a-z_][a-z0-9_]{0,31}")) {
                    source = fields[0] + ":" + field;
                } else {
                    sources.computeIfAbsent(source, s -> new ArrayList<>()).add(range(field, trimmed));
                }
            }
        }
        sources.replaceAll((source, ranges) -> normal(ranges));
        return new GtidSet(sources);
    }

    private static Range range(String field, String whole) {
        int dash = field.indexOf('-');
        try {
            long first = Long.parseLong(dash < 0 ? field : field.substring(0, dash));
            long last = dash < 0 ? first : Long.parseLong(field.substring(dash + 1));
            if (first >= 1 && last >= first) {
                return new Range(first, last);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("GTID set: '" + field + "' in '" + whole + "' (must be FIRST-LAST)", e);
        }
        throw new IllegalArgumentException(
                "GTID set: '" + field + "' in '" + whole + "' (must be 1 or more, ascending)");
    }

    private static List<Range> normal(List<Range> ranges) {
        List<Range> sorted = new ArrayList<>(ranges);
        sorted.sort(java.util.Comparator.comparingLong(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range next : sorted) {
            Range previous = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (previous != null && next.first() <= previous.last() + 1) {
                merged.set(merged.size() - 1, new Range(previous.first(), Math.max(previous.last(), next.last())));
            } else {
                merged.add(next);
            }
        }
        return List.copyOf(merged);
    }

    /** Everything that is in this set or the other. */
    public GtidSet plus(GtidSet other) {
        TreeMap<String, List<Range>> union = new TreeMap<>(sources);
        other.sources.forEach((source, ranges) -> union.merge(source, ranges, (mine, theirs) -> {
            List<Range> both = new ArrayList<>(mine);
            both.addAll(theirs);
            return normal(both);
        }));
        return new GtidSet(union);
    }

    @Override
    public boolean covers(Position other) {
        return other.minus(this).isEmpty();
    }

    @Override
    public GtidSet minus(Position other) {
        if (!(other instanceof GtidSet set)) {
            throw new IllegalArgumentException(
                    "position: '" + other + "' (must be a MySQL GTID set to be compared with one)");
        }
        TreeMap<String, List<Range>> rest = new TreeMap<>();
        sources.forEach((source, ranges) -> {
            List<Range> left = without(ranges, set.sources.getOrDefault(source, List.of()));
            if (!left.isEmpty()) {
                rest.put(source, left);
            }
        });
        return new GtidSet(rest);
    }

    private static List<Range> without(List<Range> ranges, List<Range> holes) {
        List<Range> left = new ArrayList<>();
        int hole = 0;
        for (Range range : ranges) {
            long from = range.first();
            while (hole < holes.size() && holes.get(hole).last() < from) {
                hole++;
            }
            for (int i = hole; i < holes.size() && holes.get(i).first() <= range.last() && from <= range.last(); i++) {
                if (holes.get(i).first() > from) {
                    left.add(new Range(from, holes.get(i).first() - 1));
                }
                from = Math.max(from, holes.get(i).last() + 1);
            }
            if (from <= range.last()) {
                left.add(new Range(from, range.last()));
            }
        }
        return List.copyOf(left);
    }

    @Override
    public long transactions() {
        return sources.values().stream()
                .flatMap(List::stream)
                .mapToLong(range -> range.last() - range.first() + 1)
                .sum();
    }

    @Override
    public boolean isEmpty() {
        return sources.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GtidSet set && sources.equals(set.sources);
    }

    @Override
    public int hashCode() {
        return sources.hashCode();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, List<Range>> source : sources.entrySet()) {
            text.append(text.isEmpty() ? "" : ",").append(source.getKey());
            for (Range range : source.getValue()) {
                text.append(':').append(range.first());
                if (range.last() > range.first()) {
                    text.append('-').append(range.last());
                }
            }
        }
        return text.toString();
    }
}
