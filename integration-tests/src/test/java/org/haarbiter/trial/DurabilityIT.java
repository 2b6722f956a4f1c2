package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.admin.GroupView;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a group promises, and what becomes of it when replicas are gone or somebody meddles, on real servers. */
@Tag("servers")
class DurabilityIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MEMBERS = 3;
    private static final int WRITES_PER_SECOND = 100;

    @ParameterizedTest
    @EnumSource(
            value = ArenaPlan.Engine.class,
            names = {"MARIADB", "MYSQL"})
    void theLogSaysBeforeCommitsWaitForFewer(ArenaPlan.Engine engine) throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-durability-");
        System.out.println(engine + ": evidence is kept in " + work + " if this fails");
        ArenaPlan plan =
                new ArenaPlan(engine, MEMBERS, work, false, 3, "fast", "lossless", "no-acknowledger-millis: 2000\n");
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            whatSomebodyChangedIsPutBack(arena, engine);
            writesWaitForAReplicaOrGoOnByPolicy(arena, engine);
            aBoundedGroupWaitsForNobodyAndIsLosslessAgain(arena);
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void whatSomebodyChangedIsPutBack(Arena arena, ArenaPlan.Engine engine) throws Exception {
        SqlServer primary = arena.awaitSteady(LIMIT);
        boolean mysql = engine == ArenaPlan.Engine.MYSQL;
        String setting = mysql ? "rpl_semi_sync_source_timeout" : "rpl_semi_sync_master_enabled";
        long before = events(arena, "acknowledgers-changed");
        primary.asRoot("SET GLOBAL " + setting + "=" + (mysql ? "1000" : "0"));
        await(
                "the log says that commits waited for fewer, and that they wait again",
                () -> events(arena, "acknowledgers-changed") >= before + 2);
        assertThat(texts(arena, "acknowledgers-changed"))
                .anyMatch(text -> text.contains("commits wait for 0 acknowledgements (before: 1)"));
        GroupView group = arena.api()
                .await(
                        Arena.GROUP,
                        "has commits wait again",
                        LIMIT,
                        g -> g.acknowledgers() == 1
                                && g.problems().stream().anyMatch(p -> p.contains("somebody made commits wait for 0")));
        assertThat(primary.askRoot("SELECT @@global." + setting))
                .as(group.problems().toString())
                .isEqualTo(mysql ? "4294967295" : "1");
        SqlServer replica = arena.group().servers().stream()
                .filter(server -> server != primary)
                .findFirst()
                .orElseThrow();
        String flag = mysql ? "rpl_semi_sync_replica_enabled" : "rpl_semi_sync_slave_enabled";
        replica.asRoot("SET GLOBAL " + flag + "=0");
        await("the replica acknowledges again", () -> {
            try {
                return replica.askRoot("SELECT @@global." + flag).equals("1");
            } catch (java.sql.SQLException e) {
                throw new AssertionError(e);
            }
        });
        arena.api()
                .await(
                        Arena.GROUP,
                        "tells of the replica that somebody meddled with",
                        LIMIT,
                        g -> g.problems().stream().anyMatch(p -> p.contains("somebody made this replica stop")));
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
    }

    private static void writesWaitForAReplicaOrGoOnByPolicy(Arena arena, ArenaPlan.Engine engine) throws Exception {
        SqlServer primary = arena.awaitSteady(LIMIT);
        List<SqlServer> replicas = arena.group().servers().stream()
                .filter(server -> server != primary)
                .toList();
        WriteLoad load = WriteLoad.start(
                arena.byName(),
                WriteLoad.Behaviour.of(4, WRITES_PER_SECOND)
                        .warming(arena.addresses())
                        .on(arena.clients()));
        try (load) {
            load.awaitAcknowledged(WRITES_PER_SECOND, LIMIT);
            replicas.forEach(SqlServer::kill9);
            arena.api()
                    .await(
                            Arena.GROUP,
                            "says that writes wait",
                            LIMIT,
                            g -> g.problems().stream()
                                    .anyMatch(p -> p.contains("writes of " + primary.name() + " wait")));
            String why = Hactl.ended(arena, "why", Arena.GROUP).out();
            assertThat(why).contains("ACKNOWLEDGERS_LOST");
            Ended ended = Hactl.ended(
                    arena,
                    "group",
                    "set",
                    Arena.GROUP,
                    "--on-no-acknowledger",
                    "degrade",
                    "--reason",
                    "the shop must go on");
            assertThat(ended.code()).as(ended.said()).isZero();
            assertThat(ended.out()).contains("lossless, on-no-acknowledger degrade (before: lossless");
            await("the log says that the group is degraded", () -> events(arena, "degraded") == 1);
            load.awaitAcknowledged(load.history().ids().size() + WRITES_PER_SECOND, LIMIT);

            long epoch =
                    arena.api().await(Arena.GROUP, "is there", LIMIT, g -> true).epoch();
            primary.kill9();
            arena.api()
                    .await(
                            Arena.GROUP,
                            "refuses an automatic switch that could lose writes",
                            LIMIT,
                            g -> g.problems().stream().anyMatch(p -> p.contains("no automatic switch")));
            for (SqlServer replica : replicas) {
                replica.restart();
            }
            for (SqlServer replica : replicas) {
                replica.awaitReady(LIMIT);
            }
            GroupView still = arena.api().await(Arena.GROUP, "is there", LIMIT, g -> true);
            assertThat(still.primary()).isEqualTo(primary.name());
            assertThat(still.epoch()).isEqualTo(epoch);
            primary.restart();
            primary.awaitReady(LIMIT);
            if (engine == ArenaPlan.Engine.MARIADB) {
                // What its recovery may have dropped, nobody else holds: a person decides.
                arena.api()
                        .await(
                                Arena.GROUP,
                                "waits for a person",
                                LIMIT,
                                g -> g.phaseDetail().contains("no proof that nothing is lost"));
                Ended accepted = Hactl.ended(
                        arena,
                        "promote",
                        Arena.GROUP,
                        primary.name(),
                        "--accept-data-loss",
                        "--yes",
                        "--reason",
                        "it is the newest there is");
                assertThat(accepted.code()).as(accepted.said()).isZero();
            }
            assertThat(arena.awaitSteady(LIMIT)).isSameAs(primary);
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            load.awaitAcknowledged(load.history().ids().size() + WRITES_PER_SECOND, LIMIT);
            arena.api().await(Arena.GROUP, "is lossless again", LIMIT, g -> g.acknowledgers() == 1);
        }
        assertThat(load.verify(primary)).as("acknowledged writes lost").isEmpty();
    }

    private static void aBoundedGroupWaitsForNobodyAndIsLosslessAgain(Arena arena) throws Exception {
        Ended refused = Hactl.ended(arena, "group", "set", Arena.GROUP, "--durability", "bounded", "--reason", "speed");
        assertThat(refused.code()).as(refused.said()).isEqualTo(1);
        assertThat(refused.err()).contains("durability bounded needs a limit");
        Ended tooShort = Hactl.ended(
                arena,
                "group",
                "set",
                Arena.GROUP,
                "--durability",
                "bounded",
                "--max-lag-millis",
                "100",
                "--reason",
                "speed");
        assertThat(tooShort.code()).as(tooShort.said()).isEqualTo(1);
        assertThat(tooShort.err()).contains("max-lag-millis is 100 (must be at least");
        set(arena, "bounded", "--max-lag-millis", "5000");
        arena.api()
                .await(
                        Arena.GROUP,
                        "waits for nobody",
                        LIMIT,
                        g -> g.durability().equals("bounded to 5000 ms") && g.acknowledgers() == 0);
        SqlServer old = arena.awaitSteady(LIMIT);
        old.kill9();
        arena.api()
                .await(
                        Arena.GROUP,
                        "has another primary",
                        LIMIT,
                        g -> !g.primary().equals(old.name()) && g.phase().equals("steady"));
        old.restart();
        set(arena, "lossless");
        arena.api().await(Arena.GROUP, "is lossless again", LIMIT, g -> g.acknowledgers() == 1);
    }

    private static void set(Arena arena, String durability, String... more) throws Exception {
        List<String> words = new java.util.ArrayList<>(
                List.of("group", "set", Arena.GROUP, "--durability", durability, "--reason", "a test"));
        words.addAll(List.of(more));
        Ended ended = Hactl.ended(arena, words.toArray(String[]::new));
        assertThat(ended.code()).as(ended.said()).isZero();
    }

    private static long events(Arena arena, String kind) {
        return texts(arena, kind).size();
    }

    private static List<String> texts(Arena arena, String kind) {
        return arena.api().events().stream()
                .filter(event -> event.kind().equals(kind))
                .map(org.haarbiter.admin.EventView::text)
                .toList();
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(20_000_000);
        }
    }
}
