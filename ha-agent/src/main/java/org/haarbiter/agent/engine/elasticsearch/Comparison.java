package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.words.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this cluster holds what the primary does: for each index behind the aliases the number of documents, and a sample of
 * documents with their contents. The stream goes on meanwhile, so what differs is looked at again; only what stays different counts. On a
 * thread of its own.
 */
final class Comparison {
    private static final Logger LOG = LoggerFactory.getLogger(Comparison.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int SAMPLE = 200;
    private static final long REQUEST_NANOS = 10_000_000_000L;
    private static final long AGAIN_NANOS = 500_000_000;

    /** What the stream has under way is looked at again, for five seconds. */
    private static final int TRIES = 25;

    private static final long TRY_NANOS = 200_000_000;
    private static final int UNDER_WAY = 20;

    private final ElasticsearchSettings settings;
    private final Rest rest;
    private final Endpoint primary;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile boolean passed;
    private volatile String progress;

    Comparison(ElasticsearchSettings settings, Rest rest, Endpoint primary) {
        this.settings = settings;
        this.rest = rest;
        this.primary = primary;
        this.progress = "it isn't promoted by itself before it was compared with the primary at " + primary;
        this.thread = new Thread(this::run, "compare-with-primary");
        thread.setDaemon(true);
        thread.start();
    }

    Endpoint primary() {
        return primary;
    }

    boolean passed() {
        return passed;
    }

    /** A sentence for people. */
    String progress() {
        return progress;
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        while (!stopped && !passed) {
            String differs;
            try {
                differs = difference();
            } catch (RestProblem e) {
                differs = String.valueOf(e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("comparing with {}: a fault in the agent itself", primary, e);
                differs = "a fault in the agent itself: " + e;
            }
            if (differs.isEmpty()) {
                passed = true;
                LOG.info(
                        "this cluster holds what the primary at {} does, by count and {} documents an index",
                        primary,
                        SAMPLE);
                return;
            }
            progress =
                    "it isn't promoted by itself before it holds what the primary at " + primary + " does: " + differs;
            LockSupport.parkNanos(AGAIN_NANOS);
        }
    }

    /** What differs for good; empty for nothing. */
    private String difference() throws RestProblem {
        JsonNode aliases = ask(settings.address(), "GET", Upkeep.aliasPath(settings), "");
        TreeSet<String> indices = Cluster.behind(settings.aliases(), aliases);
        indices.remove(settings.checkpointIndex());
        if (indices.isEmpty()) {
            return "it has no index behind " + settings.aliases();
        }
        int done = 0;
        for (String index : indices) {
            progress = "it is being compared with the primary at " + primary + ": index " + (done + 1) + " of "
                    + indices.size() + ", " + index;
            String differs = difference(index);
            if (!differs.isEmpty()) {
                return differs;
            }
            done++;
        }
        return "";
    }

    private String difference(String index) throws RestProblem {
        String counts = "";
        for (int i = 0; i < TRIES && !stopped; i++) {
            counts = differentCount(index);
            if (counts.isEmpty()) {
                break;
            }
            LockSupport.parkNanos(TRY_NANOS);
        }
        if (!counts.isEmpty()) {
            return counts;
        }
        for (Endpoint from : List.of(primary, settings.address())) {
            String differs = differentDocument(index, from);
            if (!differs.isEmpty()) {
                return differs;
            }
        }
        return "";
    }

    private String differentCount(String index) throws RestProblem {
        long before = count(primary, index);
        long here = count(settings.address(), index);
        long after = count(primary, index);
        // Where it takes writes meanwhile, some are on their way.
        long under = before == after ? 0 : 2 * Math.abs(after - before) + UNDER_WAY;
        return Math.abs(here - after) <= under
                ? ""
                : "index " + index + " has " + here + " documents here and " + after + " there";
    }

    private String differentDocument(String index, Endpoint from) throws RestProblem {
        List<String> ids = sample(from, index);
        for (int i = 0; i < TRIES && !ids.isEmpty() && !stopped; i++) {
            if (i > 0) {
                LockSupport.parkNanos(TRY_NANOS);
            }
            TreeMap<String, JsonNode> here = documents(settings.address(), index, ids);
            TreeMap<String, JsonNode> there = documents(primary, index, ids);
            ids = ids.stream()
                    .filter(id -> !Objects.equals(here.get(id), there.get(id)))
                    .toList();
        }
        return ids.isEmpty()
                ? ""
                : ids.size() + " documents of a sample of index " + index + " differ, " + ids.get(0) + " among them";
    }

    private long count(Endpoint node, String index) throws RestProblem {
        ask(node, "POST", "/" + index + "/_refresh", "");
        return ask(node, "GET", "/" + index + "/_count", "").path("count").asLong(-1);
    }

    private List<String> sample(Endpoint node, String index) throws RestProblem {
        List<String> sample = new ArrayList<>();
        ask(
                        node,
                        "POST",
                        "/" + index + "/_search?_source=false",
                        "{\"size\":" + SAMPLE + ",\"query\":{\"function_score\":{\"random_score\":{}}}}")
                .at("/hits/hits")
                .forEach(hit -> sample.add(hit.path("_id").asText()));
        return sample;
    }

    private TreeMap<String, JsonNode> documents(Endpoint node, String index, List<String> ids) throws RestProblem {
        TreeMap<String, JsonNode> found = new TreeMap<>();
        if (ids.isEmpty()) {
            return found;
        }
        String body = JSON.createObjectNode().set("ids", JSON.valueToTree(ids)).toString();
        ask(node, "POST", "/" + index + "/_mget", body).path("docs").forEach(doc -> {
            if (doc.path("found").asBoolean()) {
                found.put(doc.path("_id").asText(), doc.path("_source"));
            }
        });
        return found;
    }

    private JsonNode ask(Endpoint node, String method, String path, String body) throws RestProblem {
        return rest.ask(node, method, path, body, System.nanoTime() + REQUEST_NANOS);
    }
}
