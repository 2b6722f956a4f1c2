package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.agent.process.ServerProcess;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/** Looks at the node, and where it is the elected one at its cluster. One thread looks; what was seen is there for all. */
final class Looks implements AutoCloseable {
    /** A request that hangs is asked again after so long. */
    private static final Duration REQUEST_LIMIT = Duration.ofSeconds(10);

    private static final long LOGIN_RETRY_NANOS = 1_000_000_000;

    /** The stream's consumer has to give a sign of life at least this often. */
    static final long STREAM_PATIENCE_MILLIS = 5_000;

    /** What one look brought. The last three only of the elected node. */
    private record Answers(
            @Nullable JsonNode local,
            Cluster cluster,
            @Nullable JsonNode aliases,
            @Nullable JsonNode health,
            @Nullable JsonNode checkpoints) {}

    /** The process that serves the node. */
    record Attached(ServerProcess process, String id, String name, String version) {}

    private final ElasticsearchSettings settings;
    private final Rest rest;
    private final DeathWatch watch;
    private final Upkeep upkeep;
    private final Checkpoints checkpoints = new Checkpoints();

    private volatile @Nullable Attached attached;
    private volatile @Nullable Cluster cluster;
    private volatile @Nullable Observation last;

    /** The answer to {@code _alias} of the newest look; null while another node is elected. */
    private volatile @Nullable JsonNode aliases;

    /** Whom the cluster was told to follow; null where nobody has told it yet. */
    private volatile @Nullable Endpoint source;

    private volatile boolean acknowledging = true;
    private volatile boolean sealed;

    /** Commands to open writes so far, so that a look can tell whether one began beside it. */
    private final AtomicInteger openings = new AtomicInteger();

    private volatile int openingsEnded;

    /** A look found the cluster closed to writes, and no command to open it has begun since. */
    private volatile boolean closedToWrites;

    // Only the observing thread uses these.
    private @Nullable CompletableFuture<Answers> outstanding;
    private long sinceNanos;
    private long masterlessNanos;
    private int openingsBefore;

    /** The node has been part of a cluster with an elected node since its process began. */
    private boolean joined;

    private long nextLoginNanos = System.nanoTime();
    private String refusal = "";

    Looks(ElasticsearchSettings settings, Rest rest, DeathWatch watch, Upkeep upkeep) {
        this.settings = settings;
        this.rest = rest;
        this.watch = watch;
        this.upkeep = upkeep;
    }

    /** The process that answered last; null before the first answer. */
    @Nullable
    Attached attached() {
        return attached;
    }

    @Nullable
    Observation last() {
        return last;
    }

    /** As it was last seen; null before the first look. */
    @Nullable
    Cluster cluster() {
        return cluster;
    }

    /** This node is the elected one, as far as was last seen. */
    boolean elected() {
        Attached node = attached;
        Cluster seen = cluster;
        return node != null && seen != null && seen.elected().equals(node.id());
    }

    /** A command that may open writes begins; {@link #openingEnded} comes after it. */
    void opening() {
        openings.incrementAndGet();
        closedToWrites = false;
    }

    void openingEnded() {
        openingsEnded = openings.get();
    }

    @Nullable
    JsonNode aliases() {
        return aliases;
    }

    boolean closedToWrites() {
        return closedToWrites;
    }

    void follows(@Nullable Endpoint now, boolean acknowledges) {
        source = now;
        acknowledging = acknowledges;
        sealed = false;
    }

    void sealed() {
        sealed = true;
    }

    Observation look(long deadlineNanos) {
        if (outstanding == null) {
            if (!refusal.isEmpty() && System.nanoTime() - nextLoginNanos < 0) {
                return state(ServerState.UNKNOWN, refusal);
            }
            sinceNanos = System.nanoTime();
            openingsBefore = openings.get();
            outstanding = begin();
        }
        Observation seen;
        try {
            Answers answers = await(outstanding, deadlineNanos);
            outstanding = null;
            refusal = "";
            Observation problem = answers.local() == null ? null : adopt(answers.local());
            seen = problem == null ? seen(answers) : problem;
        } catch (RestProblem e) {
            seen = unanswered(e);
        }
        last = seen;
        return seen;
    }

    private static Answers await(CompletableFuture<Answers> answers, long deadlineNanos) throws RestProblem {
        return Rest.await(answers, deadlineNanos, "a look at the cluster");
    }

    private CompletableFuture<Answers> begin() {
        Attached known = attached;
        CompletableFuture<@Nullable JsonNode> local =
                known == null || known.process().end() != null
                        ? get("/_nodes/_local?filter_path=nodes.*.name,nodes.*.version,nodes.*.jvm.pid")
                        : CompletableFuture.completedFuture(null);
        Cluster before = cluster;
        CompletableFuture<Cluster> whole = local.thenCompose(identity -> get(Cluster.path(settings.checkpointIndex()))
                .thenCombine(
                        get(Cluster.SETTINGS_PATH).handle((said, failure) -> failure == null ? said : null),
                        (state, said) -> Cluster.of(state, said, before)));
        return local.thenCombine(whole, (identity, now) -> {
                    String id = identity == null ? known == null ? "" : known.id() : idOf(identity);
                    return now.elected().equals(id) && !id.isEmpty()
                            ? ofCluster(identity, now)
                            : CompletableFuture.completedFuture(new Answers(identity, now, null, null, null));
                })
                .thenCompose(answers -> answers);
    }

    private CompletableFuture<Answers> ofCluster(@Nullable JsonNode identity, Cluster now) {
        CompletableFuture<JsonNode> aliases = get(Upkeep.aliasPath(settings));
        CompletableFuture<JsonNode> health = get("/_cluster/health?local=true&timeout=0s&filter_path=status,"
                + "unassigned_primary_shards,active_primary_shards,number_of_nodes");
        String ids = upkeep.partitions();
        CompletableFuture<@Nullable JsonNode> documents = ids.isEmpty()
                ? CompletableFuture.completedFuture(null)
                // Without its shard, as after a restart of all nodes, this says what it can't read.
                : rest.send(
                                settings.address(),
                                "POST",
                                Checkpoints.path(settings),
                                Checkpoints.request(ids),
                                // Only this may need another node: one that hangs says nothing about this one.
                                Duration.ofMillis(settings.hungMillis() / 2))
                        .handle((found, failure) -> failure == null ? found : null);
        return aliases.thenCombine(health, (a, h) -> new Answers(identity, now, a, h, null))
                .thenCombine(
                        documents, (a, docs) -> new Answers(a.local(), a.cluster(), a.aliases(), a.health(), docs));
    }

    private CompletableFuture<JsonNode> get(String path) {
        return rest.send(settings.address(), "GET", path, "", REQUEST_LIMIT);
    }

    private static String idOf(JsonNode local) {
        var ids = local.path("nodes").fieldNames();
        return ids.hasNext() ? ids.next() : "";
    }

    /** Finds the process that has answered. */
    private @Nullable Observation adopt(JsonNode local) {
        String id = idOf(local);
        JsonNode node = local.path("nodes").path(id);
        int pid = node.path("jvm").path("pid").asInt(0);
        try {
            ServerProcess process = ServerProcess.of(pid);
            if (!process.listensAt(settings.address().port())) {
                process.close();
                return state(
                        ServerState.UNKNOWN,
                        "process " + pid + ", which the node names as its own, doesn't listen at " + settings.address()
                                + " (must be the node's: does it have process ids of its own?)");
            }
            attached = new Attached(
                    process,
                    id,
                    node.path("name").asText(id),
                    node.path("version").asText(""));
            last = null;
            source = null;
            sealed = false;
            joined = false;
            masterlessNanos = 0;
            closedToWrites = false;
            watch.watch(process);
            return null;
        } catch (IOException e) {
            return state(ServerState.UNKNOWN, "the process of the node isn't known: " + e.getMessage());
        }
    }

    private Observation seen(Answers answers) {
        Attached node = attached;
        Cluster now = answers.cluster();
        cluster = now;
        aliases = answers.aliases();
        if (node == null) {
            return state(ServerState.UNKNOWN, "the node's process isn't known");
        }
        long nanos = System.nanoTime();
        upkeep.saw(node, now);
        if (now.elected().isEmpty()) {
            masterlessNanos = masterlessNanos == 0 ? nanos : masterlessNanos;
            long without = (nanos - masterlessNanos) / 1_000_000;
            String detail = "its cluster has had no elected node for " + without + " ms";
            ServerState state = without < settings.electionMillis() ? ServerState.RUNNING : ServerState.HUNG;
            // It takes no writes then, and would again with the next one: that one's agent sees to it.
            return observation(node, now, joined ? state : ServerState.STARTING, detail, false, List.of());
        }
        masterlessNanos = 0;
        joined = true;
        JsonNode health = answers.health();
        JsonNode present = answers.aliases();
        if (!now.elected().equals(node.id()) || health == null || present == null) {
            return observation(node, now, ServerState.RUNNING, "", false, upkeep.problems());
        }
        if (answers.checkpoints() != null) {
            checkpoints.saw(answers.checkpoints().path("docs"), nanos);
        }
        TreeSet<String> open = Cluster.open(present);
        open.retainAll(settings.aliases());
        int primaries = health.path("active_primary_shards").asInt(0);
        // OpenSearch doesn't count them.
        int missing = health.path("unassigned_primary_shards")
                .asInt(health.path("status").asText().equals("red") ? 1 : 0);
        if (now.recovered() && now.incarnation().isEmpty()) {
            upkeep.bringUp(now, primaries > 0);
        }
        ServerState state = ServerState.RUNNING;
        String detail = "";
        List<String> problems = new ArrayList<>(upkeep.problems());
        boolean takesWrites = !open.isEmpty() && !now.readOnly() && now.recovered();
        // A cluster that somebody had made read-only before any agent knew it can't be given an incarnation.
        boolean known = !now.incarnation().isEmpty() || (now.readOnly() && primaries > 0);
        if (!now.recovered() || !known) {
            state = ServerState.STARTING;
            detail = primaries == 0 ? "its shards aren't there yet" : "its agent is making itself known";
        } else {
            List<String> refusals = refusals(now, present, takesWrites);
            List<String> troubles = new ArrayList<>(withoutNode(missing));
            // Under the arbiter's own order neither Elasticsearch nor a person can take them back: it must be let in
            // first.
            (now.readOnly() ? problems : troubles).addAll(refusals);
            detail = String.join("; ", troubles);
            state = detail.isEmpty() ? ServerState.RUNNING : ServerState.REFUSING;
        }
        closedToWrites = !takesWrites && openings.get() == openingsBefore && openingsEnded == openingsBefore;
        long heard = checkpoints.heardMillis(nanos);
        if (!takesWrites && !now.readOnly() && (heard < 0 || heard > STREAM_PATIENCE_MILLIS)) {
            problems.add(
                    heard < 0
                            ? "the stream's consumer has written no checkpoint into " + settings.checkpointIndex()
                            : "the stream's consumer hasn't written its checkpoint into " + settings.checkpointIndex()
                                    + " for " + heard + " ms (must be at least each " + STREAM_PATIENCE_MILLIS
                                    + " ms)");
        }
        return observation(node, now, state, detail, takesWrites, problems);
    }

    private List<String> withoutNode(int shards) {
        String which = upkeep.missingShards(shards > 0);
        return shards == 0
                ? List.of()
                : List.of(shards + " primary shard(s) are unassigned" + which
                        + " (GET _cluster/allocation/explain says why)");
    }

    /** Why indices refuse writes though neither their shards are missing nor everything is refused by order. */
    private List<String> refusals(Cluster now, JsonNode aliases, boolean open) {
        TreeSet<String> ours = Cluster.behind(settings.aliases(), aliases);
        ours.add(settings.checkpointIndex());
        List<String> refusals = new ArrayList<>();
        TreeSet<String> flooded = new TreeSet<>(now.flooded());
        flooded.retainAll(ours);
        String disk = upkeep.fullestDisk(!flooded.isEmpty());
        if (!flooded.isEmpty()) {
            refusals.add("a disk has passed the flood-stage watermark, so " + flooded + " take no writes" + disk
                    + ": make room there, and Elasticsearch takes writes again by itself"
                    + (open ? " (hactl promote brings the clients to another cluster meanwhile)" : ""));
        }
        now.blocked().forEach((index, block) -> {
            if (ours.contains(index)) {
                refusals.add("index " + index + " refuses writes by order: " + block + " (PUT " + index
                        + "/_settings with null for it under index.blocks takes that back)");
            }
        });
        return refusals;
    }

    private Observation observation(
            Attached node, Cluster now, ServerState state, String detail, boolean writable, List<String> problems) {
        long nanos = System.nanoTime();
        long heard = checkpoints.heardMillis(nanos);
        boolean fed = heard >= 0 && heard <= STREAM_PATIENCE_MILLIS;
        String applied = checkpoints.applied();
        boolean receiving = source != null && !sealed;
        long term = now.elected().equals(node.id()) ? Math.max(1, now.term()) : 0;
        String whole = now.incarnation().isEmpty() ? "" : now.uuid() + "/" + now.incarnation();
        return new Observation(
                state,
                detail,
                node.process().instance() + "/" + now.incarnation(),
                now.uuid(),
                node.version(),
                writable,
                writable ? null : source,
                receiving,
                receiving && fed,
                writable || !fed ? applied : checkpoints.ends(),
                applied,
                checkpoints.lagMillis(nanos),
                checkpoints.askedMillis(nanos),
                -1,
                0,
                acknowledging,
                0,
                problems,
                false,
                upkeep.priority(),
                new ClusterNode(
                        node.name(), term, whole, addresses(node, now), term > 0 ? upkeep.figures() : List.of()));
    }

    private TreeMap<String, Endpoint> addresses(Attached node, Cluster now) {
        TreeMap<String, Endpoint> addresses = new TreeMap<>();
        now.names().forEach((id, name) -> {
            Endpoint address = upkeep.addressOf(id);
            if (address != null) {
                addresses.put(name, address);
            }
        });
        addresses.put(node.name(), settings.address());
        return addresses;
    }

    private Observation unanswered(RestProblem e) {
        Attached known = attached;
        if (e.kind() == RestProblem.Kind.NO_ANSWER) {
            if (known != null && known.process().look() != null) {
                outstanding = null;
                return state(ServerState.DEAD, ending(known));
            }
            long silent = (System.nanoTime() - sinceNanos) / 1_000_000;
            if (silent >= REQUEST_LIMIT.toMillis()) {
                outstanding = null;
            }
            if (known == null) {
                return state(ServerState.UNKNOWN, "the node at " + settings.address() + " hasn't answered yet");
            }
            return silent >= settings.hungMillis()
                    ? state(
                            ServerState.HUNG,
                            "it hasn't answered for " + silent + " ms (must be less than " + settings.hungMillis()
                                    + "), and its process " + known.process().pid() + " exists")
                    : state(lastState(), "it hasn't answered for " + silent + " ms");
        }
        outstanding = null;
        if (e.kind() == RestProblem.Kind.LOST) {
            if (known == null) {
                return state(
                        ServerState.UNKNOWN,
                        "can't connect to " + settings.address() + ": " + e.getMessage()
                                + (settings.ca() == null ? " (where nodes speak HTTPS, ca-file is missing)" : ""));
            }
            watch.recheck();
            return known.process().look() == null
                    ? state(lastState(), "can't connect to it: " + e.getMessage())
                    : state(ServerState.DEAD, ending(known));
        }
        if (e.status() == 401 || e.status() == 403) {
            nextLoginNanos = System.nanoTime() + LOGIN_RETRY_NANOS;
            refusal = "the node doesn't let the agent in as " + settings.user() + " (" + e.getMessage()
                    + "): check user, password and privileges (docs/elasticsearch.md)";
            return state(ServerState.UNKNOWN, refusal);
        }
        return state(lastState(), "the node answers with an error: " + e.getMessage());
    }

    private static String ending(Attached known) {
        return "process " + known.process().pid() + " of node " + known.name() + " ended: "
                + known.process().end();
    }

    private ServerState lastState() {
        Observation before = last;
        return before == null ? ServerState.UNKNOWN : before.state();
    }

    /** A state with what was last known of the same instance. */
    private Observation state(ServerState state, String detail) {
        Observation before = last;
        return before == null
                ? Observation.unseen(state, detail, "")
                : before.inState(state, detail, checkpoints.askedMillis(System.nanoTime()));
    }

    @Override
    public void close() {
        Attached known = attached;
        if (known != null) {
            known.process().close();
        }
    }
}
