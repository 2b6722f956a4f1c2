package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.haarbiter.admin.GroupView;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.SentinelProcess;
import org.haarbiter.lab.ServerPlan;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A user of Redis Sentinel moves over: hactl reads real Sentinels, writes the agents' settings, and the masters take over. */
@Tag("servers")
class ImportSentinelIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String CACHE = "cache";
    private static final int PORT = 21_790;
    private static final int MEMBERS = 3;
    /** Nearest to the arena's profile, fast. */
    private static final int DOWN_AFTER_MILLIS = 700;

    private static final Pattern REMOVAL =
            Pattern.compile("redis-cli -h (\\S+) -p (\\d+) SENTINEL REMOVE (" + CACHE + ")");

    private static Endpoint server(int number) {
        return new Endpoint("127.0.62." + number, PORT);
    }

    private static Endpoint sentinel(int number) {
        return new Endpoint("127.0.62." + (10 + number), PORT);
    }

    private static ReplicatedGroup<RedisServer> servers(Path work, int number) throws IOException {
        List<ServerPlan> plans = new ArrayList<>();
        for (int i = 1; i <= number; i++) {
            plans.add(ServerPlan.of("cache-" + i, server(i), i, work));
        }
        ReplicatedGroup<RedisServer> group = ReplicatedGroup.start(plans, RedisServer::new);
        group.openByHand();
        return group;
    }

    private static SentinelProcess start(Path work, int number, List<String> settings) throws IOException {
        SentinelProcess sentinel = new SentinelProcess(
                "sentinel-" + number,
                sentinel(number),
                Host.here(),
                work,
                List.of(SentinelProcess.Watched.of(CACHE, server(1), DOWN_AFTER_MILLIS)),
                settings);
        sentinel.start();
        return sentinel;
    }

    /** Runs hactl as a user who has no masters yet. */
    private static Ended alone(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Arena.launcher("hactl")));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().remove("HA_MASTERS");
        return Ended.of(builder);
    }

    private static Path secret(Path file, String user, String password) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, "user: " + user + "\npassword: " + password + "\n");
    }

    @Test
    void aGroupOfSentinelsMovesOver() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-import-");
        System.out.println("evidence is kept in " + work + " if this fails");
        Map<String, ServerProcess> agents = new TreeMap<>();
        List<SentinelProcess> sentinels = new ArrayList<>();
        try (Arena arena = Arena.open(ArenaPlan.of(ArenaPlan.Engine.REDIS, work.resolve("arena"), false)
                        .withMembers(2));
                ReplicatedGroup<RedisServer> cache = servers(work, MEMBERS)) {
            try {
                for (int i = 1; i <= MEMBERS; i++) {
                    sentinels.add(start(work, i, List.of()));
                }
                for (SentinelProcess sentinel : sentinels) {
                    sentinel.awaitKnows(CACHE, MEMBERS - 1, MEMBERS - 1, LIMIT);
                }
                List<MatchResult> removals = removals(arena);
                Path settings = work.resolve("settings");
                announce(arena, settings);

                for (MatchResult removal : removals) {
                    try (Jedis client = new Jedis(removal.group(1), Integer.parseInt(removal.group(2)))) {
                        assertThat(client.sentinelRemove(removal.group(3))).isEqualTo("OK");
                    }
                }
                Path credentials =
                        secret(work.resolve("agent-credentials.yaml"), Account.AGENT.user(), Account.AGENT.password());
                for (RedisServer server : cache.servers()) {
                    agents.put(server.name(), agent(settings, server, credentials, work));
                }
                takeOver(arena, cache, agents);
                failOver(arena, cache);

                Ended left =
                        Hactl.ended(arena, "import", "sentinel", sentinel(1).toString());
                assertThat(left.code()).isEqualTo(5);
                assertThat(left.err()).contains("watches no group");
            } finally {
                for (ServerProcess agent : agents.values()) {
                    agent.close();
                }
                for (SentinelProcess sentinel : sentinels) {
                    sentinel.close();
                }
            }
        }
        Arena.deleteWorkDirectory(work);
    }

    /** Reads only: what each Sentinel must be told later. */
    private static List<MatchResult> removals(Arena arena) throws IOException, InterruptedException {
        Ended read = alone("import", "sentinel", sentinel(2).toString());
        System.out.println(read.said());
        assertThat(read.code()).as(read.said()).isZero();
        assertThat(read.err()).isEmpty();
        assertThat(read.out())
                .contains("Group " + CACHE + ": primary " + server(1))
                .doesNotContain("PROBLEMS")
                .contains("timing profile fast")
                .contains("quorum 2: nothing")
                .contains("Nothing was changed.");
        assertThat(arena.api().group(CACHE)).isNull();
        List<MatchResult> removals = REMOVAL.matcher(read.out()).results().toList();
        assertThat(removals.stream().map(removal -> new Endpoint(removal.group(1), Integer.parseInt(removal.group(2)))))
                .containsExactlyInAnyOrder(sentinel(1), sentinel(2), sentinel(3));
        return removals;
    }

    private static void announce(Arena arena, Path settings) throws IOException, InterruptedException {
        Ended applied = Hactl.ended(
                arena,
                "import",
                "sentinel",
                sentinel(1).toString(),
                "--apply",
                "--agents",
                settings.toString(),
                "--durability",
                "available",
                "--priority",
                "3");
        assertThat(applied.code()).as(applied.said()).isZero();
        assertThat(applied.out()).contains("applied: group '" + CACHE + "' is adopted, available, priority 3, once");
        String missing = server(1) + ", " + server(2) + ", " + server(3);
        Ended show = Hactl.ended(arena, "group", "show", CACHE);
        System.out.println(show.said());
        assertThat(show.out()).contains("Missing agents:  " + missing);
        assertThat(Hactl.ended(arena, "status").out()).contains("nothing is heard of the agents of " + missing);
        assertThat(Hactl.ended(arena, "group", "list").out()).contains("nothing is heard of the agents of " + missing);
    }

    /** The agent as hactl wrote its settings; only what it can't know is put in. */
    private static ServerProcess agent(Path settings, RedisServer server, Path credentials, Path work)
            throws IOException {
        Endpoint address = server.address();
        Path file = settings.resolve(CACHE)
                .resolve(address.host() + "-" + address.port())
                .resolve("ha-agent.yaml");
        Path state = Files.createDirectories(work.resolve("state-" + server.name()));
        Files.writeString(
                file,
                Files.readString(file)
                        .replace("/etc/ha-arbiter/agent-credentials.yaml", credentials.toString())
                        .replace("/var/lib/ha-arbiter/agent", state.toString())
                        .replace("# socket: /run/redis/redis-server.sock", "socket: " + server.socket()));
        return new ServerProcess(
                "agent-" + server.name(),
                Host.here(),
                List.of(Arena.launcher("ha-agent"), "--config", file.toString()),
                work.resolve("agent-" + server.name() + ".log"));
    }

    private static void takeOver(Arena arena, ReplicatedGroup<RedisServer> cache, Map<String, ServerProcess> agents)
            throws Exception {
        RedisServer last = cache.servers().get(MEMBERS - 1);
        for (RedisServer server : cache.servers()) {
            if (server != last) {
                process(agents, server).start();
            }
        }
        GroupView waiting = arena.api()
                .await(
                        CACHE,
                        "misses one agent only",
                        LIMIT,
                        group -> group.expected() != null
                                && group.expected()
                                        .awaited()
                                        .equals(List.of(last.address().toString())));
        assertThat(waiting.phase()).isEqualTo("none");
        assertThat(waiting.problems().get(0)).contains("nothing is heard of the agents of " + last.address());

        process(agents, last).start();
        GroupView adopted = arena.api()
                .await(CACHE, "is adopted", LIMIT, group -> group.phase().equals("steady"));
        assertThat(adopted.durability()).isEqualTo("available, priority 3");
        assertThat(adopted.primary()).isEqualTo(server(1).host() + "-" + PORT);
        assertThat(adopted.expected()).isNull();
        assertThat(arena.api().switches(CACHE))
                .singleElement()
                .satisfies(line -> assertThat(line.kind()).isEqualTo("adoption"));
    }

    private static ServerProcess process(Map<String, ServerProcess> agents, RedisServer server) {
        ServerProcess agent = agents.get(server.name());
        if (agent == null) {
            throw new IllegalStateException("no agent of " + server);
        }
        return agent;
    }

    private static void failOver(Arena arena, ReplicatedGroup<RedisServer> cache) throws Exception {
        arena.api().awaitWhole(CACHE, MEMBERS, LIMIT);
        long before = arena.api().await(CACHE, "is there", LIMIT, group -> true).epoch();
        try (SentinelClient client = SentinelClient.jedis(arena.sentinels(), CACHE)) {
            client.write("before");
            cache.primary().kill9();
            long killed = System.nanoTime();
            awaitWrite(client);
            System.out.printf("written again %d ms after the kill%n", (System.nanoTime() - killed) / 1_000_000);
        }
        GroupView after = arena.api()
                .await(CACHE, "has failed over", LIMIT, g -> g.phase().equals("steady") && g.epoch() > before);
        assertThat(after.primary()).isNotEqualTo(server(1).host() + "-" + PORT);
    }

    private static void awaitWrite(SentinelClient client) throws InterruptedException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                client.write("after");
                return;
            } catch (Exception e) {
                assertThat(System.nanoTime())
                        .as("the client writes again: %s", e)
                        .isLessThan(end);
                TimeUnit.MILLISECONDS.sleep(2);
            }
        }
    }

    @Test
    void whatIsWrongAtARealSentinelIsSaid() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-import-");
        System.out.println("evidence is kept in " + work + " if this fails");
        try (ReplicatedGroup<RedisServer> cache = servers(work, 2);
                SentinelProcess open = start(work, 1, List.of());
                SentinelProcess closed = start(work, 2, List.of("requirepass secret"))) {
            open.awaitKnows(CACHE, 1, 1, LIMIT);
            cache.servers().get(1).kill9();
            awaitDown(open);

            Ended said = alone("import", "sentinel", open.address().toString());
            System.out.println(said.said());
            assertThat(said.code()).isZero();
            assertThat(said.out())
                    .containsPattern(
                            "replica " + server(2) + " is s_down,?(disconnected)?: adoption waits until it runs")
                    .contains("the Sentinel " + closed.address() + " can't be asked: NOAUTH")
                    .containsPattern(server(2) + " +replica +s_down");

            Ended locked = alone("import", "sentinel", closed.address().toString());
            assertThat(locked.code()).isEqualTo(2);
            assertThat(locked.err()).contains(closed.address() + " wants a login, and none was given");
            Path wrong = secret(work.resolve("wrong.yaml"), "default", "guess");
            Ended refused =
                    alone("import", "sentinel", closed.address().toString(), "--credentials-file", wrong.toString());
            assertThat(refused.code()).isEqualTo(2);
            assertThat(refused.err())
                    .contains("refuses the login of default: WRONGPASS")
                    .doesNotContain("guess");
            Path right = secret(work.resolve("right.yaml"), "default", "secret");
            Ended let =
                    alone("import", "sentinel", closed.address().toString(), "--credentials-file", right.toString());
            assertThat(let.code()).as(let.said()).isZero();

            Path root = secret(work.resolve("root.yaml"), Account.ROOT.user(), Account.ROOT.password());
            Ended plain = alone("import", "sentinel", server(1).toString(), "--credentials-file", root.toString());
            assertThat(plain.code()).isEqualTo(2);
            assertThat(plain.err()).contains(server(1) + " isn't a Redis Sentinel but a plain Redis");
            Ended nobody = alone("import", "sentinel", "127.0.62.99:" + PORT);
            assertThat(nobody.code()).isEqualTo(3);
            assertThat(Stream.of(locked, refused, plain, nobody)
                            .map(ended -> ended.err().lines().count()))
                    .containsOnly(1L);
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void awaitDown(SentinelProcess sentinel) throws InterruptedException {
        long end = System.nanoTime() + LIMIT.toNanos();
        String flags = "";
        while (!flags.contains("s_down")) {
            assertThat(System.nanoTime())
                    .as("the replica is down for the Sentinel: %s", flags)
                    .isLessThan(end);
            try (Jedis client = sentinel.connect()) {
                flags = client.sentinelReplicas(CACHE).get(0).getOrDefault("flags", "");
            } catch (JedisException e) {
                flags = e.toString();
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
