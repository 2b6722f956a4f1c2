package org.haarbiter.words;

/**
 * The leader's message to an agent. Followers send none. The leader sends it only after a quorum has confirmed that it
 * still leads, and the confirmation began after the named heartbeat had arrived.
 *
 * @param session the agent's session that is answered
 * @param sequence the newest heartbeat that had arrived before the confirmation began; leases count from its send time
 * @param goal the whole wish
 */
public record Answer(long session, long sequence, Goal goal) {}
