package org.haarbiter.agent.engine;

import java.time.Duration;
import java.util.function.BooleanSupplier;
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
     */
    void drain(Duration limit) throws EngineException;

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

    /** Sets how many acknowledgements each commit of this open primary waits for, without time limit; 0 for none. */
    void requireAcknowledgers(int acknowledgers, Duration limit) throws EngineException;

    /** Ends threads and connections; leaves the server as it is. */
    @Override
    void close();
}
