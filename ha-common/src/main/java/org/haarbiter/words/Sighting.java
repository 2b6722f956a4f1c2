package org.haarbiter.words;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an agent last said of its server.
 *
 * @param group the group the member belongs to, from the agent's settings
 * @param member the member's name, unique in its group
 * @param site the data centre
 * @param engine the engine's name, for people only
 * @param positionKind how {@code received} and {@code applied} are compared
 * @param address where clients and replicas reach the server
 * @param state what the agent can tell of the process
 * @param detail one sentence with the evidence for the state; empty while all is well
 * @param instance identity of the server process (boot, pid, start time), opaque; empty while unknown. Another value
 *     means that the server was restarted in between
 * @param serverId the server's own lasting identity (MySQL server_uuid, MariaDB server_id); empty while unknown
 * @param version the server's version as it says it
 * @param writable a client's write would be accepted now
 * @param source whom the server is configured to follow; null where nobody
 * @param receiving its input from the source is connected and running
 * @param applying what was received is being applied without error
 * @param received everything the server holds, received or applied; in the engine's own form
 * @param applied everything it has applied
 * @param lagMillis how far behind it is, in ms; -1 where unknown
 * @param sourceHeardMillis how long ago the source was last heard through replication, in ms; -1 where unknown
 * @param acceptedTerm the master term of the newest goal that was accepted; 0 before the first
 * @param acceptedEpoch the epoch of the newest goal that was accepted; 0 before the first
 * @param sealedEpoch the server's input has been cut since the goal with this epoch; 0 while it isn't sealed
 * @param fencedEpoch the server has been refusing all client writes since the goal with this epoch; 0 while it isn't fenced
 * @param openEpoch the agent opened writes under this epoch and they are open; 0 otherwise
 * @param acknowledgers replicas that acknowledge commits now; -1 where the engine has no such thing
 * @param acknowledgersRequired how many acknowledgements a commit waits for without time limit; 0 where it doesn't wait
 * @param waitingMillis for how long commits have waited for acknowledgements without one going through, in ms; 0 while none waits,
 *     -1 where that isn't known
 * @param historyComplete everything this server ever acknowledged is in {@code received}; false after a restart that may
 *     have dropped it, until it has caught up
 * @param priority among members that hold the same, who is promoted first: the lowest number, usually 100; 0 where settings forbid its
 *     promotion by itself
 * @param peering permissions among the agents of the group
 * @param rebuilding its data isn't whole, and its positions mean nothing: a copy of another server's is being put in its place
 * @param surplus transactions that only this server held and that its agent has saved, as a sentence; empty for none
 * @param guard what a service manager does when the agent ends or stands still
 * @param node the node that the agent is beside, where the member is a cluster of several; null where it is one server. What is said
 *     of the server is said of the cluster then, as this node sees it, but for a {@code state} of dead, hung or starting and the
 *     {@code instance}, which are the node's own
 * @param problems sentences for an operator, each with what to do; shown by {@code hactl status}
 */
public record Sighting(
        String group,
        String member,
        String site,
        String engine,
        PositionKind positionKind,
        Endpoint address,
        ServerState state,
        String detail,
        String instance,
        String serverId,
        String version,
        boolean writable,
        @Nullable Endpoint source,
        boolean receiving,
        boolean applying,
        String received,
        String applied,
        long lagMillis,
        long sourceHeardMillis,
        long acceptedTerm,
        long acceptedEpoch,
        long sealedEpoch,
        long fencedEpoch,
        long openEpoch,
        int acknowledgers,
        int acknowledgersRequired,
        long waitingMillis,
        boolean historyComplete,
        int priority,
        Peering peering,
        boolean rebuilding,
        String surplus,
        Guard guard,
        @Nullable ClusterNode node,
        List<String> problems) {

    /** Copies the list. */
    public Sighting {
        problems = List.copyOf(problems);
    }

    /** Settings allow its promotion by itself. */
    public boolean electable() {
        return priority > 0;
    }

    /** The agent's name among all agents of its group: the member's, and of a cluster the node's too. */
    public String agentName() {
        return node == null ? member : member + "/" + node.name();
    }

    /** The same with other problems. */
    public Sighting withProblems(List<String> others) {
        return with(state, detail, instance, guard, node, others);
    }

    /** The same with another guard. */
    public Sighting withGuard(Guard other) {
        return with(state, detail, instance, other, node, problems);
    }

    /**
     * What is known of a whole cluster by what one node's agent said.
     *
     * @param now the cluster's state
     * @param why one sentence with the evidence; may be empty
     * @param unserving nodes that serve no clients, though the cluster may still count them in
     * @param others sentences for an operator
     * @throws IllegalStateException where the member is one server
     */
    public Sighting ofCluster(ServerState now, String why, Set<String> unserving, List<String> others) {
        if (node == null) {
            throw new IllegalStateException("member " + member + " is one server, not a cluster");
        }
        return with(now, why, node.cluster(), guard, node.without(unserving), others);
    }

    private Sighting with(
            ServerState otherState,
            String otherDetail,
            String otherInstance,
            Guard otherGuard,
            @Nullable ClusterNode otherNode,
            List<String> others) {
        return new Sighting(
                group,
                member,
                site,
                engine,
                positionKind,
                address,
                otherState,
                otherDetail,
                otherInstance,
                serverId,
                version,
                writable && otherState != ServerState.DEAD,
                source,
                receiving && otherState != ServerState.DEAD,
                applying,
                received,
                applied,
                lagMillis,
                sourceHeardMillis,
                acceptedTerm,
                acceptedEpoch,
                sealedEpoch,
                fencedEpoch,
                otherState == ServerState.DEAD ? 0 : openEpoch,
                acknowledgers,
                acknowledgersRequired,
                waitingMillis,
                historyComplete,
                priority,
                peering,
                rebuilding,
                surplus,
                otherGuard,
                otherNode,
                others);
    }
}
