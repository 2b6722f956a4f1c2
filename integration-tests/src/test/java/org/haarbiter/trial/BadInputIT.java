package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user sees who gave wrong input, or whose surroundings fail: each time a sentence that says what to do. */
@Tag("servers")
class BadInputIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Far more than a promotion takes here, far less than the retries of a silent DNS server. */
    private static final double PROMOTION_LIMIT_MILLIS = 10_000;

    @Test
    void aWrongSettingsFileNamesEveryMistakeAtOnce(@TempDir Path directory) throws Exception {
        Path master = Files.writeString(directory.resolve("ha-master.yaml"), """
                cluster-id: members
                name: m9
                masters:
                  m1: {raft: "127.0.0.1:70000", agents: "127.0.0.1:7201", admin: "127.0.0.1:7301"}
                data-directory: raft
                audit-file: switches.jsonl
                durability: perhaps
                drain-milis: 5000
                timing: {profile: quick}
                """);
        Ended wrongMaster = started("ha-master", master);
        assertThat(wrongMaster.code()).as(wrongMaster.said()).isEqualTo(2);
        assertThat(wrongMaster.said())
                .contains("70000", "durability", "perhaps", "lossless", "drain-milis", "profile", "quick", "fast");
        Path agent = Files.writeString(directory.resolve("ha-agent.yaml"), """
                group: Members!
                member: a
                site: north
                address: "127.0.0.1"
                masters: ["127.0.0.1:7201"]
                state-directory: state
                engine: oracle
                colour: blue
                server:
                  socket: s.sock
                  credentials-file: missing.yaml
                  replication-credentials-file: missing.yaml
                  data-directory: data
                """);
        Ended wrongAgent = started("ha-agent", agent);
        assertThat(wrongAgent.code()).as(wrongAgent.said()).isEqualTo(2);
        assertThat(wrongAgent.said())
                .contains("Members!", "address", "engine", "oracle", "mariadb", "colour", "missing.yaml");
        assertThat(directory.resolve("raft")).doesNotExist();
        assertThat(directory.resolve("state")).doesNotExist();
    }

    @Test
    void failingSurroundingsAreShownAndTheSwitchWaitsForNoDns() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-bad-");
        System.out.println("evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(ArenaPlan.Engine.MARIADB, work, false))) {
            arena.api().awaitWhole(Arena.GROUP, 4, LIMIT);
            aSilentDnsServerDelaysNoPromotion(arena);
            wrongCredentialsAreNamed(arena);
            tooManyConnectionsAreNamed(arena);
            anUnreachableMasterIsNamed(arena);
        }
        Arena.deleteWorkDirectory(work);
    }

    @Test
    void aGroupThatCannotBeAdoptedAndAZoneThatRefusesAreNamed() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-bad-");
        System.out.println("evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(ArenaPlan.Engine.MARIADB, work, false))) {
            for (SqlServer server : arena.group().servers()) {
                arena.agent(server.name()).close();
            }
            Path keyFile = work.resolve("zone-key.yaml");
            Files.writeString(keyFile, "user: arbiter.\npassword: \"" + "A".repeat(43) + "=\"\n");
            for (int i = 1; i <= 3; i++) {
                arena.master("m" + i).close();
                arena.master("m" + i).start();
            }
            SqlServer first = arena.group().primary();
            SqlServer other = arena.group().servers().get(3);
            first.openByHand();
            other.asRoot("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = 0");
            for (SqlServer server : arena.group().servers()) {
                arena.agent(server.name()).start();
            }
            String shown = awaitShown(arena, "2 members follow nobody", "status");
            assertThat(shown).contains(first.name(), other.name());
            assertThat(awaitShown(arena, "2 members follow nobody", "why", Arena.GROUP))
                    .contains(first.name(), other.name());
            assertThat(arena.api().group(Arena.GROUP))
                    .satisfies(g -> assertThat(g.epoch()).isZero());
            assertThat(first.askRoot("SELECT @@read_only")).isEqualTo("0");
            assertThat(other.askRoot("SELECT @@read_only")).isEqualTo("0");

            other.asRoot("SET GLOBAL read_only = 1");
            other.provisionReplicaOf(first);
            assertThat(awaitShown(arena, "BADSIG", "status")).contains("promoted, DNS pending", "Copy the secret");
            assertThat(awaitShown(arena, "BADSIG", "why", Arena.GROUP)).contains("Copy the secret");
            arena.api()
                    .await(
                            Arena.GROUP,
                            "is open in spite of DNS",
                            LIMIT,
                            g -> g.members().stream()
                                    .anyMatch(m ->
                                            m.role().equals("primary") && m.writable() && m.openEpoch() == g.epoch()));
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void aSilentDnsServerDelaysNoPromotion(Arena arena) throws Exception {
        SqlServer old = arena.awaitSteady(LIMIT);
        WriteLoad load = WriteLoad.start(
                arena.byMembers(), WriteLoad.Behaviour.of(4, 100).warming(arena.addresses()));
        WriteHistory.Outage outage;
        try (load) {
            load.awaitAcknowledged(100, LIMIT);
            arena.dns().freeze();
            long struck = System.nanoTime();
            old.kill9();
            outage = load.awaitOutageEnd(struck, old.address(), LIMIT);
            load.awaitAcknowledged(load.history().ids().size() + 50, LIMIT);
        }
        System.out.println("with a silent DNS server the first write at the new primary came after "
                + outage.firstNewMillis() + " ms");
        assertThat(outage.firstNewMillis()).isLessThan(PROMOTION_LIMIT_MILLIS);
        SqlServer fresh = arena.group().at(outage.newServer());
        assertThat(awaitShown(arena, "promoted, DNS pending", "status")).contains(fresh.name());
        assertThat(awaitShown(arena, "pending", "group", "show", Arena.GROUP)).contains(fresh.name());
        assertThat(awaitShown(arena, fresh.name(), "log")).contains("pending");
        awaitMetric(arena, "ha_dns_pending{group=\"" + Arena.GROUP + "\",} 1.0");
        arena.dns().thaw();
        arena.api().awaitPublished(Arena.GROUP, LIMIT);
        assertThat(arena.dns().lookUp(arena.writeName()))
                .contains(fresh.address().host());
        awaitMetric(arena, "ha_dns_pending{group=\"" + Arena.GROUP + "\",} 0.0");
        old.start();
        arena.api().awaitWhole(Arena.GROUP, 4, LIMIT);
    }

    private static void wrongCredentialsAreNamed(Arena arena) throws Exception {
        SqlServer replica = replica(arena);
        Path file = arena.plan().work().resolve("agent-" + replica.name()).resolve("credentials.yaml");
        String right = Files.readString(file);
        Files.writeString(file, "user: " + Account.AGENT.user() + "\npassword: wrong\n");
        arena.agent(replica.name()).close();
        arena.agent(replica.name()).start();
        String[] wanted = {replica.name(), "Access denied", "check user and password", "credentials.yaml"};
        assertThat(awaitShown(arena, "can't log in", "status")).contains(wanted);
        assertThat(awaitShown(arena, "can't log in", "why", Arena.GROUP)).contains(wanted);
        Files.writeString(file, right);
        arena.agent(replica.name()).close();
        arena.agent(replica.name()).start();
        arena.api().awaitWhole(Arena.GROUP, 4, LIMIT);
    }

    private static void tooManyConnectionsAreNamed(Arena arena) throws Exception {
        SqlServer replica = replica(arena);
        arena.agent(replica.name()).close();
        String before = replica.askRoot("SELECT @@max_connections");
        List<Connection> taken = new ArrayList<>();
        try {
            replica.asRoot("SET GLOBAL max_connections = 10");
            boolean full = false;
            while (!full) {
                try {
                    taken.add(DriverManager.getConnection(replica.url(Account.APPLICATION)));
                } catch (SQLException e) {
                    assertThat(e.getErrorCode()).as(e.getMessage()).isEqualTo(1040);
                    full = true;
                }
                assertThat(taken.size()).isLessThan(100);
            }
            arena.agent(replica.name()).start();
            assertThat(awaitShown(arena, "turns new connections away", "status"))
                    .contains(replica.name(), "Too many connections", "max_connections");
            assertThat(awaitShown(arena, "turns new connections away", "why", Arena.GROUP))
                    .contains("raise max_connections");
        } finally {
            for (Connection connection : taken) {
                connection.close();
            }
        }
        arena.api().awaitWhole(Arena.GROUP, 4, LIMIT);
        replica.asRoot("SET GLOBAL max_connections = " + before);
    }

    private static void anUnreachableMasterIsNamed(Arena arena) throws Exception {
        SqlServer replica = replica(arena);
        Path log = arena.plan().work().resolve("agent-" + replica.name()).resolve("log");
        int before = lines(log);
        arena.master("m3").close();
        assertThat(awaitShown(arena, "master m3 (127.0.0.1:17103) is unreachable", "status"))
                .contains("start it, or replace it with hactl master remove and add");
        URI metrics =
                URI.create("http://" + replica.address().host() + ":" + (17_400 + replica.serverId()) + "/metrics");
        await("the agent counts two masters", () -> fetch(metrics).contains("ha_agent_masters_connected 2.0"));
        // Time for many attempts: the agent must not write a line for each.
        long start = System.nanoTime();
        await("five seconds have passed", () -> System.nanoTime() - start > TimeUnit.SECONDS.toNanos(5));
        assertThat(lines(log) - before).as(Files.readString(log)).isBetween(1, 5);
        Ended dead = Hactl.ended(arena, "--masters", "127.0.0.1:17303", "status");
        assertThat(dead.code()).isEqualTo(3);
        assertThat(dead.said()).contains("no master can be reached: 127.0.0.1:17303 refuses connections");
        arena.master("m3").start();
        await("the agent counts three masters", () -> fetch(metrics).contains("ha_agent_masters_connected 3.0"));
    }

    private static int lines(Path file) throws IOException {
        return Files.readAllLines(file, StandardCharsets.UTF_8).size();
    }

    private static SqlServer replica(Arena arena) throws IOException {
        SqlServer primary = arena.awaitSteady(LIMIT);
        return arena.group().servers().stream()
                .filter(s -> s != primary)
                .findFirst()
                .orElseThrow();
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long start = System.nanoTime();
        while (!condition.holds()) {
            assertThat(System.nanoTime() - start).as("waiting until %s", what).isLessThan(LIMIT.toNanos());
            LockSupport.parkNanos(100_000_000);
        }
    }

    /** Asks the real hactl until its output holds the text; returns the output. */
    private static String awaitShown(Arena arena, String text, String... arguments) throws Exception {
        long start = System.nanoTime();
        while (true) {
            Ended ended = Hactl.ended(arena, arguments);
            if (ended.code() == 0 && ended.said().contains(text)) {
                System.out.println("$ hactl " + String.join(" ", arguments) + "\n" + ended.said());
                return ended.said();
            }
            assertThat(System.nanoTime() - start)
                    .as("hactl %s should show '%s' and shows:%n%s", List.of(arguments), text, ended.said())
                    .isLessThan(LIMIT.toNanos());
        }
    }

    private static Ended started(String daemon, Path settings) throws IOException, InterruptedException {
        return Ended.of(new ProcessBuilder(Arena.launcher(daemon), "--config", settings.toString()));
    }

    private static void awaitMetric(Arena arena, String line) throws Exception {
        await("a master's metrics say " + line, () -> {
            for (String console : arena.api().consoles()) {
                if (fetch(URI.create(console).resolve("/metrics")).contains(line)) {
                    return true;
                }
            }
            return false;
        });
    }

    private static String fetch(URI address) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
