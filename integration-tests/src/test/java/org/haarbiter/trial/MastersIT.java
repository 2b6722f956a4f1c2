package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Masters are killed and frozen beside a real group that takes writes: the group never switches on their account, and
 * switches when it must. One arena for all.
 */
@Tag("servers")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MastersIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int RATE = 200;
    private static final int MEMBERS = 3;

    private static Arena arena;
    private static Path work;
    private static boolean failed;
    private static long firstId = 1;

    private boolean done;

    @BeforeAll
    static void openTheArena() throws IOException, SQLException {
        work = Arena.newWorkDirectory("ha-arbiter-masters-");
        System.out.println("evidence is kept in " + work + " if this fails");
        arena = Arena.open(new ArenaPlan(ArenaPlan.Engine.MARIADB, MEMBERS, work, false, 3, "fast", "lossless"));
    }

    @AfterAll
    static void closeTheArena() throws IOException {
        if (arena != null) {
            arena.close();
            if (!failed) {
                delete(work);
            }
        }
    }

    @BeforeEach
    void everythingIsWell(TestInfo test) {
        done = false;
        System.out.println(test.getDisplayName());
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
    }

    @AfterEach
    void remember() {
        failed |= !done;
    }

    @Test
    @Order(1)
    void aKilledLeaderIsReplacedWithoutASwitchAndCatchesUp() throws IOException, SQLException {
        DatabaseServer primary = arena.awaitSteady(LIMIT);
        GroupView before = group();
        int switches = switches().size();
        String leader = arena.awaitLeader(LIMIT);
        WriteLoad load = load();
        try (load) {
            load.awaitAcknowledged(2 * RATE, LIMIT);
            long killed = System.nanoTime();
            arena.master(leader).kill9();
            String next = awaitOtherLeader(leader);
            System.out.printf(
                    "leader %s killed, %s leads as the admin API says after %.0f ms%n",
                    leader, next, (System.nanoTime() - killed) / 1e6);
            // Four times the lease: whoever would have fenced itself for the lack of a leader has done so.
            load.awaitAcknowledged(load.history().ids().size() + 4 * RATE, LIMIT);
            WriteHistory after = load.history().between(killed, System.nanoTime());
            System.out.printf("longest silence %.0f ms%n", after.longestSilenceMillis());
            assertThat(after.longestSilenceMillis())
                    .as("ms without an acknowledged write; the lease has 1000")
                    .isLessThan(1_000);
            assertThat(after.acknowledgements())
                    .allSatisfy(a -> assertThat(a.server()).isEqualTo(primary.address()));
            arena.master(leader).start();
            awaitCaughtUp(leader);
        }
        assertThat(load.verify(primary)).as("acknowledged writes lost").isEmpty();
        assertNoSwitch(before, switches);
        done = true;
    }

    @Test
    @Order(2)
    void aFrozenFollowerHarmsNothingWhenItWakes() throws IOException {
        GroupView before = group();
        int switches = switches().size();
        StatusView status = status();
        String follower = arena.masterNames().stream()
                .filter(m -> !m.equals(status.leader()))
                .findFirst()
                .orElseThrow();
        arena.master(follower).freeze();
        // Longer than several election timeouts, so that it wakes with all its timers past.
        awaitStatus("is 3 s older", LIMIT, olderBy(3_000));
        arena.master(follower).thaw();
        awaitCaughtUp(follower);
        StatusView after = status();
        assertThat(after.leader()).isEqualTo(status.leader());
        assertThat(after.term()).as("term").isEqualTo(status.term());
        assertNoSwitch(before, switches);
        done = true;
    }

    @Test
    @Order(3)
    void theLeaderAndThePrimaryDieTogether() throws IOException, SQLException {
        DatabaseServer old = arena.awaitSteady(LIMIT);
        GroupView before = group();
        String leader = arena.awaitLeader(LIMIT);
        WriteLoad load = load();
        DatabaseServer fresh;
        try (load) {
            load.awaitAcknowledged(2 * RATE, LIMIT);
            long struck = System.nanoTime();
            arena.master(leader).kill9();
            old.kill9();
            WriteHistory.Outage outage = load.awaitOutageEnd(struck, old.address(), LIMIT);
            System.out.printf("both killed: outage %.0f ms%n", outage.silenceMillis());
            load.awaitAcknowledged(load.history().ids().size() + RATE, LIMIT);
            fresh = arena.group().at(outage.newServer());
        }
        arena.api().awaitPublished(Arena.GROUP, LIMIT);
        assertThat(load.verify(fresh)).as("acknowledged writes lost").isEmpty();
        assertThat(load.history().provenTwoWritersMillis()).isZero();
        GroupView group = group();
        assertThat(group.epoch()).isEqualTo(before.epoch() + 1);
        assertThat(group.primary()).isEqualTo(fresh.name()).isNotEqualTo(old.name());
        assertThat(group.members().stream().filter(m -> m.writable())).hasSize(1);
        arena.master(leader).start();
        awaitCaughtUp(leader);
        old.restart();
        old.awaitReady(LIMIT);
        done = true;
    }

    @Test
    @Order(4)
    void allMastersAreKilledAndComeBackToTheSameEpoch() throws IOException {
        GroupView before = group();
        int switches = switches().size();
        for (String master : arena.masterNames()) {
            arena.master(master).kill9();
        }
        for (String master : arena.masterNames()) {
            arena.master(master).awaitEnd(LIMIT);
            arena.master(master).start();
        }
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
        for (String master : arena.masterNames()) {
            awaitCaughtUp(master);
        }
        assertNoSwitch(before, switches);
        done = true;
    }

    private static WriteLoad load() {
        long from = firstId;
        firstId += 1_000_000;
        return WriteLoad.start(
                arena.byName(),
                WriteLoad.Behaviour.of(8, RATE)
                        .warming(arena.addresses())
                        .startingAt(from)
                        .on(arena.clients()));
    }

    private static GroupView group() {
        return arena.api().await(Arena.GROUP, "is known", LIMIT, g -> true);
    }

    private static List<SwitchView> switches() {
        return arena.api().switches(Arena.GROUP);
    }

    private static void assertNoSwitch(GroupView before, int switches) {
        GroupView now = group();
        assertThat(now.epoch()).as("epoch").isEqualTo(before.epoch());
        assertThat(now.primary()).isEqualTo(before.primary());
        assertThat(switches()).as("switches on record").hasSize(switches);
    }

    private static StatusView status() {
        return awaitStatus("is there", LIMIT, s -> true);
    }

    private static Predicate<StatusView> olderBy(long millis) {
        long start = System.nanoTime();
        return s -> System.nanoTime() - start > millis * 1_000_000;
    }

    private static StatusView awaitStatus(String what, Duration limit, Predicate<StatusView> condition) {
        long end = System.nanoTime() + limit.toNanos();
        StatusView status = arena.api().status();
        while (status == null || !condition.test(status)) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("waited until the status " + what + "; last: " + status);
            }
            LockSupport.parkNanos(5_000_000);
            status = arena.api().status();
        }
        return status;
    }

    private static String awaitOtherLeader(String former) {
        return awaitStatus(
                        "names another leader than " + former,
                        LIMIT,
                        s -> !s.leader().isEmpty() && !s.leader().equals(former))
                .leader();
    }

    /** Until this master has applied as much as the leader had when it was asked. */
    private static void awaitCaughtUp(String master) {
        StatusView leading =
                awaitStatus("names a leader", LIMIT, s -> !s.leader().isEmpty());
        long end = System.nanoTime() + LIMIT.toNanos();
        StatusView own = arena.api().ownStatus(arena.admin(master));
        while (own == null
                || own.appliedIndex() < leading.appliedIndex()
                || !epochs(own).equals(epochs(leading))) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        master + " hasn't caught up; the leader had " + leading + ", it has " + own);
            }
            LockSupport.parkNanos(5_000_000);
            own = arena.api().ownStatus(arena.admin(master));
        }
    }

    private static List<Long> epochs(StatusView status) {
        return status.groups().stream().map(GroupSummary::epoch).toList();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
