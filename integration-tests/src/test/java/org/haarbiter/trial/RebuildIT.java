package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An old primary comes back with a transaction that nobody else holds, and is rebuilt under load. */
@Tag("servers")
class RebuildIT {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int MEMBERS = 3;
    private static final String COUNT = "SELECT COUNT(*) FROM app.writes";

    @ParameterizedTest
    @EnumSource(
            value = ArenaPlan.Engine.class,
            names = {"MARIADB", "MYSQL"})
    void aPartedOldPrimaryIsRebuiltAndWhatOnlyItHeldIsSaved(ArenaPlan.Engine engine) throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-rebuild-");
        System.out.println(engine + ": evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(engine, work, false).withMembers(MEMBERS))) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            SqlServer old = arena.awaitSteady(LIMIT);
            // By name only: a client that tries every member would write to the old primary while it is open by hand.
            WriteLoad load = WriteLoad.start(
                    arena.byName(),
                    WriteLoad.Behaviour.of(4, 200).warming(arena.addresses()).on(arena.clients()));
            SqlServer fresh;
            try (load) {
                load.awaitAcknowledged(400, LIMIT);
                part(arena, old, engine);
                fresh = arena.awaitSteady(LIMIT);
                MemberView away = member(
                        arena.api()
                                .await(
                                        Arena.GROUP,
                                        "shows what only " + old.name() + " holds",
                                        LIMIT,
                                        g -> member(g, old).sealedEpoch() == g.epoch()
                                                && member(g, old).role().equals("away")),
                        old);
                assertThat(away.writable()).isFalse();

                Ended refused =
                        Hactl.ended(arena, "rebuild", Arena.GROUP, fresh.name(), "--yes", "--reason", "the wrong one");
                assertThat(refused.code()).as(refused.said()).isEqualTo(1);
                assertThat(refused.err()).contains("is the primary of group");

                long began = System.nanoTime();
                Ended ended = Hactl.ended(
                        arena, "rebuild", Arena.GROUP, old.name(), "--yes", "--reason", "its history has parted");
                System.out.printf(
                        "%s: rebuilt after %.1f s%n%s", engine, (System.nanoTime() - began) / 1e9, ended.said());
                assertThat(ended.code()).as(ended.said()).isZero();
                assertThat(ended.out()).contains(old.name() + " follows " + fresh.name());
                arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
                load.awaitAcknowledged(load.history().ids().size() + 200, LIMIT);
            }
            assertThat(load.verify(fresh)).as("acknowledged writes lost").isEmpty();
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            assertThat(old.askRoot("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME='surplus'"))
                    .isEqualTo("0");
            long end = System.nanoTime() + LIMIT.toNanos();
            while (!old.askRoot(COUNT).equals(fresh.askRoot(COUNT))) {
                assertThat(System.nanoTime()).as("ends with all rows").isLessThan(end);
                LockSupport.parkNanos(20_000_000);
            }
            theSurplusIsSaved(work, old);
            theLogTellsOfIt(arena, old);
        }
        Arena.deleteWorkDirectory(work);
    }

    /** Somebody writes to the old primary while its agent is away. */
    private static void part(Arena arena, SqlServer old, ArenaPlan.Engine engine) throws Exception {
        old.kill9();
        arena.api()
                .await(
                        Arena.GROUP,
                        "has another primary",
                        LIMIT,
                        g -> !g.primary().equals(old.name()) && g.phase().equals("steady"));
        arena.agent(old.name()).kill9();
        old.restart();
        old.awaitReady(LIMIT);
        if (engine == ArenaPlan.Engine.MYSQL) {
            old.asRoot("SET GLOBAL super_read_only=0", "SET GLOBAL offline_mode=0");
        }
        old.asRoot(
                "SET GLOBAL read_only=0",
                "CREATE TABLE app.surplus (id INT PRIMARY KEY, words VARCHAR(40))",
                "INSERT INTO app.surplus VALUES (1, 'nobody else has this row')",
                "SET GLOBAL read_only=1");
        arena.agent(old.name()).start();
    }

    private static MemberView member(GroupView group, SqlServer server) {
        return group.members().stream()
                .filter(m -> m.name().equals(server.name()))
                .findFirst()
                .orElseThrow();
    }

    private static void theSurplusIsSaved(Path work, SqlServer old) throws IOException {
        Path directory = work.resolve("agent-" + old.name()).resolve("state").resolve("surplus");
        List<Path> files;
        try (Stream<Path> found = Files.list(directory)) {
            files = found.toList();
        }
        assertThat(files).hasSize(1);
        assertThat(Files.readString(files.get(0))).contains("nobody else has this row");
    }

    private static void theLogTellsOfIt(Arena arena, SqlServer old) {
        assertThat(arena.api().events()).anySatisfy(event -> {
            assertThat(event.kind()).isEqualTo("rebuild-started");
            assertThat(event.text()).contains(old.name()).contains("its history has parted");
            assertThat(event.details()).containsKey("surplus").containsKey("surplus_acknowledged");
        });
        assertThat(arena.api().events()).anySatisfy(event -> {
            assertThat(event.kind()).isEqualTo("member-rejoined");
            assertThat(event.details().get("evidence")).contains("are saved in");
        });
    }
}
