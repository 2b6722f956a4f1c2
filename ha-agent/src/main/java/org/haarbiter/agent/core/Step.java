package org.haarbiter.agent.core;

import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.words.Endpoint;

/** One command to the engine. Each is safe to give twice. */
public sealed interface Step {

    /** The epoch of the goal that asks for it. */
    long epoch();

    /** See {@link org.haarbiter.agent.engine.Engine#fence}. May be given while another step is under way. */
    record Fence(long epoch, String why) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#drain}. */
    record Drain(long epoch) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#seal}. */
    record Seal(long epoch) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#promote}. */
    record Promote(long epoch, Promotion promotion) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#settle}. */
    record Settle(long epoch) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#follow}. */
    record Follow(long epoch, Following following) implements Step {}

    /**
     * See {@link org.haarbiter.agent.engine.Engine#rebuild}, before which the surplus is kept. Takes long; only fences may be given
     * meanwhile.
     *
     * @param primaryPosition what the primary holds: what this server holds beyond that is its surplus
     * @param surplus it may have one; false where an earlier copy was interrupted, and nothing of its own is left
     */
    record Rebuild(long epoch, Endpoint donor, String primaryPosition, boolean surplus) implements Step {}

    /** See {@link org.haarbiter.agent.engine.Engine#requireAcknowledgers}. */
    record RequireAcknowledgers(long epoch, int before, int acknowledgers) implements Step {}
}
