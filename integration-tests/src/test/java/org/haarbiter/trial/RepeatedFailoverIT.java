package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.haarbiter.admin.GroupView;
import org.haarbiter.lab.SqlServer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A group that has failed over waits before it does so again, and a person ends the wait, on real servers. */
@Tag("servers")
class RepeatedFailoverIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MEMBERS = 4;

    @Test
    void theNextFailoverWaitsUntilItIsAcknowledged() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-repeated-");
        System.out.println("evidence is kept in " + work + " if this fails");
        ArenaPlan plan = new ArenaPlan(
                ArenaPlan.Engine.MARIADB,
                MEMBERS,
                work,
                false,
                3,
                "fast",
                "lossless",
                "repeated-failover: {block-millis: 600000}\n");
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            GroupView before = arena.api().await(Arena.GROUP, "is there", LIMIT, g -> true);
            Ended early = ack(arena);
            assertThat(early.code()).isEqualTo(1);
            assertThat(early.said()).contains("no failover that isn't acknowledged");

            arena.awaitSteady(LIMIT).kill9();
            GroupView second = arena.api()
                    .await(
                            Arena.GROUP,
                            "has failed over",
                            LIMIT,
                            g -> g.phase().equals("steady") && g.epoch() == before.epoch() + 1);
            assertThat(Hactl.ended(arena, "why", Arena.GROUP).out())
                    .contains("not again yet: the group has failed over");

            SqlServer next = arena.group().servers().stream()
                    .filter(server -> server.name().equals(second.primary()))
                    .findFirst()
                    .orElseThrow();
            next.kill9();
            GroupView waiting = arena.api()
                    .await(
                            Arena.GROUP,
                            "waits before it fails over again",
                            LIMIT,
                            g -> g.problems().stream().anyMatch(p -> p.contains("hactl ack " + Arena.GROUP)));
            assertThat(waiting.epoch()).isEqualTo(second.epoch());
            assertThat(waiting.state()).isEqualTo("down");

            Ended acknowledged = ack(arena);
            assertThat(acknowledged.code()).as(acknowledged.said()).isZero();
            GroupView third = arena.api()
                    .await(
                            Arena.GROUP,
                            "has failed over again",
                            LIMIT,
                            g -> g.phase().equals("steady") && g.epoch() == second.epoch() + 1);
            assertThat(third.primary()).isNotIn(before.primary(), second.primary());
        }
        Arena.deleteWorkDirectory(work);
    }

    private static Ended ack(Arena arena) throws Exception {
        return Hactl.ended(arena, "ack", Arena.GROUP, "--reason", "seen, the hosts are looked at");
    }
}
