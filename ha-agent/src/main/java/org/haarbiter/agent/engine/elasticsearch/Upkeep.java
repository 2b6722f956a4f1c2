package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What no look and no command may wait for: on a thread of its own. */
final class Upkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

    private static final long CHECK_NANOS = 10_000_000_000L;
    private static final long RETRY_NANOS = 500_000_000;
    private static final long REQUEST_NANOS = 5_000_000_000L;
    private static final int MOST_PARTITIONS = 1_000;
    private static final int MOST_FIGURES = 20;
    private static final int USUAL_RECOVERIES = 4;
    private static final int MOST_SHARDS = 3;

    private final ElasticsearchSettings settings;
    private final Rest rest;
    private final ExecutorService thread;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final Map<String, Endpoint> addresses = new ConcurrentHashMap<>();
    private volatile List<String> partitions = List.of();
    private volatile List<String> problems = List.of();
    private volatile List<String> figures = List.of();
    private volatile @Nullable Comparison comparison;
    private volatile boolean shardsMissing;
    private volatile String missingShards = "";
    private volatile boolean diskFull;
    private volatile String fullestDisk = "";
    private volatile boolean closed;

    // Only the observing thread uses these.
    private long nextCheckNanos = System.nanoTime();
    private long nextExplanationNanos = System.nanoTime();
    private long nextBringUpNanos = System.nanoTime();

    Upkeep(ElasticsearchSettings settings, Rest rest) {
        this.settings = settings;
        this.rest = rest;
        this.thread = Executors.newSingleThreadExecutor(task -> {
            Thread upkeep = new Thread(task, "elasticsearch-upkeep");
            upkeep.setDaemon(true);
            return upkeep;
        });
    }

    /** By wildcards, since a name that isn't there would make an error of the whole answer. */
    static String aliasPath(ElasticsearchSettings settings) {
        return "/_alias/" + settings.aliases().stream().map(name -> name + "*").collect(Collectors.joining(","));
    }

    /** The ids of the checkpoint documents, as JSON strings; empty where none is known. */
    String partitions() {
        return String.join(",", partitions);
    }

    /** Where a node serves clients; null while that isn't known. */
    @Nullable
    Endpoint addressOf(String id) {
        return addresses.get(id);
    }

    /** What the newest check has found. */
    List<String> problems() {
        Comparison running = comparison;
        if (running == null || running.passed()) {
            return problems;
        }
        List<String> all = new ArrayList<>(problems);
        all.add(running.progress());
        return all;
    }

    /** What the indices hold, as the newest check has found. */
    List<String> figures() {
        return figures;
    }

    /**
     * Which primary shards have no node, to follow a sentence that they are missing; empty until that is known.
     *
     * @param missing whether there are any now
     */
    String missingShards(boolean missing) {
        shardsMissing = missing;
        missingShards = missing ? missingShards : "";
        return missingShards;
    }

    /** The same for the node with the fullest disk, where writes are refused since one is too full. */
    String fullestDisk(boolean full) {
        diskFull = full;
        fullestDisk = full ? fullestDisk : "";
        return fullestDisk;
    }

    /** 0 while a cluster that has come back isn't known to hold what the primary does. */
    int priority() {
        Comparison running = comparison;
        return running == null || running.passed() ? Observation.USUAL_PRIORITY : 0;
    }

    /** Compares this cluster with another from now on, until both hold the same; told again, it changes nothing. */
    void compareWith(Endpoint primary) {
        Comparison before = comparison;
        if (before != null && before.primary().equals(primary)) {
            return;
        }
        compareNoMore();
        comparison = new Comparison(settings, rest, primary);
    }

    /** It takes writes itself or is fenced: what was compared before says nothing any more. */
    void compareNoMore() {
        Comparison before = comparison;
        comparison = null;
        if (before != null) {
            before.stop();
        }
    }

    /** On the observing thread. */
    void saw(Looks.Attached node, Cluster now) {
        addresses.keySet().retainAll(now.names().keySet());
        boolean unknown = !addresses.keySet().containsAll(now.names().keySet());
        boolean unexplained = (shardsMissing && missingShards.isEmpty()) || (diskFull && fullestDisk.isEmpty());
        long nanos = System.nanoTime();
        if (nanos - (unexplained ? nextExplanationNanos : nextCheckNanos) < 0) {
            return;
        }
        boolean elected = now.elected().equals(node.id());
        if (elected && now.incarnation().isEmpty()) {
            // It must be brought up first, on the same thread.
            return;
        }
        if (run("checking the cluster", () -> check(elected))) {
            nextCheckNanos = nanos + (unknown || (elected && partitions.isEmpty()) ? RETRY_NANOS : CHECK_NANOS);
            nextExplanationNanos = nanos + RETRY_NANOS;
        }
    }

    private void check(boolean elected) throws RestProblem {
        JsonNode nodes = ask("GET", "/_nodes/http?timeout=1s&filter_path=nodes.*.http.publish_address", "");
        nodes.path("nodes").properties().forEach(node -> {
            String published = node.getValue().at("/http/publish_address").asText("");
            String address = published.substring(published.lastIndexOf('/') + 1);
            try {
                addresses.put(node.getKey(), Endpoint.parse(address));
            } catch (IllegalArgumentException e) {
                LOG.warn("node {} publishes the address {}: {}", node.getKey(), published, e.getMessage());
            }
        });
        if (!elected) {
            problems = List.of();
            return;
        }
        if (shardsMissing) {
            missingShards = shardsWithoutNode();
        }
        if (diskFull) {
            fullestDisk = diskWithLeastRoom();
        }
        List<String> found = new ArrayList<>();
        JsonNode own =
                ask("GET", "/_nodes?timeout=1s&flat_settings=true&filter_path=nodes.*.name,nodes.*.settings", "");
        own.path("nodes").properties().forEach(node -> {
            String said = node.getValue()
                    .path("settings")
                    .path(Cluster.INITIAL_RECOVERIES)
                    .asText("");
            if (!said.equals("0")) {
                found.add("node " + node.getValue().path("name").asText(node.getKey())
                        + " doesn't start fenced: write " + Cluster.INITIAL_RECOVERIES
                        + ": 0 into its elasticsearch.yml");
            }
        });
        JsonNode aliases = ask("GET", aliasPath(settings), "");
        TreeSet<String> known = new TreeSet<>();
        aliases.forEach(index -> index.path("aliases").fieldNames().forEachRemaining(known::add));
        for (String alias : settings.aliases()) {
            if (!known.contains(alias)) {
                found.add("there is no alias " + alias
                        + " (must be the name through which clients write): POST _aliases");
            }
        }
        partitions = partitionsThere(found);
        figures = figuresOf(aliases, found);
        problems = List.copyOf(found);
    }

    /** Of each index behind the aliases, what it counts: another cluster's may be held against it. */
    private List<String> figuresOf(JsonNode aliases, List<String> found) {
        TreeSet<String> indices = Cluster.behind(settings.aliases(), aliases);
        if (indices.isEmpty()) {
            return List.of();
        }
        JsonNode stats;
        try {
            stats = ask(
                    "GET",
                    "/" + String.join(",", indices)
                            + "/_stats/docs?level=shards&filter_path=indices.*.primaries.docs.count,"
                            + "indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no",
                    "");
        } catch (RestProblem e) {
            found.add("what its indices hold isn't known: " + e.getMessage());
            return List.of();
        }
        String counted = " (counted at " + Instant.now().truncatedTo(ChronoUnit.SECONDS) + ")";
        List<String> sentences = new ArrayList<>();
        long furtherDocuments = 0;
        int further = 0;
        for (Map.Entry<String, JsonNode> index : stats.path("indices").properties()) {
            long documents = index.getValue().at("/primaries/docs/count").asLong();
            if (sentences.size() >= MOST_FIGURES) {
                further++;
                furtherDocuments += documents;
                continue;
            }
            long operations = 0;
            long notEverywhere = 0;
            for (JsonNode copies : index.getValue().path("shards")) {
                for (JsonNode copy : copies) {
                    if (copy.at("/routing/primary").asBoolean()) {
                        long newest = copy.at("/seq_no/max_seq_no").asLong(-1);
                        operations += newest + 1;
                        notEverywhere +=
                                newest - copy.at("/seq_no/global_checkpoint").asLong(newest);
                    }
                }
            }
            sentences.add("index " + index.getKey() + ": " + documents + " documents that its last refresh has shown, "
                    + operations + " operations by sequence numbers, " + notEverywhere
                    + " of them not in all copies yet" + counted);
        }
        if (further > 0) {
            sentences.add(further + " further indices: " + furtherDocuments + " documents" + counted);
        }
        return sentences;
    }

    private String shardsWithoutNode() throws RestProblem {
        List<String> found = new ArrayList<>();
        for (JsonNode shard : ask("GET", "/_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason", "")) {
            if (shard.path("prirep").asText().equals("p")
                    && shard.path("state").asText().equals("UNASSIGNED")) {
                found.add("shard " + shard.path("shard").asText() + " of "
                        + shard.path("index").asText() + ", "
                        + shard.path("unassigned.reason").asText());
            }
        }
        String more = found.size() > MOST_SHARDS ? " and " + (found.size() - MOST_SHARDS) + " more" : "";
        return found.isEmpty()
                ? ""
                : ": " + String.join("; ", found.subList(0, Math.min(MOST_SHARDS, found.size()))) + more;
    }

    private String diskWithLeastRoom() throws RestProblem {
        String found = "";
        double least = 1;
        JsonNode stats = ask("GET", "/_nodes/stats/fs?timeout=1s&filter_path=nodes.*.name,nodes.*.fs.data", "");
        for (JsonNode node : stats.path("nodes")) {
            for (JsonNode disk : node.path("fs").path("data")) {
                long total = disk.path("total_in_bytes").asLong(0);
                long left = disk.path("available_in_bytes").asLong(0);
                if (total > 0 && (double) left / total <= least) {
                    least = (double) left / total;
                    found = String.format(
                            Locale.ROOT,
                            "; fullest is that of node %s, %s: %d MB of %d MB left",
                            node.path("name").asText(),
                            disk.path("path").asText(),
                            left >> 20,
                            total >> 20);
                }
            }
        }
        return found;
    }

    private List<String> partitionsThere(List<String> found) {
        try {
            JsonNode hits = ask(
                    "GET",
                    "/" + settings.checkpointIndex() + "/_search?preference=_local&size=" + MOST_PARTITIONS
                            + "&_source=false&filter_path=hits.hits._id",
                    "");
            List<String> ids = new ArrayList<>();
            hits.at("/hits/hits").forEach(hit -> ids.add(hit.path("_id").toString()));
            return List.copyOf(ids);
        } catch (RestProblem e) {
            found.add("the checkpoints of the stream can't be read from " + settings.checkpointIndex() + ": "
                    + e.getMessage());
            return partitions;
        }
    }

    /**
     * All nodes were down at once: closed first, and then its shards may come up. On the observing thread of the elected node's agent.
     *
     * @param inService shards are at work, so no agent has seen it before, or nothing kept them: it isn't touched
     */
    void bringUp(Cluster now, boolean inService) {
        long nanos = System.nanoTime();
        if (nanos - nextBringUpNanos < 0) {
            return;
        }
        boolean begun = run("bringing the cluster up", () -> {
            if (!inService) {
                if (now.readOnly()) {
                    // Under it nothing else could be changed, and nothing can be written while no shard is there.
                    ask("PUT", "/_cluster/settings", Orders.readOnly(false));
                }
                Orders.setAliases(settings, rest, false, System.nanoTime() + REQUEST_NANOS);
                turnAwayWhoWaits();
            } else if (now.readOnly()) {
                return;
            }
            ask(
                    "PUT",
                    "/_cluster/settings",
                    "{\"transient\":{\"" + Cluster.INCARNATION + "\":\"" + UUID.randomUUID() + "\",\""
                            + Cluster.INITIAL_RECOVERIES + "\":" + USUAL_RECOVERIES + "}}");
            LOG.info(
                    "{}",
                    inService
                            ? "the cluster is known from now on"
                            : "the cluster's shards may come up, closed to clients");
        });
        if (begun) {
            nextBringUpNanos = nanos + RETRY_NANOS;
        }
    }

    /**
     * Writes that wait for a shard have found their index through an alias that was open then, and would be let in as soon as the
     * shard is there: refused once, they are gone.
     */
    private void turnAwayWhoWaits() throws RestProblem {
        JsonNode aliases = ask("GET", aliasPath(settings), "");
        List<String> indices = new ArrayList<>();
        aliases.fieldNames().forEachRemaining(indices::add);
        if (indices.isEmpty()) {
            return;
        }
        String all = String.join(",", indices);
        ask("PUT", "/" + all + "/_block/write", "");
        ask("PUT", "/" + all + "/_settings", "{\"index.blocks.write\":null}");
    }

    private JsonNode ask(String method, String path, String body) throws RestProblem {
        return rest.ask(settings.address(), method, path, body, System.nanoTime() + REQUEST_NANOS);
    }

    /** What is done by requests. */
    @FunctionalInterface
    private interface Work {
        void run() throws RestProblem;
    }

    /** @return false where something else is under way */
    private boolean run(String what, Work work) {
        if (closed || !busy.compareAndSet(false, true)) {
            return false;
        }
        try {
            thread.execute(() -> {
                try {
                    work.run();
                } catch (RestProblem e) {
                    LOG.warn("{}: {}", what, e.getMessage());
                } catch (RuntimeException e) {
                    LOG.error("{}: a fault in the agent itself", what, e);
                } finally {
                    busy.set(false);
                }
            });
            return true;
        } catch (RejectedExecutionException e) {
            busy.set(false);
            return false;
        }
    }

    @Override
    public void close() {
        closed = true;
        compareNoMore();
        thread.shutdownNow();
    }
}
