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
}
