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
 */
public record LinkSettings(int pingMillis, int deadMillis, int connectMillis, int idleMillis, int maxConnections) {

    /** Between the agents of a group: mostly silent, and looked at only so often that a dead connection is known. */
    public static LinkSettings amongPeers(Timing timing) {
        return new LinkSettings(
                4 * timing.silenceMillis(),
                12 * timing.silenceMillis(),
                Math.max(1500, timing.silenceMillis()),
                Math.max(60_000, 40 * timing.silenceMillis()),
                WireLimits.PEERS);
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
                10_000);
    }
}
