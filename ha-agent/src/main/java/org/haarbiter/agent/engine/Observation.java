package org.haarbiter.agent.engine;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * One look at the server. The fields mean what the same fields of {@link org.haarbiter.words.Sighting} mean. Where the
 * state is not {@link ServerState#RUNNING}, the rest holds what was last known of the same instance.
 *
 * @param acknowledging as a replica it acknowledges what it receives, or would
 * @param rebuilding a {@link Engine#rebuild} began and hasn't succeeded: what the positions say is worth nothing, and the
 *     server may be empty. {@code problems} then begin with a sentence about it
 * @param priority as the server's own settings have it; 0 where they forbid its promotion
 * @param node the node beside this agent, where the member is a cluster; null where it is one server
 */
public record Observation(
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
        int acknowledgers,
        int acknowledgersRequired,
        boolean acknowledging,
        long waitingMillis,
        List<String> problems,
        boolean rebuilding,
        int priority,
        @Nullable ClusterNode node) {

    /** Of engines whose servers know of no priority. */
    public static final int USUAL_PRIORITY = 100;

    /** Copies the list. */
    public Observation {
        problems = List.copyOf(problems);
    }

    /** Of a server that isn't being rebuilt, and has no priority of its own. */
    public Observation(
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
            int acknowledgers,
            int acknowledgersRequired,
            boolean acknowledging,
            long waitingMillis,
            List<String> problems) {
        this(
                state,
                detail,
                instance,
                serverId,
                version,
                writable,
                source,
                receiving,
                applying,
                received,
                applied,
                lagMillis,
                sourceHeardMillis,
                acknowledgers,
                acknowledgersRequired,
                acknowledging,
                waitingMillis,
                problems,
                false,
                USUAL_PRIORITY,
                null);
    }

    /** Another agent, beside the node that its cluster has elected, speaks for the member and carries out what the masters want. */
    public boolean standsBy() {
        return node != null && !node.elected();
    }

    /** A server in this state of which nothing else is known. */
    public static Observation unseen(ServerState state, String detail, String instance) {
        return new Observation(
                state, detail, instance, "", "", false, null, false, false, "", "", -1, -1, -1, 0, false, -1,
                List.of());
    }

    /**
     * The same instance, of which only this is known now. A {@link ServerState#DEAD} one takes no writes and no replication any
     * more.
     *
     * @param heardMillis how long ago its replication heard the source; -1 where that isn't known
     */
    public Observation inState(ServerState now, String why, long heardMillis) {
        boolean ended = now == ServerState.DEAD;
        return with(now, why, writable && !ended, receiving && !ended, applying && !ended, heardMillis);
    }

    /** The same, but it takes no writes any more. */
    public Observation takingNoWrites() {
        return with(state, detail, false, receiving, applying, sourceHeardMillis);
    }

    private Observation with(
            ServerState otherState,
            String otherDetail,
            boolean otherWritable,
            boolean otherReceiving,
            boolean otherApplying,
            long heardMillis) {
        return new Observation(
                otherState,
                otherDetail,
                instance,
                serverId,
                version,
                otherWritable,
                source,
                otherReceiving,
                otherApplying,
                received,
                applied,
                lagMillis,
                heardMillis,
                acknowledgers,
                acknowledgersRequired,
                acknowledging,
                waitingMillis,
                problems,
                rebuilding,
                priority,
                node);
    }

    /**
     * The same, of a server whose data isn't whole.
     *
     * @param why a sentence for an operator, which goes first among the problems
     */
    public Observation whileRebuilding(String why) {
        List<String> all = new ArrayList<>(problems.size() + 1);
        all.add(why);
        all.addAll(problems);
        return new Observation(
                state,
                detail,
                instance,
                serverId,
                version,
                writable,
                source,
                receiving,
                applying,
                received,
                applied,
                lagMillis,
                sourceHeardMillis,
                acknowledgers,
                acknowledgersRequired,
                acknowledging,
                waitingMillis,
                all,
                true,
                priority,
                node);
    }
}
