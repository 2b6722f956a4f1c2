package org.haarbiter.agent.engine;

import java.util.List;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * One look at the server. The fields mean what the same fields of {@link org.haarbiter.words.Sighting} mean. Where the
 * state is not {@link ServerState#RUNNING}, the rest holds what was last known of the same instance.
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
        List<String> problems) {

    /** Copies the list. */
    public Observation {
        problems = List.copyOf(problems);
    }

    /** A server in this state of which nothing else is known. */
    public static Observation unseen(ServerState state, String detail, String instance) {
        return new Observation(
                state, detail, instance, "", "", false, null, false, false, "", "", -1, -1, -1, 0, List.of());
    }

    /**
     * The same instance, of which only this is known now. A {@link ServerState#DEAD} one takes no writes and no replication any
     * more.
     *
     * @param heardMillis how long ago its replication heard the source; -1 where that isn't known
     */
    public Observation inState(ServerState now, String why, long heardMillis) {
        boolean ended = now == ServerState.DEAD;
        return new Observation(
                now,
                why,
                instance,
                serverId,
                version,
                writable && !ended,
                source,
                receiving && !ended,
                applying && !ended,
                received,
                applied,
                lagMillis,
                heardMillis,
                acknowledgers,
                acknowledgersRequired,
                problems);
    }
}
