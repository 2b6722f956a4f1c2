package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.admin.StatusView;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators install: the Debian packages and the archives that {@code mvn -Ppackages package} makes. */
@Tag("servers")
class PackagesIT {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int MEMBERS = 3;
    private static final int WRITES = 200;
    private static final int LEASE_MILLIS = 6_000;

    /** A directory with an older build's {@code usr/sbin/ha-master} and {@code ha-agent}; without it the checkout's are the older ones. */
    private static final String OLDER = "upgrade.from";

    @Test
    void thePackagesHoldWhatTheyShouldAndNothingThatOthersMayWrite(@TempDir Path work) throws Exception {
        for (Path deb : PackageRoot.debs()) {
            for (String line :
                    PackageRoot.output("dpkg-deb", "-c", deb.toString()).lines().toList()) {
                String[] columns = line.split(" +", 6);
                String mode = columns[0];
                String path = columns[5];
                assertThat(columns[1]).as(line).isEqualTo("root/root");
                assertThat(path).as(line).matches("\\./((usr|lib|etc|var)/.*)?");
                if (mode.startsWith("d")) {
                    assertThat(mode).as(line).isEqualTo("drwxr-xr-x");
                } else if (mode.startsWith("-")) {
                    boolean program = path.contains("/bin/") && !path.endsWith("launch.sh");
                    assertThat(mode).as(line).isEqualTo(program ? "-rwxr-xr-x" : "-rw-r--r--");
                }
            }
            Path control = work.resolve(deb.getFileName().toString());
            PackageRoot.output("dpkg-deb", "-e", deb.toString(), control.toString());
            List<String> scripts = List.of("postinst", "prerm", "postrm");
            for (String script : scripts) {
                if (Files.exists(control.resolve(script))) {
                    assertThat(control.resolve(script)).isExecutable();
                    PackageRoot.output("sh", "-n", control.resolve(script).toString());
                }
            }
            List<String> conffiles = Files.exists(control.resolve("conffiles"))
                    ? Files.readAllLines(control.resolve("conffiles"))
                    : List.of();
            List<String> inEtc = PackageRoot.output("dpkg-deb", "-c", deb.toString())
                    .lines()
                    .filter(line -> line.startsWith("-") && line.contains(" ./etc/"))
                    .map(line -> line.substring(line.indexOf(" ./etc/") + 2))
                    .toList();
            assertThat(conffiles).as(deb + ": every file in /etc").containsExactlyInAnyOrderElementsOf(inEtc);
        }
    }

    @Test
    void theArchivesAreWholeAsWell(@TempDir Path work) throws Exception {
        for (String module : List.of("ha-master", "ha-agent", "ha-cli")) {
            Path archive = PackageRoot.built(module, "ha-arbiter-", ".tar.gz");
            PackageRoot.output("tar", "-xzf", archive.toString(), "-C", work.toString(), "--strip-components=1");
            Path program = work.resolve("bin").resolve(module.equals("ha-cli") ? "hactl" : module);
            Ended ended =
                    Ended.of(new ProcessBuilder(program.toString(), module.equals("ha-cli") ? "--version" : "--help"));
            assertThat(ended.code()).as(ended.said()).isZero();
            assertThat(ended.said()).contains(module.equals("ha-cli") ? "hactl" : "usage: " + module);
        }
        assertThat(work.resolve("samples").resolve("ha-master.yaml")).exists();
        assertThat(work.resolve("samples").resolve("ha-agent.yaml")).exists();
        assertThat(work.resolve("systemd").resolve("ha-agent@.service")).exists();
        assertThat(work.resolve("docs").resolve("install.md")).exists();
    }

    @Test
    void anUpgradeOneNodeAfterTheOtherIsNoSwitchAndFailsNoWrite() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-packages-");
        System.out.println("evidence is kept in " + work + " if this fails");
        PackageRoot root = new PackageRoot(work.resolve("root"));
        List<Path> debs = PackageRoot.debs();
        List<Path> successors = new ArrayList<>();
        for (Path deb : debs) {
            successors.add(PackageRoot.successor(deb, work));
        }
        ArenaPlan plan = new ArenaPlan(
                ArenaPlan.Engine.MARIADB,
                MEMBERS,
                work,
                false,
                3,
                "normal, lease-millis: " + LEASE_MILLIS,
                "lossless",
                "");
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            SqlServer primary = arena.awaitSteady(LIMIT);
            WriteLoad load = WriteLoad.start(
                    arena.byName(),
                    WriteLoad.Behaviour.of(4, WRITES).warming(arena.addresses()).on(arena.clients()));
            try (load) {
                // An agent that opened its server less than a lease ago would fence it before it stops.
                load.awaitAcknowledged(WRITES * (LEASE_MILLIS / 1_000 + 2), LIMIT);
                String older = System.getProperty(OLDER, "");
                if (!older.isEmpty()) {
                    restart(
                            arena,
                            load,
                            Path.of(older),
                            arena.masterNames(),
                            arena.group().servers());
                }
                root.install(debs);
                assertThat(root.at("etc/passwd")).content().contains("ha-arbiter:");
                assertThat(root.at("etc/systemd/system/multi-user.target.wants/ha-master.service"))
                        .isSymbolicLink();
                PackageRoot.output(root.at("usr/lib/ha-arbiter/master/bin/archive-classes.sh")
                        .toString());
                restart(
                        arena,
                        load,
                        root.at(""),
                        arena.masterNames(),
                        arena.group().servers());
                assertThat(Ended.of(hactl(root, arena)).said()).contains("leader m", Arena.GROUP, primary.name());
                assertThat(command(arena.master("m1").pid()))
                        .contains("-XX:SharedArchiveFile=" + root.at("usr/lib/ha-arbiter/master/ha-master.jsa"));

                // Every library of the running masters and agents is replaced by one of another name, below their feet.
                Path kept = root.at("etc/default/ha-arbiter-agent");
                Files.writeString(kept, "HA_ARBITER_NICENESS=-5\n");
                root.install(successors);
                assertThat(kept).hasContent("HA_ARBITER_NICENESS=-5");
                restart(arena, load, root.at(""), List.of(arena.awaitLeader(LIMIT)), List.of(primary));
            }
            assertThat(load.verify(primary)).as("acknowledged writes lost").isEmpty();
        }
        Files.createDirectories(root.at("var/lib/ha-arbiter/master/raft"));
        Files.createDirectories(root.at("var/lib/ha-arbiter/agent"));
        Path settings = Files.writeString(root.at("etc/ha-arbiter/ha-master.yaml"), "");
        root.purge(List.of("ha-arbiter-master", "ha-arbiter-agent", "ha-arbiter-cli"));
        assertThat(root.at("usr/lib/ha-arbiter")).doesNotExist();
        assertThat(root.at("var/lib/ha-arbiter/master")).doesNotExist();
        assertThat(root.at("etc/default/ha-arbiter-agent")).doesNotExist();
        assertThat(root.at("etc/ha-arbiter/samples")).doesNotExist();
        assertThat(root.at("etc/systemd/system/multi-user.target.wants/ha-master.service"))
                .doesNotExist();
        assertThat(settings).as("the operator's own").exists();
        assertThat(root.at("var/lib/ha-arbiter/agent")).exists();
        Arena.deleteWorkDirectory(work);
    }

    private static ProcessBuilder hactl(PackageRoot root, Arena arena) {
        ProcessBuilder builder = new ProcessBuilder(root.at("usr/bin/hactl").toString(), "status");
        builder.environment().put("HA_MASTERS", arena.api().addresses());
        return builder;
    }

    private static String command(long pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/cmdline")).replace('\0', ' ');
    }

    /** Masters first, one after the other, and then the agents, as docs/install.md says. */
    private static void restart(
            Arena arena, WriteLoad load, Path root, List<String> masters, List<? extends SqlServer> servers)
            throws IOException {
        Map<String, Long> failures = failedWrites(load);
        String primary = arena.awaitSteady(LIMIT).name();
        int switches = arena.api().switches(Arena.GROUP).size();
        Path programs = root.resolve("usr").resolve("sbin");
        long began = System.nanoTime();
        for (String master : masters) {
            ServerProcess old = arena.master(master);
            arena.upgradeMaster(master, programs.resolve("ha-master"));
            assertThat(old.exitCode()).as(master + "'s end").isEqualTo(143);
            awaitCaughtUp(arena, master);
        }
        for (SqlServer server : servers) {
            ServerProcess old = arena.agent(server.name());
            arena.upgradeAgent(server.name(), programs.resolve("ha-agent"));
            assertThat(old.exitCode())
                    .as("the end of the agent of " + server.name())
                    .isEqualTo(143);
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            // The next agent leaves a permission of at least half a lease only if a leader has answered it since.
            load.awaitAcknowledged(load.history().ids().size() + WRITES, LIMIT);
        }
        WriteHistory during = load.history().between(began, System.nanoTime());
        System.out.printf(
                "masters %s and %d agents restarted from %s in %d ms; longest silence of writes %.0f ms%n",
                masters, servers.size(), root, (System.nanoTime() - began) / 1_000_000, during.longestSilenceMillis());
        assertThat(failedWrites(load)).as("writes that failed").isEqualTo(failures);
        assertThat(arena.awaitSteady(LIMIT).name()).isEqualTo(primary);
        assertThat(arena.api().switches(Arena.GROUP)).as("switches on record").hasSize(switches);
    }

    /** A client asks again where the name server was late, which on two busy processors it is. */
    private static Map<String, Long> failedWrites(WriteLoad load) {
        Map<String, Long> failures = new TreeMap<>(load.failures());
        failures.keySet().removeIf(failure -> failure.startsWith("lookup: "));
        return failures;
    }

    private static void awaitCaughtUp(Arena arena, String master) {
        arena.awaitLeader(LIMIT);
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            StatusView leading = arena.api().status();
            StatusView own = arena.api().ownStatus(arena.admin(master));
            if (leading != null
                    && own != null
                    && !leading.leader().isEmpty()
                    && own.leader().equals(leading.leader())
                    && own.appliedIndex() >= leading.appliedIndex()) {
                return;
            }
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(master + " hasn't caught up within " + LIMIT.toSeconds()
                        + " s; the leader has " + leading + ", it has " + own);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }
}
