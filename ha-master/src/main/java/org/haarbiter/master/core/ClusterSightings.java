package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * What the agents of one cluster's nodes say, made into what is said of the member. The agent beside the elected node speaks for all;
 * the others are heard where there is nobody elected: then the cluster has ended, or hangs, or elects. Confined to the arbiter's
 * thread.
 */
final class ClusterSightings {
    private record Said(Sighting sighting, long arrivedNanos) {}

    private final TreeMap<String, Said> nodes = new TreeMap<>();
    private String cluster = "";
    private String elected = "";
    private long term;

    /** What was last said for the whole cluster. */
    private @Nullable Sighting spoken;

    /** Nodes of the cluster as whoever spoke last knew them. */
    private TreeSet<String> known = new TreeSet<>();

    /**
     * The agent of a node has spoken.
     *
     * @param silenceNanos what was said longer ago than this tells nothing of now
     * @return what is known of the cluster by that; null where it changes nothing
     */
    @Nullable
    Sighting heard(Sighting sighting, long arrivedNanos, long silenceNanos) {
        ClusterNode node = Objects.requireNonNull(sighting.node(), "the member is one server");
        nodes.put(node.name(), new Said(sighting, arrivedNanos));
        boolean dead = sighting.state() == ServerState.DEAD;
        if (!dead && node.elected() && (node.term() >= term || !node.cluster().equals(cluster))) {
            elected = node.name();
            term = node.term();
            cluster = node.cluster();
            known = new TreeSet<>(node.nodes().keySet());
            spoken = sighting;
            return whole(sighting, sighting, sighting.state(), sighting.detail(), arrivedNanos - silenceNanos);
        }
        // Of what the cluster holds whoever spoke last knows most.
        Sighting whole = spoken == null ? sighting : spoken;
        TreeSet<String> all = new TreeSet<>(known);
        all.addAll(node.nodes().keySet());
        all.add(node.name());
        long since = arrivedNanos - silenceNanos;
        if (dead) {
            List<String> ends = new ArrayList<>();
            for (String name : all) {
                Said said = freshly(name, since);
                if (said == null || said.sighting().state() != ServerState.DEAD) {
                    return null;
                }
                ends.add(name + ": " + said.sighting().detail());
            }
            // One that was never seen to be part of the cluster tells nothing of the others.
            return node.nodes().isEmpty() && known.isEmpty()
                    ? null
                    : whole.ofCluster(
                            ServerState.DEAD,
                            (all.size() == 1 ? "its node has ended: " : "all " + all.size() + " nodes have ended: ")
                                    + String.join("; ", ends),
                            Set.of(),
                            whole.problems());
        }
        Said spoke = freshly(elected, since);
        boolean spoken = spoke != null && spoke.sighting().state() != ServerState.DEAD && speaks(spoke.sighting());
        return sighting.state() == ServerState.HUNG && !spoken
                ? whole(whole, sighting, ServerState.HUNG, node.name() + ": " + sighting.detail(), since)
                : null;
    }

    /** A node's agent was heard since then and says that the cluster is at work, whether or not somebody speaks for it. */
    boolean atWork(long sinceNanos) {
        return nodes.values().stream()
                .anyMatch(said -> said.arrivedNanos() >= sinceNanos
                        && (said.sighting().state() == ServerState.RUNNING
                                || said.sighting().state() == ServerState.REFUSING));
    }

    /** What the agents of the nodes say that were heard since then, a node each: for people, where nobody speaks for the cluster. */
    List<String> heardNodes(long sinceNanos) {
        List<String> sentences = new ArrayList<>();
        nodes.forEach((name, said) -> {
            if (said.arrivedNanos() >= sinceNanos) {
                sentences.add(name + " " + words(said.sighting()));
            }
        });
        return sentences;
    }

    private static String words(Sighting sighting) {
        return "is " + sighting.state().name().toLowerCase(Locale.ROOT)
                + (sighting.detail().isEmpty() ? "" : ": " + sighting.detail());
    }

    private Sighting whole(Sighting known, Sighting speaker, ServerState state, String detail, long sinceNanos) {
        return known.ofCluster(state, detail, unserving(known, sinceNanos), problems(speaker, sinceNanos));
    }

    /**
     * Nodes that the cluster may count in for a while yet (Elasticsearch takes half a minute to miss one that hangs), while clients would
     * wait for them in vain. None where it would be all of them: then it makes no difference, and names must hold something.
     */
    private Set<String> unserving(Sighting known, long sinceNanos) {
        ClusterNode node = known.node();
        TreeSet<String> names = new TreeSet<>();
        nodes.forEach((name, said) -> {
            ServerState state = said.sighting().state();
            if (said.arrivedNanos() >= sinceNanos && (state == ServerState.HUNG || state == ServerState.DEAD)) {
                names.add(name);
            }
        });
        return node != null && names.containsAll(node.nodes().keySet()) ? Set.of() : names;
    }

    private static boolean speaks(Sighting sighting) {
        ClusterNode node = sighting.node();
        return node != null && node.elected();
    }

    private @Nullable Said freshly(String name, long sinceNanos) {
        Said said = nodes.get(name);
        return said != null && said.arrivedNanos() >= sinceNanos ? said : null;
    }

    /** Those of the one that speaks, and whatever is wrong with other nodes. */
    private List<String> problems(Sighting speaker, long sinceNanos) {
        List<String> problems = new ArrayList<>(speaker.problems());
        nodes.forEach((name, said) -> {
            Sighting other = said.sighting();
            if (other.agentName().equals(speaker.agentName())) {
                return;
            }
            if (said.arrivedNanos() < sinceNanos) {
                problems.add("nothing is heard of the agent of node " + name);
            } else if (other.state() != ServerState.RUNNING) {
                problems.add("node " + name + " " + words(other));
            }
        });
        return problems;
    }
}
