package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far the cluster has applied its message stream, by the documents that the stream's consumer keeps: one for each partition, with
 * {@code position}, the newest message that is applied, and {@code end}, the newest that there was when it last asked. Confined to one
 * thread.
 */
final class Checkpoints {
    private static final int SAMPLES = 64;

    /**
     * @param version of the document: another one means that the consumer has written since
     * @param changedNanos when that was first seen
     * @param askedNanos when the version before was first seen: whatever the stream held by then is in {@code end}, since the consumer
     *     has asked for it after it had written that one
     */
    private record Partition(long position, long end, String version, long changedNanos, long askedNanos) {}

    private record Sample(TreeMap<String, Long> ends, long nanos) {}

    private final TreeMap<String, Partition> partitions = new TreeMap<>();
    private final ArrayDeque<Sample> samples = new ArrayDeque<>();

    /** From a copy on the node itself where there is one: a node that hangs answers nobody, and may be asked by chance. */
    static String path(ElasticsearchSettings settings) {
        return "/" + settings.checkpointIndex() + "/_mget?preference=_local";
    }

    /** @param ids as JSON strings, with commas between them */
    static String request(String ids) {
        return "{\"ids\":[" + ids + "]}";
    }

    /** Documents as {@code _mget} gives them. */
    void saw(JsonNode docs, long nowNanos) {
        for (JsonNode doc : docs) {
            String name = doc.path("_id").asText();
            if (!doc.path("found").asBoolean()) {
                partitions.remove(name);
                continue;
            }
            String version = doc.path("_primary_term").asText() + "/"
                    + doc.path("_seq_no").asText();
            JsonNode source = doc.path("_source");
            long position = Math.max(0, source.path("position").asLong(0));
            long end = Math.max(position, source.path("end").asLong(0));
            Partition before = partitions.get(name);
            if (before == null) {
                partitions.put(name, new Partition(position, end, version, nowNanos, Long.MIN_VALUE));
            } else if (!before.version().equals(version)) {
                partitions.put(name, new Partition(position, end, version, nowNanos, before.changedNanos()));
            }
        }
        TreeMap<String, Long> ends = new TreeMap<>();
        partitions.forEach((name, partition) -> ends.put(name, partition.end()));
        if (samples.isEmpty() || !samples.getLast().ends().equals(ends)) {
            samples.addLast(new Sample(ends, nowNanos));
            if (samples.size() > SAMPLES) {
                samples.removeFirst();
            }
        }
    }

    /** What is applied. */
    String applied() {
        return partitions.entrySet().stream()
                .map(e -> e.getKey() + ":" + e.getValue().position())
                .collect(Collectors.joining(","));
    }

    /** What is in the stream, as far as the consumer has said. */
    String ends() {
        return partitions.entrySet().stream()
                .map(e -> e.getKey() + ":" + e.getValue().end())
                .collect(Collectors.joining(","));
    }

    /** How many messages are left to apply. */
    long left() {
        return partitions.values().stream()
                .mapToLong(p -> p.end() - p.position())
                .sum();
    }

    /** By how much the oldest message that is left was in the stream before this moment, in ms; 0 where none is left. */
    long lagMillis(long nowNanos) {
        if (left() == 0) {
            return partitions.isEmpty() ? -1 : 0;
        }
        long since = nowNanos;
        for (Sample sample : samples) {
            boolean applied = sample.ends().entrySet().stream().allMatch(end -> {
                Partition partition = partitions.get(end.getKey());
                return partition == null || partition.position() >= end.getValue();
            });
            if (!applied) {
                since = sample.nanos();
                break;
            }
        }
        return (nowNanos - since) / 1_000_000;
    }

    /** How long ago the stream's end is known to have been asked for, of every partition, in ms; -1 where it isn't known. */
    long askedMillis(long nowNanos) {
        long oldest = Long.MAX_VALUE;
        for (Partition partition : partitions.values()) {
            oldest = Math.min(oldest, partition.askedNanos());
        }
        return oldest == Long.MAX_VALUE || oldest == Long.MIN_VALUE ? -1 : (nowNanos - oldest) / 1_000_000;
    }

    /** How long ago the consumer of every partition has written, in ms; -1 where it never did. */
    long heardMillis(long nowNanos) {
        long oldest = Long.MAX_VALUE;
        for (Partition partition : partitions.values()) {
            oldest = Math.min(oldest, partition.changedNanos());
        }
        return oldest == Long.MAX_VALUE ? -1 : (nowNanos - oldest) / 1_000_000;
    }
}
