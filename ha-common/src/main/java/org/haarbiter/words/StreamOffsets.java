package org.haarbiter.words;

import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a message stream was applied: for each of its partitions the number of the newest message, written
 * {@code orders-0:1234,orders-1:99}. Within a partition everything before a message comes before it, so whoever has one has all before
 * it. Applying the same messages twice changes nothing, so what a server has beyond another is never in the other's way.
 */
public final class StreamOffsets implements Position {

    /** By partition; all at least 1. */
    private final TreeMap<String, Long> offsets;

    private StreamOffsets(TreeMap<String, Long> offsets) {
        this.offsets = offsets;
    }

    static StreamOffsets parse(String text) {
        TreeMap<String, Long> offsets = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            String field = part.strip();
            if (field.isEmpty()) {
                continue;
            }
            if (!field.matches("[^:;\\s]+:\\d{1,18}")) {
                throw new IllegalArgumentException("stream position: '" + field + "' in '" + text
                        + "' (must be PARTITION:NUMBER, e.g. orders-0:100)");
            }
            int colon = field.indexOf(':');
            long number = Long.parseLong(field.substring(colon + 1));
            if (number > 0) {
                offsets.merge(field.substring(0, colon), number, Math::max);
            }
        }
        return new StreamOffsets(offsets);
    }

    @Override
    public boolean covers(Position other) {
        return other.minus(this).isEmpty();
    }

    /** The partitions of which this has newer messages, each with its newest. */
    @Override
    public StreamOffsets minus(Position other) {
        TreeMap<String, Long> theirs = offsetsOf(other);
        TreeMap<String, Long> rest = new TreeMap<>();
        offsets.forEach((partition, number) -> {
            if (number > theirs.getOrDefault(partition, 0L)) {
                rest.put(partition, number);
            }
        });
        return new StreamOffsets(rest);
    }

    /** How many messages this has and the other lacks. */
    @Override
    public long beyond(Position other) {
        TreeMap<String, Long> theirs = offsetsOf(other);
        long count = 0;
        for (var entry : offsets.entrySet()) {
            count += Math.max(0, entry.getValue() - theirs.getOrDefault(entry.getKey(), 0L));
        }
        return count;
    }

    private static TreeMap<String, Long> offsetsOf(Position other) {
        if (!(other instanceof StreamOffsets stream)) {
            throw new IllegalArgumentException(
                    "position: '" + other + "' (must be a stream's to be compared with a stream's)");
        }
        return stream.offsets;
    }

    @Override
    public long transactions() {
        return offsets.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public boolean isEmpty() {
        return offsets.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StreamOffsets stream && offsets.equals(stream.offsets);
    }

    @Override
    public int hashCode() {
        return offsets.hashCode();
    }

    @Override
    public String toString() {
        return offsets.entrySet().stream()
                .map(offset -> offset.getKey() + ":" + offset.getValue())
                .collect(Collectors.joining(","));
    }
}
