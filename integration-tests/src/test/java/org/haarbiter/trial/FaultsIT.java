package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import org.haarbiter.lab.NetworkLab;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Some of the stories that {@code scripts/bench.sh faults} plays: with clients on both sides of a cut, cuts of one direction,
 * and a frozen agent. Needs root for its hosts.
 */
@Tag("servers")
class FaultsIT {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @ParameterizedTest
    @CsvSource({
        "MYSQL, cut-site stop-agent",
        "MARIADB, cut-primary primary-mute primary-deaf",
        "REDIS, stop-primary cut-primary kill-primary-while-copying restart-primary-empty kill-primary-and-replica kill-leader-and-primary"
    })
    void theGroupIsWholeAfterwardsAndNoClientSawWhatMustNotBe(ArenaPlan.Engine engine, String stories)
            throws IOException, SQLException {
        assertThat(NetworkLab.missing())
                .as("why there can be no separate hosts here")
                .isEmpty();
        Path work = Arena.newWorkDirectory("ha-arbiter-faults-");
        System.out.println("evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(FaultsBench.plan(engine, work, "fast"))) {
            arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), LIMIT);
            long firstNumber = SiteClients.NUMBERS;
            for (String name : stories.split(" ", -1)) {
                FaultRound.Result result =
                        FaultRound.play(arena, Stories.named(name), new Random(firstNumber), firstNumber);
                System.out.println(result.line());
                assertThat(result.broken())
                        .as("what broke in %s: %s", name, result)
                        .isEmpty();
                firstNumber += SiteClients.NUMBERS;
            }
        }
        Arena.deleteWorkDirectory(work);
    }
}
