package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.HaproxyServer;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteLoad;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A real HAProxy, with the configuration of conf/haproxy.cfg, asks the agents where writers and readers are to go: clients that know only
 * HAProxy follow a failover and lose nothing, at no moment are writers sent to two servers, and a replica that lags gets no readers.
 */
@Tag("servers")
class HaproxyIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MEMBERS = 3;
    private static final String WRITE = "orders-write";
    private static final String READ = "orders-read";

    @Test
    void clientsOfALoadBalancerFollowASwitch() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-haproxy-");
        System.out.println("evidence is kept in " + work + " if this fails");
        ArenaPlan plan = ArenaPlan.of(ArenaPlan.Engine.MYSQL, work, false).withMembers(MEMBERS);
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            SqlServer old = arena.awaitSteady(LIMIT);
            Endpoint write = FreeEndpoint.at("127.0.0.1");
            Endpoint read = FreeEndpoint.at("127.0.0.1");
            try (HaproxyServer haproxy =
                    new HaproxyServer(work.resolve("haproxy"), configuration(arena, write, read))) {
                haproxy.start();
                awaitUp(haproxy, WRITE, List.of(old.name()));
                awaitUp(haproxy, READ, others(arena, List.of(old.name())));
                assertThat(serverId(read)).isNotEqualTo(serverId(write)).isPositive();

                readersAreKeptFromAReplicaThatLags(arena, haproxy, old);
                writersFollow(arena, haproxy, old, write);
            }
        }
        Arena.deleteWorkDirectory(work);
    }

    /** The sample, with this machine's addresses and a limit on the lag that is reached sooner. */
    private static String configuration(Arena arena, Endpoint write, Endpoint read) throws IOException {
        String text = Files.readString(Path.of("..", "conf", "haproxy.cfg"))
                .replace("10.0.1.5:3306", write.toString())
                .replace("10.0.1.5:3307", read.toString())
                .replace("max-lag=5s", "max-lag=1s");
        for (int i = 1; i <= MEMBERS; i++) {
            SqlServer server = arena.group().servers().get(i - 1);
            text = text.replace(
                    "server orders-" + i + " 10.0.1.2" + i + ":3306 check port 9201",
                    "server " + server.name() + " " + server.address() + " check port "
                            + arena.health(server).port());
        }
        assertThat(text).doesNotContain("10.0.1.");
        return text;
    }

    private static void readersAreKeptFromAReplicaThatLags(Arena arena, HaproxyServer haproxy, SqlServer primary)
            throws Exception {
        String lagging = others(arena, List.of(primary.name())).get(0);
        try (Connection root = arena.server(lagging).root();
                Statement statement = root.createStatement();
                WriteLoad load = WriteLoad.start(
                        new WriteLoad.AnyMember(List.of(primary.address())),
                        WriteLoad.Behaviour.of(1, 50).startingAt(1_000_000))) {
            // What the primary sends can't be applied while somebody else has the table.
            statement.execute("LOCK TABLES app.writes READ");
            load.awaitAcknowledged(1, LIMIT);
            awaitUp(haproxy, READ, others(arena, List.of(primary.name(), lagging)));
            statement.execute("UNLOCK TABLES");
            awaitUp(haproxy, READ, others(arena, List.of(primary.name())));
        }
    }

    private static void writersFollow(Arena arena, HaproxyServer haproxy, SqlServer old, Endpoint write)
            throws Exception {
        WriteLoad load = WriteLoad.start(new WriteLoad.AnyMember(List.of(write)), WriteLoad.Behaviour.of(2, 100));
        ConcurrentLinkedQueue<String> two = new ConcurrentLinkedQueue<>();
        AtomicLong looks = new AtomicLong();
        AtomicBoolean over = new AtomicBoolean();
        Thread watch = new Thread(() -> watch(haproxy, over, looks, two), "watches-haproxy");
        SqlServer fresh;
        long outageMillis;
        try (load) {
            load.awaitAcknowledged(200, LIMIT);
            watch.start();
            long struck = System.nanoTime();
            old.kill9();
            fresh = arena.server(arena.api()
                    .await(
                            Arena.GROUP,
                            "has failed over",
                            LIMIT,
                            g -> g.phase().equals("steady") && !g.primary().equals(old.name()))
                    .primary());
            awaitUp(haproxy, WRITE, List.of(fresh.name()));
            load.awaitAcknowledgedBy(write, LIMIT);
            outageMillis = (System.nanoTime() - struck) / 1_000_000;
        } finally {
            over.set(true);
            watch.join(LIMIT.toMillis());
        }
        assertThat(load.verify(fresh)).as("acknowledged writes that were lost").isEmpty();
        assertThat(two)
                .as("moments with two servers for writers, of %s looks", looks)
                .isEmpty();
        assertThat(looks).hasValueGreaterThan(20);
        System.out.println("through HAProxy writes went on " + outageMillis
                + " ms after the kill at most; its backend was looked at " + looks + " times");
    }

    private static void watch(
            HaproxyServer haproxy, AtomicBoolean over, AtomicLong looks, ConcurrentLinkedQueue<String> two) {
        while (!over.get()) {
            try {
                List<String> up = haproxy.up(WRITE);
                looks.incrementAndGet();
                if (up.size() > 1) {
                    two.add(haproxy.servers(WRITE).toString());
                }
            } catch (IOException e) {
                two.add("not seen: " + e.getMessage());
                return;
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static List<String> others(Arena arena, List<String> names) {
        return arena.group().servers().stream()
                .<String>map(SqlServer::name)
                .filter(name -> !names.contains(name))
                .toList();
    }

    private static void awaitUp(HaproxyServer haproxy, String backend, List<String> servers) throws Exception {
        await(backend + " to have " + servers, () -> haproxy.up(backend), servers);
    }

    private static void await(String what, Callable<List<String>> asked, List<String> expected) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        String last = "";
        while (System.nanoTime() - end < 0) {
            try {
                List<String> said = asked.call();
                if (said.equals(expected)) {
                    return;
                }
                last = said.toString();
            } catch (IOException e) {
                last = String.valueOf(e.getMessage());
            }
            LockSupport.parkNanos(10_000_000);
        }
        throw new AssertionError("not within " + LIMIT + ": " + what + ", but " + last);
    }

    private static long serverId(Endpoint frontend) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:mysql://" + frontend + "/?sslMode=DISABLED&allowPublicKeyRetrieval=true",
                        Account.ROOT.user(),
                        Account.ROOT.password());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT @@server_id")) {
            row.next();
            return row.getLong(1);
        }
    }
}
