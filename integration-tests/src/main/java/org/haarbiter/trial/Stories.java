package org.haarbiter.trial;

import static org.haarbiter.trial.Story.Expected.EITHER;
import static org.haarbiter.trial.Story.Expected.NO_SWITCH;
import static org.haarbiter.trial.Story.Expected.NO_SWITCH_MEANWHILE;
import static org.haarbiter.trial.Story.Expected.SWITCH;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.haarbiter.lab.Crowd;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.SmallDisk;
import org.haarbiter.lab.SqlServer;

/** The stories there are. */
final class Stories {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int FLAPS = 3;
    private static final int FLAP_MILLIS = 1_000;
    private static final int MISSED_MILLIS = 1_000;
    private static final int LOSS_PERCENT = 20;
    private static final Duration DELAY = Duration.ofMillis(100);
    private static final Duration JITTER = Duration.ofMillis(20);
    private static final int MOST_CONNECTIONS = 1_000;
    private static final int CLOCK_SECONDS = 3;
    private static final long HOUR = 3_600;
    private static final int DISK_SECONDS = 8;
    private static final int DISK_MEGABYTES = 600;

    /** All, in the order in which they are listed. */
    static final List<Story> ALL = List.of(
            Story.of("kill-primary", 2, Stories::killPrimary, s -> SWITCH, "the primary's server is killed"),
            Story.of("stop-primary", 5, Stories::stopPrimary, s -> SWITCH, "the primary's server is stopped"),
            Story.of(
                    "cut-primary",
                    5,
                    s -> part(s, s.primaryWithClients(), s.othersThan(s.primaryWithClients())),
                    s -> SWITCH,
                    "the primary's host, with a client, is cut off from everybody else"),
            Story.of(
                    "primary-without-masters",
                    5,
                    s -> part(s, List.of(s.host(s.primary())), s.masterHosts()),
                    s -> NO_SWITCH,
                    "the primary's host is cut off from the masters only"),
            Story.of(
                    "primary-mute",
                    5,
                    s -> {
                        s.network().partOneWay(s.primaryWithClients(), s.othersThan(s.primaryWithClients()));
                        return s.network()::healAll;
                    },
                    s -> SWITCH,
                    "what the primary's host sends is lost, but for a client beside it"),
            Story.of(
                    "primary-deaf",
                    5,
                    s -> {
                        s.network().partOneWay(s.othersThan(s.primaryWithClients()), s.primaryWithClients());
                        return s.network()::healAll;
                    },
                    s -> SWITCH,
                    "what is sent to the primary's host is lost, but from a client beside it"),
            Story.of(
                    "cut-site",
                    6,
                    s -> {
                        List<NetworkLab.Node> side = s.primarysSiteWithLeader();
                        return part(s, side, s.othersThan(side));
                    },
                    // Without a proof it waits; a primary that had to be killed is opened again under a new epoch.
                    s -> s.provable(replicasElsewhere(s)) ? SWITCH : EITHER,
                    "the servers and clients of the primary's site, with the leader, are cut off from the others"),
            Story.of(
                    "stop-agent",
                    5,
                    s -> stop(s.arena().agent(s.primary().name())),
                    s -> NO_SWITCH_MEANWHILE,
                    "the primary's agent is stopped, its server runs on"),
            Story.of(
                    "kill-agent",
                    3,
                    s -> kill(List.of(s.arena().agent(s.primary().name()))),
                    s -> NO_SWITCH_MEANWHILE,
                    "the primary's agent is killed, its server runs on"),
            Story.of(
                    "restart-primary",
                    0,
                    Stories::restartPrimary,
                    s -> SWITCH,
                    "the primary's server is killed and started again at once"),
            Story.of(
                    "flapping-primary",
                    0,
                    Stories::killPrimariesInARow,
                    s -> SWITCH,
                    "whoever is primary is killed and started again, three times in a row"),
            Story.of(
                    "flapping-replica",
                    0,
                    Stories::killReplicaInARow,
                    s -> NO_SWITCH,
                    "a replica's server is killed and started again, three times in a row"),
            Story.of(
                    "cut-replica",
                    4,
                    s -> cut(s, s.host(s.replica())),
                    s -> NO_SWITCH,
                    "a replica's host is cut off from everybody"),
            Story.of(
                    "cut-leader",
                    4,
                    s -> cut(s, s.leaderHost()),
                    s -> NO_SWITCH,
                    "the leader's host is cut off from everybody"),
            Story.of(
                    "kill-leader-and-primary",
                    2,
                    Stories::killLeaderAndPrimary,
                    s -> SWITCH,
                    "the leader and the primary's server are killed together"),
            Story.of(
                    "restart-masters",
                    0,
                    s -> kill(s.masters()),
                    s -> NO_SWITCH,
                    "all masters are killed and started again at once"),
            Story.of("kill-masters", 6, s -> kill(s.masters()), s -> NO_SWITCH, "all masters are killed"),
            Story.of(
                    "lossy-primary",
                    5,
                    s -> {
                        s.network().lose(s.host(s.primary()), LOSS_PERCENT);
                        return () -> s.network().heal(s.host(s.primary()));
                    },
                    s -> EITHER,
                    "a fifth of all packets from and to the primary's host is lost"),
            Story.of(
                    "slow-links",
                    6,
                    s -> {
                        s.network().delay(s.host(s.primary()), DELAY, JITTER);
                        return () -> s.network().heal(s.host(s.primary()));
                    },
                    s -> EITHER,
                    "everything from and to the primary's host takes 80 to 120 ms longer, each way"),
            Story.of(
                    "crowded-primary",
                    4,
                    s -> {
                        Crowd crowd = Crowd.before(
                                s.primary().address(),
                                MOST_CONNECTIONS,
                                s.arena().clients("south"));
                        return crowd::close;
                    },
                    s -> NO_SWITCH,
                    "a client takes every connection that the primary's server has"),
            agentsClock(
                    "agent-clock-forward", HOUR, "the clock of the primary's agent jumps an hour forward, and back"),
            agentsClock("agent-clock-back", -HOUR, "the clock of the primary's agent jumps an hour back, and forward"),
            leadersClock("leader-clock-forward", HOUR, "the leader's clock jumps an hour forward, and back"),
            leadersClock("leader-clock-back", -HOUR, "the leader's clock jumps an hour back, and forward"),
            primarysDisk(
                    "hanging-disk",
                    d -> {
                        d.hang(DISK_SECONDS);
                        return () -> {};
                    },
                    s -> SWITCH,
                    "the disk of the primary's server hangs: writes wait, reads don't"),
            primarysDisk(
                    "slow-disk",
                    d -> {
                        d.slow(DISK_SECONDS);
                        return () -> {};
                    },
                    s -> EITHER,
                    "the disk of the primary's server stands still for three quarters of the time"),
            primarysDisk("full-disk", Stories::fill, s -> NO_SWITCH, "the disk of the primary's server is full")
                    .onlyByName(),
            Story.of(
                            "part-sites",
                            43,
                            s -> part(s, s.arena().site("north"), s.arena().site("south")),
                            s -> EITHER,
                            "north and south don't hear each other for 43 s; west hears both")
                    .onlyByName());

    private Stories() {}

    /** The story of that name. */
    static Story named(String name) {
        return ALL.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no story '" + name + "' (must be one of "
                        + ALL.stream().map(Story::name).toList() + ")"));
    }

    /** No jump makes a switch: leases and silence are counted on the monotonic clock. */
    private static Story agentsClock(String name, long jump, String tells) {
        return new Story(
                name,
                true,
                CLOCK_SECONDS,
                (arena, random) -> {
                    String server = arena.awaitSteady(LIMIT).name();
                    WallClock clock = new WallClock(arena.plan().work().resolve("clock-" + server));
                    arena.restartAgent(server, clock.environment());
                    makePrimary(arena, server);
                    return new Story.Stage(s -> set(clock, jump), () -> {
                        arena.restartAgent(server, List.of());
                        awaitWhole(arena);
                    });
                },
                s -> NO_SWITCH,
                tells);
    }

    /** Each master gets a clock: which of them leads once all were restarted isn't known before. */
    private static Story leadersClock(String name, long jump, String tells) {
        return new Story(
                name,
                true,
                CLOCK_SECONDS,
                (arena, random) -> {
                    Map<String, WallClock> clocks = new TreeMap<>();
                    for (String master : arena.masterNames()) {
                        WallClock clock = new WallClock(arena.plan().work().resolve("clock-" + master));
                        clocks.put(master, clock);
                        arena.restartMaster(master, clock.environment());
                    }
                    awaitWhole(arena);
                    return new Story.Stage(s -> set(Objects.requireNonNull(clocks.get(s.leader())), jump), () -> {
                        for (String master : arena.masterNames()) {
                            arena.restartMaster(master, List.of());
                        }
                        awaitWhole(arena);
                    });
                },
                s -> NO_SWITCH,
                tells);
    }

    private static Story.Undo set(WallClock clock, long jump) throws IOException {
        clock.set(jump);
        return () -> clock.set(0);
    }

    private interface DiskAct {
        Story.Undo on(SmallDisk disk) throws IOException;
    }

    private static Story.Undo fill(SmallDisk disk) throws IOException {
        disk.fill();
        return disk::empty;
    }

    /** A replica gets a disk of its own, then it is made primary. */
    private static Story primarysDisk(String name, DiskAct act, Story.Expectation expectation, String tells) {
        return new Story(
                name,
                true,
                DISK_SECONDS,
                (arena, random) -> {
                    List<SqlServer> replicas = new Scene(arena, random).replicas();
                    SqlServer server = replicas.get(random.nextInt(replicas.size()));
                    SmallDisk disk = whileDown(arena, server, () -> SmallDisk.under(server.dataDir(), DISK_MEGABYTES));
                    makePrimary(arena, server.name());
                    return new Story.Stage(
                            s -> act.on(disk),
                            () -> whileDown(arena, server, () -> {
                                disk.close();
                                return disk;
                            }));
                },
                expectation,
                tells);
    }

    private interface DiskChange {
        SmallDisk made() throws IOException;
    }

    /** Its agent is down too: it has a file open on the disk, and its own view of what is mounted. */
    private static SmallDisk whileDown(Arena arena, SqlServer server, DiskChange change) throws IOException {
        arena.agent(server.name()).close();
        server.terminate();
        server.awaitEnd(LIMIT);
        SmallDisk disk = change.made();
        server.start();
        arena.agent(server.name()).start();
        awaitWhole(arena);
        return disk;
    }

    /** Gives what was just restarted the time to be missed before it looks. */
    private static void awaitWhole(Arena arena) {
        Scene.last(MISSED_MILLIS);
        arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), LIMIT);
    }

    private static void makePrimary(Arena arena, String server) throws IOException {
        awaitWhole(arena);
        if (!arena.awaitSteady(LIMIT).name().equals(server)) {
            arena.switchOver(server, "a fault is to meet it");
        }
        arena.api()
                .await(
                        Arena.GROUP,
                        "is whole with " + server + " as primary",
                        LIMIT,
                        g -> g.primary().equals(server)
                                && ArbiterApi.whole(g, arena.plan().members()));
    }

    private static Story.Undo killLeaderAndPrimary(Scene scene) {
        Story.Undo leader = kill(List.of(scene.leaderProcess()));
        Story.Undo primary = killPrimary(scene);
        return () -> {
            leader.undo();
            primary.undo();
        };
    }

    private static Story.Undo killPrimary(Scene scene) {
        SqlServer server = scene.primary();
        server.kill9();
        return server::restart;
    }

    private static Story.Undo stopPrimary(Scene scene) {
        SqlServer server = scene.primary();
        server.freeze();
        return server::thaw;
    }

    private static Story.Undo restartPrimary(Scene scene) throws IOException {
        scene.primary().restart();
        return () -> {};
    }

    private static Story.Undo killPrimariesInARow(Scene scene) throws IOException {
        for (int i = 0; i < FLAPS; i++) {
            flap(scene.primaryNow());
        }
        return () -> {};
    }

    private static Story.Undo killReplicaInARow(Scene scene) throws IOException {
        SqlServer server = scene.replica();
        for (int i = 0; i < FLAPS; i++) {
            flap(server);
        }
        return () -> {};
    }

    private static void flap(SqlServer server) throws IOException {
        server.kill9();
        Scene.last(FLAP_MILLIS);
        server.restart();
        Scene.last(FLAP_MILLIS);
    }

    private static Story.Undo cut(Scene scene, NetworkLab.Node host) throws IOException {
        scene.network().cut(host);
        return () -> scene.network().heal(host);
    }

    private static Story.Undo part(Scene scene, List<NetworkLab.Node> side, List<NetworkLab.Node> others)
            throws IOException {
        scene.network().part(side, others);
        return () -> scene.network().healAll();
    }

    private static Story.Undo stop(ServerProcess process) {
        process.freeze();
        return process::thaw;
    }

    private static Story.Undo kill(List<ServerProcess> processes) {
        processes.forEach(ServerProcess::kill9);
        return () -> {
            for (ServerProcess process : processes) {
                process.awaitEnd(LIMIT);
                process.start();
            }
        };
    }

    private static int replicasElsewhere(Scene scene) {
        List<NetworkLab.Node> side = scene.primarysSiteWithLeader();
        return (int) scene.replicas().stream()
                .filter(r -> !side.contains(scene.host(r)))
                .count();
    }
}
