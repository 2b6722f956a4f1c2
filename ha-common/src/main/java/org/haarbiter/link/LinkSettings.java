package org.haarbiter.link;

import org.haarbiter.settings.Timing;
import org.haarbiter.wire.WireLimits;

/**
 * Limits of the link.
 *
 * @param pingMillis an agent that has heard nothing of a master for so long asks whether it is there, in ms
 * @param deadMillis a master unheard for so long is given up and connected anew, in ms
 * @param connectMillis limit for a TCP connect and, again, for a TLS handshake, in ms
 * @param idleMillis a master closes a connection without a heartbeat for so long, in ms
 * @param maxConnections a master accepts at most so many agents
 * @param maxConnectionsPerAddress of one address
 * @param framesPerSecond an agent's connection isn't read for a moment where it sends more, after {@code framesAtOnce}
 * @param framesAtOnce as many may come without a pause: an agent has sent on while this process stood still
 */
public record LinkSettings(
        int pingMillis,
        int deadMillis,
        int connectMillis,
        int idleMillis,
        int maxConnections,
        int maxConnectionsPerAddress,
        int framesPerSecond,
        int framesAtOnce) {
    /** An agent sends at once what changes at its server, beside its heartbeats. */
    private static final int FRAMES_PER_HEARTBEAT = 10;

    /** A minute's heartbeats in the fast profile. */
    private static final int FRAMES_AT_ONCE = 1_000;

    /** Between the agents of a group: mostly silent, and looked at only so often that a dead connection is known. */
    public static LinkSettings amongPeers(Timing timing) {
        return new LinkSettings(
                4 * timing.silenceMillis(),
                12 * timing.silenceMillis(),
                Math.max(1500, timing.silenceMillis()),
                Math.max(60_000, 40 * timing.silenceMillis()),
                WireLimits.PEERS,
                WireLimits.PEERS / 2,
                framesPerSecond(timing),
                FRAMES_AT_ONCE);
    }

    /** What fits the timing. Nothing waits for a dead master to be noticed: the others hear every heartbeat, too. */
    public static LinkSettings of(Timing timing) {
        return new LinkSettings(
                // A few looks tell a dead master; each wakes the agent up.
                Math.max(timing.heartbeatMillis(), 2 * timing.silenceMillis() / 3),
                2 * timing.silenceMillis(),
                // One lost SYN is sent again after a second.
                Math.max(1500, timing.silenceMillis()),
                // Long: the silence is judged by the leader's rules. This only frees what nobody uses any more.
                Math.max(10_000, 3 * timing.silenceMillis()),
                10_000,
                2_000,
                framesPerSecond(timing),
                FRAMES_AT_ONCE);
    }

    private static int framesPerSecond(Timing timing) {
        return Math.max(50, FRAMES_PER_HEARTBEAT * 1_000 / timing.heartbeatMillis());
    }
}
