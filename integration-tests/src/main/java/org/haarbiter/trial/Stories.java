package org.haarbiter.trial;

import static org.haarbiter.trial.Story.Expected.EITHER;
import static org.haarbiter.trial.Story.Expected.NO_SWITCH;
import static org.haarbiter.trial.Story.Expected.NO_SWITCH_MEANWHILE;
import static org.haarbiter.trial.Story.Expected.SWITCH;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.Crowd;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.SmallDisk;
import redis.clients.jedis.Jedis;

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
    private static final int FEW_CLIENTS = 100;
    private static final int SECOND_BLOW_MILLIS = 100;
    private static final int COPIED_KEYS = 1_000;
    private static final int COPY_MICROS = 5_000_000;
    private static final long LOOK_NANOS = 2_000_000;
    private static final Set<ArenaPlan.Engine> SQL = EnumSet.of(ArenaPlan.Engine.MYSQL, ArenaPlan.Engine.MARIADB);
    private static final Set<ArenaPlan.Engine> REDIS = EnumSet.of(ArenaPlan.Engine.REDIS);
    private static final int CLOCK_SECONDS = 3;
    private static final long HOUR = 3_600;
    private static final int DISK_SECONDS = 8;
    private static final int DISK_MEGABYTES = 600;

    /** All, in the order in which they are listed. */
    static final List<Story> ALL = List.of(
            Story.of("kill-primary", 2, Stories::killPrimary, s -> SWITCH, "the primary's server is killed"),
            Story.of(
                            "kill-primary-and-replica",
                            2,
                            Stories::killPrimaryAndReplica,
                            s -> s.provable(s.replicas().size() - 1) ? SWITCH : EITHER,
                            "the primary's server is killed, and a replica's within 100 ms")
                    .hidingReplica(),
            Story.of(
                            "kill-primary-while-copying",
                            2,
                            Stories::copyUnderWay,
                            s -> SWITCH,
                            "the primary's server is killed while a replica that had lost everything takes a copy from it")
                    .only(REDIS),
            Story.of(
                            "restart-primary-empty",
                            0,
                            s -> {
                                s.primary().startEmpty();
                                return () -> {};
                            },
                            s -> SWITCH,
                            "the primary's server is killed and an empty one started in its place at once")
                    .only(REDIS),
            Story.of(
                            "restart-primary-older",
                            0,
                            Stories::oldSnapshot,
                            s -> SWITCH,
                            "the primary's server is killed and started again at once with an older snapshot")
                    .only(REDIS),
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
                            // Without a proof it waits; a primary that had to be killed is opened again under a new
                            // epoch.
                            s -> s.provable(replicasElsewhere(s)) ? SWITCH : EITHER,
                            "the servers and clients of the primary's site, with the leader, are cut off from the others")
                    .hidingReplica(),
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
                    "kill-replica",
                    4,
                    s -> {
                        DatabaseServer replica = s.replica();
                        replica.kill9();
                        return replica::restart;
                    },
                    s -> NO_SWITCH,
                    "a replica's server is killed"),
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
                    Stories::crowd,
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
                    .hidingReplica()
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
        return Story.of(
                name,
                CLOCK_SECONDS,
                (arena, random) -> {
                    String server = arena.awaitPrimary(LIMIT).name();
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
        return Story.of(
                name,
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
        return Story.of(
                        name,
                        DISK_SECONDS,
                        (arena, random) -> {
                            List<DatabaseServer> replicas = new Scene(arena, random).replicas();
                            DatabaseServer server = replicas.get(random.nextInt(replicas.size()));
                            SmallDisk disk =
                                    whileDown(arena, server, () -> SmallDisk.under(server.dataDir(), DISK_MEGABYTES));
                            makePrimary(arena, server.name());
                            return new Story.Stage(
                                    s -> act.on(disk),
                                    () -> whileDown(arena, server, () -> {
                                        disk.close();
                                        return disk;
                                    }));
                        },
                        expectation,
                        tells)
                .only(SQL);
    }

    private interface DiskChange {
        SmallDisk made() throws IOException;
    }

    /** Its agent is down too: it has a file open on the disk, and its own view of what is mounted. */
    private static SmallDisk whileDown(Arena arena, DatabaseServer server, DiskChange change) throws IOException {
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
        if (!arena.awaitPrimary(LIMIT).name().equals(server)) {
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
        DatabaseServer server = scene.primary();
        server.kill9();
        return server::restart;
    }

    private static Story.Undo killPrimaryAndReplica(Scene scene) {
        DatabaseServer replica = scene.replica();
        Story.Undo primary = killPrimary(scene);
        Scene.last(scene.upTo(SECOND_BLOW_MILLIS));
        replica.kill9();
        return () -> {
            primary.undo();
            replica.restart();
        };
    }

    /** The copy takes some seconds, since the primary is told to be slow about it. */
    private static Story.Stage copyUnderWay(Arena arena, Random random) throws IOException {
        Scene scene = new Scene(arena, random);
        RedisServer primary = (RedisServer) scene.primary();
        RedisServer replica = (RedisServer) scene.replica();
        try (Jedis root = primary.connect(Account.ROOT)) {
            for (int i = 0; i < COPIED_KEYS; i++) {
                root.set("copied:" + i, "1");
            }
        }
        arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), LIMIT);
        return new Story.Stage(
                s -> {
                    primary.configure("rdb-key-save-delay", Integer.toString(COPY_MICROS / COPIED_KEYS));
                    replica.startEmpty();
                    awaitCopying(primary);
                    return killPrimary(s);
                },
                () -> {});
    }

    private static void awaitCopying(RedisServer primary) {
        long end = System.nanoTime() + LIMIT.toNanos();
        try (Jedis root = primary.connect(Account.ROOT)) {
            while (!root.info("persistence").contains("rdb_bgsave_in_progress:1")) {
                if (System.nanoTime() - end > 0) {
                    throw new IllegalStateException(
                            "nobody takes a copy from " + primary.name() + " within " + LIMIT.toSeconds() + " s");
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
    }

    /** A replica keeps the copy that it was given last; a primary that never was one has nothing on disk without this. */
    private static Story.Stage oldSnapshot(Arena arena, Random random) throws IOException {
        RedisServer primary = (RedisServer) new Scene(arena, random).primary();
        try (Jedis root = primary.connect(Account.ROOT)) {
            root.save();
        }
        return new Story.Stage(
                Stories::restartPrimary,
                () -> Files.deleteIfExists(primary.dataDir().resolve("dump.rdb")));
    }

    private static Story.Undo crowd(Scene scene) throws IOException, DataClient.Failure {
        Story.Undo limit = scene.primary() instanceof RedisServer redis ? fewClients(redis) : () -> {};
        Crowd crowd = Crowd.before(
                scene.arena().writes(),
                scene.primary().address(),
                MOST_CONNECTIONS,
                scene.arena().clients("south"));
        return () -> {
            crowd.close();
            limit.undo();
        };
    }

    private static Story.Undo fewClients(RedisServer server) {
        String before = server.configured("maxclients");
        server.configure("maxclients", Integer.toString(FEW_CLIENTS));
        return () -> server.configure("maxclients", before);
    }

    private static Story.Undo stopPrimary(Scene scene) {
        DatabaseServer server = scene.primary();
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
        DatabaseServer server = scene.replica();
        for (int i = 0; i < FLAPS; i++) {
            flap(server);
        }
        return () -> {};
    }

    private static void flap(DatabaseServer server) throws IOException {
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
