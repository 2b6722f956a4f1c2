package org.haarbiter.agent.engine.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SourceClockTest {
    private static final long SECOND = 1_000_000_000;

    private final SourceClock clock = new SourceClock();

    private static ServerInfo replica(boolean up, long offset, int lastIoSeconds) {
        return ServerInfo.parse("role:slave\nmaster_host:10.0.1.21\nmaster_port:6379\nmaster_link_status:"
                + (up ? "up" : "down") + "\nmaster_last_io_seconds_ago:" + lastIoSeconds
                + "\nmaster_repl_offset:" + offset + "\nslave_repl_offset:" + offset + "\n");
    }

    @Test
    void theFirstLookTellsWhatTheServerSaysAndLaterOnesAreFiner() {
        clock.saw(replica(false, 10, -1), 100 * SECOND);
        assertThat(clock.heardMillis(100 * SECOND)).isEqualTo(-1);
        clock.saw(replica(true, 10, 2), 101 * SECOND);
        assertThat(clock.heardMillis(101 * SECOND)).isEqualTo(2_000);
        clock.saw(replica(true, 24, 0), 101 * SECOND + SECOND / 4);
        assertThat(clock.heardMillis(101 * SECOND + SECOND / 2)).isEqualTo(250);
    }

    @Test
    void aLinkThatIsDownGoesOnGettingOlder() {
        clock.saw(replica(true, 10, 0), 100 * SECOND);
        clock.saw(replica(false, 10, -1), 103 * SECOND);
        assertThat(clock.heardMillis(103 * SECOND)).isEqualTo(3_000);
    }

    @Test
    void aSourceThatIsHeardWithoutSendingDataDoesNotGetOld() {
        clock.saw(replica(true, 10, 0), 100 * SECOND);
        clock.saw(replica(true, 10, 1), 109 * SECOND);
        assertThat(clock.heardMillis(109 * SECOND)).isEqualTo(2_000);
    }
}
