package org.haarbiter.agent.engine.mysql;

import static org.assertj.core.api.Assertions.assertThat;

import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ReplicationClockTest {
    private static final Endpoint ONE = new Endpoint("127.0.0.1", 3306);
    private static final Endpoint TWO = new Endpoint("127.0.0.2", 3306);

    private final ReplicationClock clock = new ReplicationClock();

    private void at(long millis, @Nullable Endpoint source, String received, String applied, int beats) {
        clock.saw(
                new Replication(
                        source,
                        Replication.Input.RUNNING,
                        0,
                        "",
                        true,
                        0,
                        "",
                        position(received),
                        "beats " + beats,
                        false,
                        false,
                        0,
                        0,
                        0,
                        0,
                        1,
                        100,
                        0),
                position(applied),
                millis * 1_000_000);
    }

    private static Position position(String text) {
        return PositionKind.MARIADB_GTID.parse(text);
    }

    private long heard(long millis) {
        return clock.heardMillis(millis * 1_000_000);
    }

    private long lag(long millis) {
        return clock.lagMillis(millis * 1_000_000);
    }

    @Test
    void aSourceIsHeardWhenAHeartbeatOrATransactionComes() {
        at(100, ONE, "0-1-1", "0-1-1", 1);
        assertThat(heard(150)).isEqualTo(-1);
        at(200, ONE, "0-1-1", "0-1-1", 2);
        at(300, ONE, "0-1-1", "0-1-1", 2);
        assertThat(heard(350)).isEqualTo(150);
        at(400, ONE, "0-1-2", "0-1-1", 2);
        assertThat(heard(450)).isEqualTo(50);
    }

    @Test
    void ofANewSourceNothingHasBeenHeard() {
        at(100, ONE, "0-1-1", "0-1-1", 1);
        at(200, ONE, "0-1-2", "0-1-2", 2);
        at(300, TWO, "0-1-2", "0-1-2", 3);
        assertThat(heard(300)).isEqualTo(-1);
    }

    @Test
    void lagIsTheAgeOfTheOldestThatIsNotApplied() {
        at(100, ONE, "0-1-5", "0-1-5", 1);
        assertThat(lag(150)).isZero();
        at(200, ONE, "0-1-9", "0-1-5", 1);
        at(300, ONE, "0-1-20", "0-1-7", 1);
        assertThat(lag(400)).isEqualTo(200);
        at(500, ONE, "0-1-20", "0-1-12", 1);
        assertThat(lag(500)).isEqualTo(200);
        at(600, ONE, "0-1-20", "0-1-20", 1);
        assertThat(lag(600)).isZero();
    }
}
