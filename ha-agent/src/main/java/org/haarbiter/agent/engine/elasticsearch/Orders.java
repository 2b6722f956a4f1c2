package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries commands out. What closes a cluster to clients is that the aliases through which they write have no index to write to: that is
 * one change of the cluster's state, is kept by it, and holds nobody up who writes to the indices behind, as the stream's consumer
 * does. A fence adds the order that refuses every write.
 */
final class Orders {
    private static final Logger LOG = LoggerFactory.getLogger(Orders.class);
    private static final long POLL_NANOS = 3_000_000;
    private static final int FORBIDDEN = 403;
    private static final long LEAST_NANOS = 100_000_000;

    private final ElasticsearchSettings settings;
    private final Rest rest;
    private final Looks looks;
    private final Upkeep upkeep;
    private final DeathWatch watch;

    Orders(ElasticsearchSettings settings, Rest rest, Looks looks, Upkeep upkeep, DeathWatch watch) {
        this.settings = settings;
        this.rest = rest;
        this.looks = looks;
        this.upkeep = upkeep;
        this.watch = watch;
    }

    /** The body that gives the order to refuse every write, or takes it back. */
    static String readOnly(boolean wanted) {
        return "{\"persistent\":{\"" + Cluster.READ_ONLY + "\":" + (wanted ? "true" : "null") + "}}";
    }

    /**
     * Opens or closes all aliases in one step.
     *
     * @throws RestProblem where it isn't known that every node has heard of it
     */
    static void setAliases(ElasticsearchSettings settings, Rest rest, boolean open, long deadline) throws RestProblem {
        setAliases(
                settings,
                rest,
                rest.ask(settings.address(), "GET", Upkeep.aliasPath(settings), "", deadline),
                open,
                deadline);
    }

    private static void setAliases(
            ElasticsearchSettings settings, Rest rest, JsonNode present, boolean open, long deadline)
            throws RestProblem {
        List<String> actions = new ArrayList<>();
        for (String alias : settings.aliases()) {
            List<String> indices = new ArrayList<>();
            present.properties().forEach(index -> {
                if (index.getValue().path("aliases").has(alias)) {
                    indices.add(index.getKey());
                }
            });
            if (open && indices.size() > 1) {
                // Rolled over: the newest takes the writes.
                indices.sort(null);
                indices.subList(0, indices.size() - 1).clear();
            }
            for (String index : indices) {
                actions.add("{\"add\":{\"index\":\"" + index + "\",\"alias\":\"" + alias + "\",\"is_write_index\":"
                        + open + "}}");
            }
        }
        if (actions.isEmpty()) {
            if (open) {
                throw RestProblem.refused(404, "none of the aliases " + settings.aliases() + " is there");
            }
            return;
        }
        // A node that hasn't heard of it yet only turns clients away a little longer.
        change(
                settings,
                rest,
                "POST",
                "/_aliases",
                "{\"actions\":[" + String.join(",", actions) + "]}",
                !open,
                deadline);
    }

    /** @param byAll a change of the cluster's state that every node must have heard of in time */
    private static void change(
            ElasticsearchSettings settings,
            Rest rest,
            String method,
            String path,
            String body,
            boolean byAll,
            long deadline)
            throws RestProblem {
        long left = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
        JsonNode answer = rest.ask(
                settings.address(),
                method,
                path + "?timeout=" + left + "ms&master_timeout=" + left + "ms",
                body,
                deadline);
        if (byAll && !answer.path("acknowledged").asBoolean()) {
            throw RestProblem.noAnswer("not every node has heard of " + method + " " + path + " in time");
        }
    }

    void fence(long deadline) throws EngineException {
        Looks.Attached node = looks.attached();
        if (node == null) {
            throw new EngineException(
                    "can't fence the cluster: its node at " + settings.address() + " was never reached");
        }
        if (node.process().look() != null) {
            return;
        }
        Cluster seen = looks.cluster();
        if (!looks.elected()) {
            if (seen != null && seen.readOnly()) {
                return;
            }
            // Of a cluster that has nobody elected, or of a node that hangs.
            watch.kill(node.process(), "its cluster must take no writes, and it can't be told so: node " + node.name());
            return;
        }
        String problem = "";
        long start = System.nanoTime();
        boolean aliases = false;
        while (System.nanoTime() - deadline < 0) {
            try {
                if (!aliases) {
                    setAliases(settings, rest, false, deadline);
                    aliases = true;
                }
                change(settings, rest, "PUT", "/_cluster/settings", readOnly(true), true, deadline);
                upkeep.compareNoMore();
                LOG.info("fenced in {} ms", (System.nanoTime() - start) / 1_000_000);
                return;
            } catch (RestProblem e) {
                if (e.status() == FORBIDDEN) {
                    // Under the order nothing can be changed, and it can't be given again.
                    upkeep.compareNoMore();
                    return;
                }
                problem = String.valueOf(e.getMessage());
                if (node.process().look() != null) {
                    return;
                }
            }
        }
        if (looks.closedToWrites()) {
            throw new EngineException(
                    "fencing: " + problem + "; it was last seen closed to clients, so it isn't killed");
        }
        watch.kill(node.process(), "the cluster couldn't be told in time to take no writes: " + problem);
    }

    /**
     * Refuses new writes. Those that are under way needn't be waited for: clients put a write into the stream before they send it here, so
     * whoever asks for the stream's end from now on hears of all that this cluster may still acknowledge.
     *
     * @return what is known now; null where nothing was before
     */
    @Nullable
    Observation drain(long deadline) throws EngineException {
        String aim = "refusing new writes";
        requireElected(aim);
        // Where it fails, writes are open again.
        looks.opening();
        try {
            setAliases(settings, rest, false, deadline);
            Observation before = looks.last();
            return before == null ? null : before.takingNoWrites();
        } catch (RestProblem e) {
            try {
                setAliases(settings, rest, true, System.nanoTime() + 1_000_000_000);
            } catch (RestProblem again) {
                throw new EngineException(
                        aim + ": " + e.getMessage() + "; they couldn't be opened again: " + again.getMessage(), e);
            }
            throw new EngineException(aim + ": " + e.getMessage() + "; writes are open again", e);
        } finally {
            looks.openingEnded();
        }
    }

    /** Nothing that was let in before is under way any more: what the nodes do now that began then is waited for. */
    private void awaitQuiet(long deadline) throws RestProblem {
        TreeSet<String> left = writes(deadline);
        while (!left.isEmpty()) {
            if (System.nanoTime() - deadline >= 0) {
                throw RestProblem.noAnswer(left.size() + " writes are still under way");
            }
            LockSupport.parkNanos(POLL_NANOS);
            left.retainAll(writes(deadline));
        }
    }

    /** The writes that are under way, by their tasks. */
    private TreeSet<String> writes(long deadline) throws RestProblem {
        JsonNode tasks = rest.ask(
                settings.address(),
                "GET",
                "/_tasks?actions=indices:data/write/*&timeout=1s&filter_path=node_failures.type,nodes.*.tasks.*.id",
                "",
                deadline);
        if (tasks.path("node_failures").size() > 0) {
            throw RestProblem.noAnswer("not every node says which writes are under way");
        }
        TreeSet<String> ids = new TreeSet<>();
        for (JsonNode node : tasks.path("nodes")) {
            node.path("tasks").fieldNames().forEachRemaining(ids::add);
        }
        return ids;
    }

    void seal(long deadline) throws EngineException {
        requireElected("ending what is under way");
        Cluster seen = looks.cluster();
        if (seen != null && seen.readOnly()) {
            try {
                awaitQuiet(deadline);
            } catch (RestProblem e) {
                throw new EngineException("ending what is under way: " + e.getMessage(), e);
            }
        }
        looks.sealed();
    }

    void promote(Promotion promotion, BooleanSupplier permitted, long deadline) throws EngineException {
        String aim = "opening writes";
        requireElected(aim);
        looks.opening();
        try {
            Cluster seen = looks.cluster();
            if (seen != null && seen.readOnly()) {
                // The stream's consumer may have something to add.
                endReadOnly(aim, deadline);
            }
            awaitApplied(promotion.upTo(), deadline);
            if (!permitted.getAsBoolean()) {
                throw new EngineException(
                        "writes stay closed: the permission of epoch " + promotion.epoch() + " has run out");
            }
            JsonNode aliases = looks.aliases();
            if (aliases == null) {
                setAliases(settings, rest, true, deadline);
            } else {
                // All clients wait for this one request.
                setAliases(settings, rest, aliases, true, deadline);
            }
        } catch (RestProblem e) {
            throw new EngineException(aim + ": " + e.getMessage(), e);
        } finally {
            looks.openingEnded();
        }
        upkeep.compareNoMore();
        looks.follows(null, true);
    }

    /** Under that order aliases can't be changed: where they are open, its end would let clients in at once. */
    private void endReadOnly(String aim, long deadline) throws EngineException, RestProblem {
        JsonNode present = rest.ask(settings.address(), "GET", Upkeep.aliasPath(settings), "", deadline);
        TreeSet<String> open = Cluster.open(present);
        open.retainAll(settings.aliases());
        if (!open.isEmpty()) {
            throw new EngineException(aim + ": " + Cluster.READ_ONLY + " holds, and behind it the aliases " + open
                    + " are open: stop their clients, set " + Cluster.READ_ONLY
                    + " to null and is_write_index of these aliases to false by hand");
        }
        change(settings, rest, "PUT", "/_cluster/settings", readOnly(false), false, deadline);
    }

    private void awaitApplied(String upTo, long deadline) throws EngineException, RestProblem {
        Position wanted = PositionKind.STREAM_OFFSETS.parse(upTo);
        Observation last = looks.last();
        if (last != null
                && wanted.minus(PositionKind.STREAM_OFFSETS.parse(last.applied()))
                        .isEmpty()) {
            return;
        }
        String applied = applied(deadline);
        while (true) {
            Position missing = wanted.minus(PositionKind.STREAM_OFFSETS.parse(applied));
            if (missing.isEmpty()) {
                return;
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new EngineException("applying the stream up to " + missing + ": not reached in time (it is at '"
                        + applied + "'); is the stream's consumer at work?");
            }
            LockSupport.parkNanos(POLL_NANOS);
            applied = applied(deadline);
        }
    }

    private String applied(long deadline) throws RestProblem {
        Checkpoints present = new Checkpoints();
        String ids = upkeep.partitions();
        if (!ids.isEmpty()) {
            present.saw(
                    rest.ask(
                                    settings.address(),
                                    "POST",
                                    Checkpoints.path(settings),
                                    Checkpoints.request(ids),
                                    Math.max(deadline, System.nanoTime() + LEAST_NANOS))
                            .path("docs"),
                    System.nanoTime());
        }
        return present.applied();
    }

    void follow(Following following, long deadline) throws EngineException {
        String aim = "being fed by the stream";
        requireElected(aim);
        try {
            Cluster seen = looks.cluster();
            if (seen != null && seen.readOnly()) {
                endReadOnly(aim, deadline);
            }
            setAliases(settings, rest, false, deadline);
        } catch (RestProblem e) {
            throw new EngineException(aim + ": " + e.getMessage(), e);
        }
        upkeep.compareWith(following.source());
        looks.follows(following.source(), following.acknowledges());
    }

    private void requireElected(String aim) throws EngineException {
        Looks.Attached node = looks.attached();
        if (node == null || !looks.elected()) {
            throw new EngineException(aim + ": the cluster has elected another node than "
                    + (node == null ? "the one at " + settings.address() : node.name()) + ", whose agent does it");
        }
    }
}
