package org.haarbiter.words;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The node beside which an agent runs, where the member is a whole cluster of them, as Elasticsearch's. Each node has an agent,
 * and the one beside the node that the cluster has elected speaks for the member: by the cluster's own consensus there is one.
 *
 * @param name of the node, unique in its cluster
 * @param term in which its cluster has elected this node; 0 while it has elected another, or none
 * @param cluster identity of the cluster since all of its nodes were last down at once, opaque; empty while unknown. The masters take
 *     it for the member's instance
 * @param nodes the nodes that this one knows to be in the cluster, itself among them, by name, and where each serves clients
 * @param figures what the cluster's indices hold, a sentence each, for people only: nothing is decided by them. Empty where another
 *     node is elected
 */
public record ClusterNode(
        String name, long term, String cluster, SortedMap<String, Endpoint> nodes, List<String> figures) {
    /** Copies the collections. */
    public ClusterNode {
        nodes = Collections.unmodifiableSortedMap(new TreeMap<>(nodes));
        figures = List.copyOf(figures);
    }

    /** The same, of a cluster of which these nodes serve no clients. */
    public ClusterNode without(Set<String> names) {
        TreeMap<String, Endpoint> left = new TreeMap<>(nodes);
        left.keySet().removeAll(names);
        return new ClusterNode(name, term, cluster, left, figures);
    }

    /** Its agent speaks for the member. */
    public boolean elected() {
        return term > 0;
    }
}
