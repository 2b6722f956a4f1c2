package org.haarbiter.lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.haarbiter.words.Endpoint;

/**
 * A real Elasticsearch cluster. Each start of all its nodes is fenced: no primary shard is taken from disk before
 * {@value #START_FENCE} is raised, so nothing can be written or read.
 *
 * <p>Clients write through the alias {@value #WRITES}, the stream's consumer through another of the same index, {@value #STREAM_WRITES}:
 * where the first one has no write index, clients are refused and the stream isn't.
 */
public final class ElasticsearchCluster implements DatabaseServer {

    /** The setting whose 0 keeps primary shards from starting; from the file it counts until somebody sets another. */
    public static final String START_FENCE = "cluster.routing.allocation.node_initial_primaries_recoveries";

    /** The name by which clients write and read. */
    public static final String WRITES = "app-writes";

    /** The name by which the stream's consumer writes. */
    public static final String STREAM_WRITES = "app-writes.stream";

    private static final String INDEX = "app-writes-1";

    private static final int POLL_MILLIS = 20;
    private static final int LOOK_MILLIS = 2_000;

    private final String name;
    private final Path directory;
    private final List<ElasticsearchNode> nodes;

    /** A step on one node. */
    private interface Step {
        void on(ElasticsearchNode node) throws IOException;
    }

    /**
     * A cluster that isn't started yet, all of it on one host: the first node has the plan's port for HTTP, the others the following ones,
     * and each one 100 above that for the other nodes.
     *
     * @param size number of nodes, 1 to 99. Of two, the cluster stands still when it loses its elected master.
     */
    public ElasticsearchCluster(ServerPlan plan, int size) {
        this(plan.name(), plan.directory(), plans(plan, size));
    }

    /**
     * A cluster whose nodes may be on hosts of their own.
     *
     * @param directory what belongs to the whole of it
     * @param plans of the nodes; the settings are lines of {@code elasticsearch.yml}
     */
    public ElasticsearchCluster(String name, Path directory, List<ServerPlan> plans) {
        this.name = name;
        this.directory = directory;
        Servers.Program program = Servers.elasticsearch();
        this.nodes =
                plans.stream().map(plan -> new ElasticsearchNode(plan, program)).toList();
    }

    private static List<ServerPlan> plans(ServerPlan plan, int size) {
        if (size < 1 || size > 99) {
            throw new IllegalArgumentException(plan.name() + ": " + size + " nodes (must be 1 to 99)");
        }
        List<ServerPlan> plans = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            plans.add(new ServerPlan(
                    plan.name() + "-" + (i + 1),
                    new Endpoint(plan.address().host(), plan.address().port() + i),
                    plan.adminPort(),
                    plan.serverId(),
                    plan.directory(),
                    plan.host(),
                    plan.settings()));
        }
        return plans;
    }

    /** Its nodes, whether they run or not. */
    public List<ElasticsearchNode> nodes() {
        return nodes;
    }

    @Override
    public String name() {
        return name;
    }

    /** Where its first node answers. */
    @Override
    public Endpoint address() {
        return first().http();
    }

    private ElasticsearchNode first() {
        return nodes.get(0);
    }

    @Override
    public Path socket() {
        throw new UnsupportedOperationException(name + ": Elasticsearch has no Unix socket");
    }

    /** The directory that holds those of its nodes. */
    @Override
    public Path dataDir() {
        return directory.toAbsolutePath();
    }

    /** The first node's log. */
    @Override
    public Path errorLog() {
        return first().log();
    }

    @Override
    public long pid() {
        return first().pid();
    }

    /** Whether any node's process exists. */
    @Override
    public boolean isAlive() {
        return nodes.stream().anyMatch(ElasticsearchNode::isAlive);
    }

    @Override
    public void start() throws IOException {
        onAll(node -> {
            node.configure(name, nodes);
            node.start();
        });
    }

    @Override
    public void restart() throws IOException {
        end();
        start();
    }

    @Override
    public void startEmpty() throws IOException {
        end();
        onAll(ElasticsearchNode::deleteData);
        start();
    }

    private void end() throws IOException {
        kill9();
        awaitEnd(Duration.ofSeconds(60));
    }

    @Override
    public void kill9() {
        signal(ElasticsearchNode::kill9);
    }

    @Override
    public void terminate() {
        signal(ElasticsearchNode::terminate);
    }

    @Override
    public void freeze() {
        signal(ElasticsearchNode::freeze);
    }

    @Override
    public void thaw() {
        signal(ElasticsearchNode::thaw);
    }

    private void signal(Step step) {
        try {
            onAll(step);
        } catch (IOException e) {
            throw new IllegalStateException(name + ": a node can't be signalled", e);
        }
    }

    /** Does it on all nodes at the same time; throws after all have ended. */
    private void onAll(Step step) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(nodes.size());
        try {
            List<Future<?>> under = new ArrayList<>();
            for (ElasticsearchNode node : nodes) {
                under.add(threads.submit(() -> {
                    step.on(node);
                    return node;
                }));
            }
            IOException failed = null;
            for (Future<?> one : under) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    failed = new IOException(name + ": a node fails: " + e.getCause(), e);
                }
            }
            if (failed != null) {
                throw failed;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for the nodes of " + name, e);
        } finally {
            threads.shutdown();
        }
    }

    /** Waits until all nodes have joined an elected master, and the status isn't red unless the fence of the start makes it so. */
    @Override
    public void awaitReady(Duration limit) throws IOException {
        await("ready", limit, () -> {
            JsonNode health = health();
            return health.path("number_of_nodes").asInt() == nodes.size()
                    && (!"red".equals(health.path("status").asText()) || isFencedByItsStart());
        });
    }

    /** Waits until all shards that there are have all their copies. */
    public void awaitGreen(Duration limit) throws IOException {
        await("green", limit, () -> "green".equals(health().path("status").asText()));
    }

    private JsonNode health() throws IOException {
        return look("/_cluster/health?timeout=0s&master_timeout=1s");
    }

    private boolean isFencedByItsStart() throws IOException {
        JsonNode settings = look("/_cluster/settings?include_defaults=true&filter_path=*." + START_FENCE);
        for (String rank : List.of("transient", "persistent", "defaults")) {
            JsonNode now = settings.at("/" + rank + "/" + START_FENCE.replace('.', '/'));
            if (!now.isMissingNode()) {
                return now.asInt() == 0;
            }
        }
        return false;
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private void await(String what, Duration limit, Condition condition) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        Exception why = null;
        while (true) {
            try {
                if (condition.holds()) {
                    return;
                }
                why = null;
            } catch (IOException e) {
                why = e;
            }
            boolean ended = nodes.stream().noneMatch(ElasticsearchNode::isAlive);
            if (ended || System.nanoTime() - deadline > 0) {
                StringBuilder words = new StringBuilder();
                for (ElasticsearchNode node : nodes) {
                    words.append(node.isAlive() ? "\n" : "\nended: ")
                            .append(node)
                            .append(":\n")
                            .append(node.lastWords());
                }
                throw new IOException(
                        this + (ended ? " ended" : " isn't " + what + " after " + limit.toMillis() + " ms")
                                + ". The logs of its nodes end with:" + words,
                        why);
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + name, e);
            }
        }
    }

    /** What the first node that answers within 2 s says to a GET. */
    private JsonNode look(String path) throws IOException {
        return look("GET", path, "");
    }

    private JsonNode look(String method, String path, String body) throws IOException {
        IOException last = new IOException(this + ": no node runs");
        for (ElasticsearchNode node : nodes) {
            if (node.isAlive()) {
                try {
                    ElasticsearchNode.Answer answer = node.ask(method, path, body, LOOK_MILLIS);
                    if (answer.yes()) {
                        return answer.body();
                    }
                    last = new IOException(node + ": " + method + " " + path + ": " + answer);
                } catch (IOException e) {
                    last = e;
                }
            }
        }
        throw last;
    }

    /** Up to where it holds these partitions of the stream, by its checkpoints. */
    SortedMap<String, Long> positions(Collection<String> partitions) throws IOException {
        return MessageStream.positions(
                new ElasticsearchNode.Answer(200, look("POST", "/_mget", MessageStream.positionsQuery(partitions))));
    }

    /** The node that is elected master; throws where the nodes that answer know none. */
    public ElasticsearchNode electedMaster() throws IOException {
        JsonNode state =
                look("/_cluster/state/master_node,nodes?master_timeout=1s&filter_path=master_node,nodes.*.name");
        String elected = state.path("nodes")
                .path(state.path("master_node").asText())
                .path("name")
                .asText();
        return nodes.stream()
                .filter(node -> node.name().equals(elected))
                .findFirst()
                .orElseThrow(
                        () -> new IOException(this + " has elected '" + elected + "' (must be one of " + nodes + ")"));
    }

    @Override
    public void awaitEnd(Duration limit) throws IOException {
        onAll(node -> node.awaitEnd(limit));
    }

    /** Asks whichever node answers; an answer that isn't yes is an exception. */
    JsonNode demand(String method, String path, String body) throws IOException {
        IOException last = new IOException(this + ": no node runs");
        for (ElasticsearchNode node : nodes) {
            if (node.isAlive()) {
                try {
                    return node.demand(method, path, body);
                } catch (IOException e) {
                    last = e;
                }
            }
        }
        throw last;
    }

    /** Makes the index of the clients, shut for them, and that of the checkpoints; does nothing where they are. */
    public void provision() throws IOException {
        int replicas = nodes.size() - 1;
        make(INDEX, """
                {"settings": {"number_of_shards": 2, "number_of_replicas": %d},
                 "mappings": {"properties": {"n": {"type": "long"}}},
                 "aliases": {"%s": {"is_write_index": false}, "%s": {}}}
                """.formatted(Math.min(1, replicas), WRITES, STREAM_WRITES));
        make(MessageStream.CHECKPOINTS, """
                {"settings": {"number_of_shards": 1, "number_of_replicas": %d},
                 "mappings": {"dynamic": false}}
                """.formatted(replicas));
    }

    private void make(String index, String body) throws IOException {
        if (look("/_cluster/state/metadata/" + index
                        + "?filter_path=metadata.indices.*.state&allow_no_indices=true&ignore_unavailable=true")
                .isEmpty()) {
            // Fenced, its shards don't start: not waited for.
            demand("PUT", "/" + index + "?wait_for_active_shards=0", body);
        }
    }

    /** Lets primary shards start, and waits until they have. */
    public void liftStartFence(Duration limit) throws IOException {
        demand("PUT", "/_cluster/settings", "{\"transient\": {\"" + START_FENCE + "\": 4}}");
        await("without the fence of its start", limit, this::primariesRun);
    }

    /** The status doesn't tell: an index that is new and doesn't run yet is yellow. */
    private boolean primariesRun() throws IOException {
        for (JsonNode shard : look("/_cat/shards?format=json&h=prirep,state&master_timeout=1s")) {
            if ("p".equals(shard.path("prirep").asText())
                    && !"STARTED".equals(shard.path("state").asText())) {
                return false;
            }
        }
        return true;
    }

    /** Whether clients may write: the stream may, either way. */
    public void openToClients(boolean open) throws IOException {
        demand("POST", "/_aliases", """
                {"actions": [{"add": {"index": "%s", "alias": "%s", "is_write_index": %s}}]}
                """.formatted(INDEX, WRITES, open));
    }

    @Override
    public void provisionReplicaOf(DatabaseServer source) throws IOException {
        // Whom it follows is the stream's matter.
        provision();
    }

    @Override
    public void openByHand() throws IOException {
        provision();
        liftStartFence(Duration.ofSeconds(60));
        openToClients(true);
    }

    @Override
    public void replicateByHand(DatabaseServer source) throws IOException {
        provision();
        liftStartFence(Duration.ofSeconds(60));
        openToClients(false);
    }

    @Override
    public void close() throws IOException {
        onAll(ElasticsearchNode::close);
    }

    @Override
    public String toString() {
        return name + " at " + address();
    }
}
