package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.NetworkLab;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A real primary is struck under load: one open primary afterwards, no acknowledged write lost, never two servers that
 * acknowledge at once, DNS at the new primary, the switch on record. Needs root for the hosts that are cut off. MariaDB is killed in
 * {@link OwnDnsIT}.
 */
@Tag("servers")
class FailoverIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @ParameterizedTest
    @CsvSource({"MYSQL,KILL", "MYSQL,HANG", "MYSQL,PARTITION", "MARIADB,HANG", "MARIADB,PARTITION"})
    void theStruckPrimaryIsReplacedAndNothingIsLost(ArenaPlan.Engine engine, Fault fault)
            throws IOException, SQLException {
        boolean separateHosts = fault == Fault.PARTITION;
        if (separateHosts) {
            assertThat(NetworkLab.missing())
                    .as("why there can be no separate hosts here")
                    .isEmpty();
        }
        Path work = Arena.newWorkDirectory("ha-arbiter-it-");
        System.out.println(engine + " " + fault + ": evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(engine, work, separateHosts))) {
            FailoverTrial.Result result = FailoverTrial.run(arena, fault, FailoverTrial.Client.DNS, 200, 1);
            System.out.println(result);
            assertThat(result.lost()).as("acknowledged writes lost").isZero();
            assertThat(result.twoWritersMillis()).as("time with two writers").isZero();
            assertThat(result.to()).isNotEqualTo(result.from());
            theSwitchIsOnRecord(arena, result);
            theOldPrimaryTakesNoWrites(arena, result.from());
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void theSwitchIsOnRecord(Arena arena, FailoverTrial.Result result) throws IOException {
        SwitchView newest = arena.api().switches(Arena.GROUP).get(0);
        assertThat(newest.kind()).isEqualTo("failover");
        assertThat(newest.outcome()).isEqualTo("completed");
        assertThat(newest.from()).isEqualTo(result.from());
        assertThat(newest.to()).isEqualTo(result.to());
        assertThat(newest.proof()).contains("lossless");
        assertThat(newest.upTo()).isNotEmpty();
        assertThat(newest.phasesMillis())
                .containsKeys("start_committed", "sealed", "choice_committed", "promoted", "names");
        assertThat(arena.dns().lookUp(arena.writeName()))
                .as("address of %s", arena.writeName())
                .hasValue(arena.server(result.to()).address().host());
        assertThat(Files.readString(arena.plan().work().resolve("m1").resolve("switches.jsonl")))
                .contains("switch-started", "candidate-chosen", "switch-completed", "names-published");
    }

    /** Killed, or fenced: whatever the leader hears of it from now on, it isn't writable. */
    private static void theOldPrimaryTakesNoWrites(Arena arena, String old) {
        GroupView group = arena.api()
                .await(
                        Arena.GROUP,
                        "shows the old primary closed",
                        LIMIT,
                        g -> g.members().stream()
                                .anyMatch(m -> m.name().equals(old)
                                        && !m.writable()
                                        && !m.role().equals("primary")
                                        && m.openEpoch() == 0));
        assertThat(group.members().stream().filter(m -> m.openEpoch() == group.epoch()))
                .hasSize(1);
    }
}
