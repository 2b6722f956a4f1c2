package org.haarbiter.link;

import org.haarbiter.settings.Section;
import org.haarbiter.settings.Timing;

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

    /** What fits the timing: a dead master is noticed as fast as a silent agent. */
    public static LinkSettings of(Timing timing) {
        return new LinkSettings(
                // A few looks tell a dead master; each wakes the agent up.
                Math.max(timing.heartbeatMillis(), timing.silenceMillis() / 3),
                timing.silenceMillis(),
                // One lost SYN is sent again after a second.
                Math.max(1500, timing.silenceMillis()),
                // Long: the silence is judged by the leader's rules. This only frees what nobody uses any more.
                Math.max(10_000, 3 * timing.silenceMillis()),
                10_000);
    }

    /** Reads what overrides {@link #of}, and checks the relations. */
    public static LinkSettings read(Section section, Timing timing) {
        LinkSettings base = of(timing);
        LinkSettings settings = new LinkSettings(
                section.intAt("ping-millis", base.pingMillis, 10, 60_000),
                section.intAt("dead-millis", base.deadMillis, 30, 600_000),
                section.intAt("connect-millis", base.connectMillis, 100, 60_000),
                section.intAt("idle-millis", base.idleMillis, 1000, 3_600_000),
                section.intAt("max-connections", base.maxConnections, 1, 100_000));
        section.check(
                settings.deadMillis >= 3 * settings.pingMillis,
                "dead-millis",
                settings.deadMillis,
                "must be at least 3 x ping-millis = " + 3 * settings.pingMillis);
        section.check(
                settings.idleMillis >= 4 * timing.heartbeatMillis(),
                "idle-millis",
                settings.idleMillis,
                "must be at least 4 x heartbeat-millis = " + 4 * timing.heartbeatMillis());
        return settings;
    }
}
