package org.haarbiter.agent.engine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * One database server as its agent handles it. Every command is idempotent: asked for twice, it finds its work done.
 *
 * <p>Threads: {@link #observe} is called by one thread, the commands by another, and {@link #fence} by a third, at any
 * moment, also while a command is under way; it must not wait for that command. A command keeps to its time limit
 * within a few milliseconds and throws {@link EngineException} when it runs out; the goal stands, so it is asked again.
 */
public interface Engine extends AutoCloseable {

    /** What rules and agent may know of the engine without knowing its name; constant. */
    Traits traits();

    /**
     * Looks at the server. A condition of the server is an answer, not an exception: dead, hung, refusing, starting and
     * "can't tell" are {@link Observation#state()}s with a sentence.
     */
    Observation observe(Duration limit);

    /**
     * Has {@code listener} called at the first sign that the process ends, from any thread, within milliseconds and once
     * for each process. Called once, before the first {@link #observe}.
     */
    void onDeath(DeathListener listener);

    /**
     * Makes the server refuse every client's write, and end the clients that may wait for an acknowledgement. Climbs a
     * ladder: ask, cut the clients, kill the process; the last rung always works. When it returns, nothing more can be
     * acknowledged. It holds over a restart because servers are configured to start fenced.
     */
    void fence(Duration limit) throws EngineException;

    /**
     * Refuses new client writes but leaves replication to the replicas running: the first step of a planned switch.
     * Throws, with writes open again, where running statements don't let it happen in time.
     *
     * @return what the command itself saw of the server after it had refused them, the final position among it: all clients
     *     wait for whoever waits for that; null where only a look can tell
     */
    @Nullable
    Observation drain(Duration limit) throws EngineException;

    /**
     * Stops receiving from, and acknowledging to, any source; what was received goes on being applied. Of a server that was a
     * primary, ends the commits that still wait for acknowledgements, if need be by killing it. When it returns, the position
     * that {@link #observe} reports is final.
     *
     * @return what the command itself saw of the server after it had stopped the input: it spares whoever waits for the
     *     position a look; null where only a look can tell
     */
    @Nullable
    Observation seal(Duration limit) throws EngineException;

    /**
     * Applies everything up to {@code promotion.upTo()}, then opens writes.
     *
     * @param permitted asked immediately before writes open; where it says no, they stay closed and this throws
     */
    void promote(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException;

    /** Does what promotion left for after the opening: forgets the old source, enables events and the like. */
    void settle(Duration limit) throws EngineException;

    /** Refuses client writes, allows reads, and follows the source. */
    void follow(Following following, Duration limit) throws EngineException;

    /**
     * Sets how many acknowledgements each commit of this open primary waits for, without time limit; 0 for none.
     *
     * @param before how many they were last seen to wait for; where it is another number now, somebody else has changed it: this
     *     throws and changes nothing, so that a look can tell of it first
     */
    void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException;

    /**
     * Saves the transactions that this server holds and the primary lacks, before anything overwrites them. For a fenced and
     * sealed server that runs. Asked for twice, it finds the same file.
     *
     * @param primaryPosition what the primary holds, in the engine's own form
     * @param directory where the file goes; made where it is missing, for its owner only
     * @return what was saved, durably; null where the primary lacks nothing
     * @throws EngineException where it can't be done as a whole: the server takes writes or still receives, a part isn't
     *     applied yet, binary logs were purged, the program that reads them is missing, or the limit has passed. There is no
     *     file then
     */
    @Nullable
    Surplus keepSurplus(String primaryPosition, Path directory, Duration limit) throws EngineException;

    /**
     * Replaces all data of this server by a copy of the donor's. What this server held is gone: {@link #keepSurplus} comes first.
     * When it returns, the server is fenced as {@link #fence} leaves it, follows nobody, has kept its own identity, and its
     * position is the donor's at the copy's end; {@link #follow} makes it a replica.
     *
     * <p>The caller sees to it beforehand that the server is fenced, that no master counts it as electable or as one that
     * acknowledges, and that the donor runs and keeps running. It may take hours and ends the server's process at least once:
     * it needs a thread of its own, beside which {@link #observe} goes on and {@link #fence} may be called; every other command
     * is refused meanwhile.
     *
     * <p>Before anything is destroyed a marker is written to the agent's state directory, and it is removed only after success.
     * While it is there, also after a failure and after restarts of agent and server, {@link Observation#rebuilding()} is true,
     * and {@link #promote}, {@link #drain}, {@link #seal} and {@link #follow} are refused: the server may be empty and healthy.
     * The caller must not report its history as complete, and asks for a rebuild again; a copy that was completed in the
     * meantime is recognised.
     *
     * @param donor a healthy server of the same group, as its clients reach it
     * @param progress told from the calling thread, about twice a second
     * @throws EngineException where it failed; the message says whether the data is as before (then there is no marker)
     */
    void rebuild(Endpoint donor, Progress progress, Duration limit) throws EngineException;

    /** Ends threads and connections; leaves the server as it is. */
    @Override
    void close();
}
