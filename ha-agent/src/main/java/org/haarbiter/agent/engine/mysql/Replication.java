package org.haarbiter.agent.engine.mysql;

import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.jspecify.annotations.Nullable;

/**
 * What the server says of its part in replication. Unlike {@link Probe} it takes locks: it may be missing while the
 * server still answers.
 *
 * @param source whom it is configured to follow; null where nobody
 * @param input the thread that receives: running, trying, or stopped
 * @param inputErrno the error that stopped or delays it; 0 for none
 * @param applier the thread that applies runs
 * @param applierErrno the error that stopped it; 0 for none
 * @param received everything held, received or applied
 * @param inputs changes whenever something was heard from the source
 * @param acknowledging this server acknowledges what it receives, once its input runs
 * @param sourceSide commits here wait for acknowledgements, or would
 * @param acknowledgers replicas that acknowledge now; -1 where the plugin is missing
 * @param acknowledgersRequired how many a commit waits for without limit
 * @param waiting commits that wait for an acknowledgement now
 * @param acknowledged commits that have gone through with one, since the start
 * @param connections clients connected now
 * @param connectionsLimit the most that may be
 * @param refusedConnections how many have been turned away since the start
 */
record Replication(
        @Nullable Endpoint source,
        Input input,
        int inputErrno,
        String inputError,
        boolean applier,
        int applierErrno,
        String applierError,
        Position received,
        String inputs,
        boolean acknowledging,
        boolean sourceSide,
        int acknowledgers,
        int acknowledgersRequired,
        long waiting,
        long acknowledged,
        long connections,
        long connectionsLimit,
        long refusedConnections) {

    /** The thread that receives. */
    enum Input {
        STOPPED,
        TRYING,
        RUNNING
    }

    /** What was received is being applied without error; also where there is nobody to receive from. */
    boolean applying() {
        return source == null || (applier && applierErrno == 0);
    }
}
