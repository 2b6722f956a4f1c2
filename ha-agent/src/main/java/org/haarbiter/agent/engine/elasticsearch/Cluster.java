package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A cluster's state as one of its nodes has it.
 *
 * @param uuid the cluster's identity, for ever
 * @param incarnation what an agent has written when the cluster had come up as a whole; empty where none has
 * @param elected the id of the elected node; empty while there is none
 * @param term of the newest election that the node knows
 * @param names of its nodes by id
 * @param readOnly it refuses every write, by order
 * @param recovered its metadata is there
 * @param flooded indices that take no writes since a disk has passed the flood-stage watermark
 * @param blocked indices that take no writes for another reason, and Elasticsearch's word for that
 */
record Cluster(
        String uuid,
        String incarnation,
        String elected,
        long term,
        TreeMap<String, String> names,
        boolean readOnly,
        boolean recovered,
        TreeSet<String> flooded,
        TreeMap<String, String> blocked) {

    /** The order that refuses every write, in {@code _cluster/settings}. */
    static final String READ_ONLY = "cluster.blocks.read_only";

    /** Set by an agent, and gone with the last node: see {@link #INITIAL_RECOVERIES}. */
    static final String INCARNATION = "cluster.metadata.ha_arbiter.incarnation";

    /**
     * With 0 of it in {@code elasticsearch.yml} no primary shard comes up before an agent has set more: that is how a cluster starts
     * fenced, since no setting of that file refuses writes.
     */
    static final String INITIAL_RECOVERIES = "cluster.routing.allocation.node_initial_primaries_recoveries";

    private static final String BLOCK_NOT_RECOVERED = "1";
    private static final String BLOCK_READ_ONLY = "6";
    private static final String BLOCK_FLOOD_STAGE = "12";

    /**
     * What to ask for: of the indices only this one, since the state of all may be large.
     *
     * @param index any
     */
    static String path(String index) {
        return "/_cluster/state/master_node,nodes,blocks,metadata/" + index
                + "?local=true&ignore_unavailable=true&filter_path=cluster_uuid,master_node,nodes.*.name,blocks.global,"
                + "blocks.indices.*.*.description,blocks.indices.*.*.levels,metadata.cluster_coordination.term";
    }

    /** And for this: the state doesn't tell settings. */
    static final String SETTINGS_PATH = "/_cluster/settings?local=true&flat_settings=true&filter_path=transient";

    /**
     * Reads the answers.
     *
     * @param settings null where the node doesn't tell them, as while there is no elected one
     * @param before what was known before; null for nothing
     */
    static Cluster of(JsonNode state, @Nullable JsonNode settings, @Nullable Cluster before) {
        String incarnation = settings == null
                ? before == null ? "" : before.incarnation()
                : settings.path("transient").path(INCARNATION).asText("");
        TreeMap<String, String> names = new TreeMap<>();
        state.path("nodes")
                .properties()
                .forEach(node ->
                        names.put(node.getKey(), node.getValue().path("name").asText()));
        JsonNode blocks = state.path("blocks").path("global");
        TreeSet<String> flooded = new TreeSet<>();
        TreeMap<String, String> blocked = new TreeMap<>();
        state.path("blocks")
                .path("indices")
                .properties()
                .forEach(index -> index.getValue().properties().forEach(block -> {
                    if (block.getKey().equals(BLOCK_FLOOD_STAGE)) {
                        flooded.add(index.getKey());
                    } else if (refusesWrites(block.getValue())) {
                        blocked.put(
                                index.getKey(),
                                block.getValue().path("description").asText(block.getKey()));
                    }
                }));
        String master = state.path("master_node").asText("");
        return new Cluster(
                state.path("cluster_uuid").asText(""),
                incarnation,
                master.equals("null") ? "" : master,
                state.path("metadata").path("cluster_coordination").path("term").asLong(0),
                names,
                blocks.has(BLOCK_READ_ONLY),
                !blocks.has(BLOCK_NOT_RECOVERED),
                flooded,
                blocked);
    }

    private static boolean refusesWrites(JsonNode block) {
        for (JsonNode level : block.path("levels")) {
            if (level.asText().equals("write")) {
                return true;
            }
        }
        return false;
    }

    /** The indices behind any of these aliases, from the answer to {@code _alias}. */
    static TreeSet<String> behind(List<String> names, JsonNode aliases) {
        TreeSet<String> indices = new TreeSet<>();
        aliases.properties().forEach(index -> {
            if (names.stream().anyMatch(name -> index.getValue().path("aliases").has(name))) {
                indices.add(index.getKey());
            }
        });
        return indices;
    }

    /** Which of these aliases let writes through, from the answer to {@code _alias}. */
    static TreeSet<String> open(JsonNode aliases) {
        TreeMap<String, List<Boolean>> flags = new TreeMap<>();
        TreeSet<String> open = new TreeSet<>();
        aliases.properties()
                .forEach(index -> index.getValue().path("aliases").properties().forEach(alias -> {
                    JsonNode flag = alias.getValue().path("is_write_index");
                    if (flag.asBoolean(false)) {
                        open.add(alias.getKey());
                    }
                    flags.computeIfAbsent(alias.getKey(), a -> new ArrayList<>())
                            .add(!flag.isMissingNode());
                }));
        // An alias of one index only, with nothing said, lets them through.
        flags.forEach((alias, said) -> {
            if (said.size() == 1 && !said.get(0)) {
                open.add(alias);
            }
        });
        return open;
    }
}
