package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.assertj.core.groups.Tuple;
import org.haarbiter.admin.EventView;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.SqlServer;
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
 * Masters are killed, frozen, robbed of their disk, added and removed beside a real group that takes writes: the group never
 * switches on their account, and switches when it must. One arena for all; needs root, to mount a small tmpfs.
 */
@Tag("servers")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MastersIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int RATE = 200;
    private static final int MEMBERS = 3;
    private static final int MASTERS = 5;
    private static final int SNAPSHOT_ENTRIES = 10;

    private static Arena arena;
    private static Path work;
    private static Path smallDisk;
    private static boolean failed;
    private static long firstId = 1;

    private boolean done;

    /** The group as the test found it, and its switches on record by then. */
    private GroupView before;

    private int switches;

    @BeforeAll
    static void openTheArena() throws IOException, SQLException, InterruptedException {
        work = Arena.newWorkDirectory("ha-arbiter-masters-");
        System.out.println("evidence is kept in " + work + " if this fails");
        // m2's log lies on a disk of its own from the start; it is filled, and made read-only, in the last tests.
        smallDisk = Files.createDirectories(work.resolve("m2").resolve("raft"));
        run("mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", smallDisk.toString());
        try {
            arena = Arena.open(new ArenaPlan(
                    ArenaPlan.Engine.MARIADB,
                    MEMBERS,
                    work,
                    false,
                    MASTERS,
                    "fast",
                    "lossless",
                    "snapshot-every-entries: " + SNAPSHOT_ENTRIES + "\n"));
        } catch (IOException | SQLException | RuntimeException e) {
            run("umount", smallDisk.toString());
            throw e;
        }
    }

    @AfterAll
    static void closeTheArena() throws IOException, InterruptedException {
        try {
            if (arena != null) {
                arena.close();
                if (!failed) {
                    run("umount", smallDisk.toString());
                    Arena.deleteWorkDirectory(work);
                    return;
                }
            }
        } finally {
            if (failed) {
                run("umount", "-l", smallDisk.toString());
            }
        }
    }

    @BeforeEach
    void everythingIsWell(TestInfo test) {
        done = false;
        System.out.println(test.getDisplayName());
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
        before = group();
        switches = switches().size();
    }

    @AfterEach
    void remember() {
        failed |= !done;
    }

    @Test
    @Order(1)
    void aKilledLeaderIsReplacedWithoutASwitchAndCatchesUp() throws IOException, SQLException {
        kill(List.of(arena.awaitLeader(LIMIT)));
        done = true;
    }

    @Test
    @Order(2)
    void aMinorityWithTheLeaderInItIsKilledAndComesBack() throws IOException, SQLException {
        String leader = arena.awaitLeader(LIMIT);
        kill(List.of(leader, follower(leader)));
        done = true;
    }

    /** At once; under writes, which mustn't notice. */
    private void kill(List<String> masters) throws IOException, SQLException {
        SqlServer primary = arena.awaitSteady(LIMIT);
        String leader = arena.awaitLeader(LIMIT);
        WriteLoad load = load();
        try (load) {
            load.awaitAcknowledged(2 * RATE, LIMIT);
            long killed = System.nanoTime();
            masters.forEach(m -> arena.master(m).kill9());
            String next = awaitOtherLeader(leader);
            System.out.printf(
                    "%s killed, %s leads as the admin API says after %.0f ms%n",
                    masters, next, (System.nanoTime() - killed) / 1e6);
            // Four times the lease: whoever would have fenced itself for the lack of a leader has done so.
            load.awaitAcknowledged(load.history().ids().size() + 4 * RATE, LIMIT);
            WriteHistory after = load.history().between(killed, System.nanoTime());
            System.out.printf("longest silence %.0f ms%n", after.longestSilenceMillis());
            assertThat(after.longestSilenceMillis())
                    .as("ms without an acknowledged write; the lease has 1000")
                    .isLessThan(1_000);
            assertThat(after.acknowledgements())
                    .allSatisfy(a -> assertThat(a.server()).isEqualTo(primary.address()));
            for (String master : masters) {
                arena.master(master).start();
                awaitCaughtUp(master);
            }
        }
        assertThat(load.verify(primary)).as("acknowledged writes lost").isEmpty();
        assertNoSwitch();
    }

    private static String follower(String leader) {
        return arena.masterNames().stream()
                .filter(m -> !m.equals(leader))
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Order(3)
    void aFrozenFollowerHarmsNothingWhenItWakes() throws IOException {
        StatusView status = status();
        String follower = follower(status.leader());
        arena.master(follower).freeze();
        // Longer than several election timeouts, so that it wakes with all its timers past.
        awaitStatus("is 3 s older", LIMIT, olderBy(3_000));
        arena.master(follower).thaw();
        awaitCaughtUp(follower);
        StatusView after = status();
        assertThat(after.leader()).isEqualTo(status.leader());
        assertThat(after.term()).as("term").isEqualTo(status.term());
        assertNoSwitch();
        done = true;
    }

    @Test
    @Order(4)
    void theLeaderAndThePrimaryDieTogether() throws IOException, SQLException {
        SqlServer old = arena.awaitSteady(LIMIT);
        String leader = arena.awaitLeader(LIMIT);
        WriteLoad load = load();
        SqlServer fresh;
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
    @Order(5)
    void writesGoOnWithoutAnyMasterWhileThePeersCanBeAsked() throws IOException, SQLException {
        SqlServer primary = arena.awaitSteady(LIMIT);
        awaitTrue("the primary has its list of peers", () -> group().peers().size() == MEMBERS - 1);
        ServerProcess peer = arena.agent(group().peers().get(0));
        WriteLoad load = load();
        try (load) {
            load.awaitAcknowledged(2 * RATE, LIMIT);
            long killed = System.nanoTime();
            for (String master : arena.masterNames()) {
                arena.master(master).kill9();
            }
            for (String master : arena.masterNames()) {
                arena.master(master).awaitEnd(LIMIT);
            }
            // Eight times the lease.
            load.awaitAcknowledged(load.history().ids().size() + 8 * RATE, LIMIT);
            WriteHistory without = load.history().between(killed, System.nanoTime());
            System.out.printf("all masters killed: longest silence %.0f ms%n", without.longestSilenceMillis());
            assertThat(without.longestSilenceMillis())
                    .as("ms without an acknowledged write; the lease has 1000")
                    .isLessThan(1_000);

            peer.kill9();
            awaitTrue("a primary that can't ask a peer is fenced", () -> readOnlyIs("1", primary));
            peer.start();
            awaitTrue("it opens again when all its peers permit it", () -> readOnlyIs("0", primary));
            load.awaitAcknowledged(load.history().ids().size() + 2 * RATE, LIMIT);

            for (String master : arena.masterNames()) {
                arena.master(master).start();
            }
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            for (String master : arena.masterNames()) {
                awaitCaughtUp(master);
            }
            load.awaitAcknowledged(load.history().ids().size() + RATE, LIMIT);
            assertThat(load.history().acknowledgements())
                    .allSatisfy(a -> assertThat(a.server()).isEqualTo(primary.address()));
        }
        assertThat(load.verify(primary)).as("acknowledged writes lost").isEmpty();
        assertNoSwitch();
        done = true;
    }

    private static boolean readOnlyIs(String wanted, SqlServer server) {
        try {
            return server.askRoot("SELECT @@global.read_only").equals(wanted);
        } catch (SQLException e) {
            // A fence ends all connections, this one as well: asked again.
            return false;
        }
    }

    @Test
    @Order(6)
    void aMasterIsAddedAndRemovedWhileTheyRun() throws IOException, InterruptedException {
        // After its second snapshot the log has lost what lies before the first: whoever joins must load one.
        for (int entries = 0; entries < 2 * SNAPSHOT_ENTRIES; entries += 2) {
            pauseAndResume("the log must grow");
        }
        try (ServerProcess sixth = arena.joiningMaster()) {
            sixth.start();
            String address = arena.raft("m6").toString();
            awaitTrue("m6 answers", () -> arena.api().ownStatus(arena.admin("m6")) != null);
            assertThat(Hactl.run(arena, "master", "add", address, "--reason", "m1's host is old"))
                    .isZero();
            awaitCaughtUp("m6");
            assertThat(Files.readString(work.resolve("m6").resolve("log")))
                    .as("how m6 learnt what was decided before it came")
                    .contains("snapshot loaded");
            assertThat(status().masters()).extracting(MasterView::raft).contains(address);
            assertThat(Hactl.run(arena, "master", "remove", address, "--yes", "--reason", "m1 gets a new disk"))
                    .isZero();
            assertThat(status().masters()).extracting(MasterView::raft).doesNotContain(address);
        }
        assertThat(status().groups()).extracting(GroupSummary::name).containsExactly(Arena.GROUP);
        String from = arena.awaitLeader(LIMIT);
        String to = from.equals("m1") ? "m3" : "m1";
        assertThat(Hactl.run(
                        arena,
                        "master",
                        "transfer-leader",
                        arena.raft(to).toString(),
                        "--reason",
                        from + " gets a new kernel"))
                .isZero();
        awaitStatus("says that " + to + " leads", LIMIT, s -> s.leader().equals(to));
        assertThat(arena.api().events().stream()
                        .filter(e -> e.kind().startsWith("master-") || e.kind().startsWith("leader-transfer")))
                .extracting(EventView::kind, e -> e.details().get("reason"))
                .containsExactly(
                        Tuple.tuple("leader-transfer", from + " gets a new kernel"),
                        Tuple.tuple("master-removed", "m1 gets a new disk"),
                        Tuple.tuple("master-added", "m1's host is old"));
        Ended log = Hactl.ended(arena, "log");
        System.out.println(log.said());
        assertThat(log.code()).as(log.err()).isZero();
        assertThat(log.out())
                .contains("m1's host is old")
                .contains("is removed: m1 gets a new disk")
                .contains("is to take over the lead: " + from + " gets a new kernel");
        for (String master : List.of("m1", "m2", "m3", "m4", "m5")) {
            Path file = work.resolve(master).resolve("switches.jsonl");
            awaitTrue(file + " has both", () -> {
                String text = Files.readString(file);
                return text.contains("\"master-added\"")
                        && text.contains("m1's host is old")
                        && text.contains("\"master-removed\"");
            });
        }
        assertNoSwitch();
        done = true;
    }

    @Test
    @Order(7)
    void aMasterWhoseDiskIsFullStopsAndTheOthersGoOn() throws IOException, InterruptedException {
        Path filler = smallDisk.resolve("filler");
        fill(filler);
        ServerProcess full = arena.master("m2");
        full.awaitEnd(LIMIT);
        assertThat(full.exitCode()).isEqualTo(1);
        assertThatItSaysWhy(0);
        assertTheOthersGoOn();
        Files.delete(filler);
        full.start();
        awaitCaughtUp("m2");
        done = true;
    }

    @Test
    @Order(8)
    void aMasterWhoseDiskHasBecomeReadOnlyDoesNotStartAndTheOthersGoOn() throws IOException, InterruptedException {
        int said = Files.readString(work.resolve("m2").resolve("log")).length();
        ServerProcess robbed = arena.master("m2");
        // A disk with files that are open for writing can't be remounted.
        robbed.kill9();
        robbed.awaitEnd(LIMIT);
        run("mount", "-o", "remount,ro", smallDisk.toString());
        robbed.start();
        robbed.awaitEnd(LIMIT);
        assertThat(robbed.exitCode()).isEqualTo(1);
        assertThatItSaysWhy(said);
        assertTheOthersGoOn();
        run("mount", "-o", "remount,rw", smallDisk.toString());
        robbed.start();
        awaitCaughtUp("m2");
        done = true;
    }

    private static void assertThatItSaysWhy(int from) throws IOException {
        String log = Files.readString(work.resolve("m2").resolve("log")).substring(from);
        assertThat(log).contains("is full or read-only").contains(smallDisk.toString());
        System.out.println(log.lines()
                .filter(l -> l.contains("is full or read-only"))
                .findFirst()
                .orElseThrow());
    }

    private void assertTheOthersGoOn() throws IOException, InterruptedException {
        pauseAndResume("four masters still decide");
        assertThat(arena.awaitLeader(LIMIT)).isNotEqualTo("m2");
        assertNoSwitch();
    }

    private static void pauseAndResume(String reason) throws IOException, InterruptedException {
        assertThat(Hactl.run(arena, "pause", "--fleet", "--reason", reason)).isZero();
        assertThat(Hactl.run(arena, "resume", "--fleet", "--reason", reason)).isZero();
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

    private void assertNoSwitch() {
        GroupView now = group();
        assertThat(now.epoch()).as("epoch").isEqualTo(before.epoch());
        assertThat(now.primary()).isEqualTo(before.primary());
        assertThat(switches()).as("switches on record").hasSize(switches);
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void awaitTrue(String what, Condition condition) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("waited " + LIMIT.toSeconds() + " s until " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
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

    private static void fill(Path file) throws IOException {
        byte[] block = new byte[4 << 10];
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space");
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }
}
