package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

@Tag("servers")
class DatabaseServersIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    enum Kind {
        MYSQL,
        MARIADB;

        ReplicatedGroup<SqlServer> start(Path work, List<Endpoint> addresses) throws IOException {
            return this == MYSQL ? ReplicatedGroup.mysql(work, addresses) : ReplicatedGroup.mariadb(work, addresses);
        }
    }

    private static List<Endpoint> addresses(int servers) {
        List<Endpoint> addresses = new ArrayList<>();
        for (int i = 1; i <= servers; i++) {
            addresses.add(new Endpoint("127.0.211." + i, 24_306));
        }
        return addresses;
    }

    @ParameterizedTest
    @EnumSource
    void aGroupStartsFencedReplicatesAndTheCheckerFindsAPlantedLoss(Kind kind, @TempDir Path work) throws Exception {
        try (ReplicatedGroup<SqlServer> group = kind.start(work, addresses(2))) {
            SqlServer primary = group.primary();
            SqlServer replica = group.servers().get(1);
            assertThatThrownBy(() -> writeOne(primary)).isInstanceOf(SQLException.class);

            group.openByHand();
            WriteLoad load = WriteLoad.start(new WriteLoad.AnyMember(addresses(2)), WriteLoad.Behaviour.of(4, 400));
            load.awaitAcknowledged(200, LIMIT);
            load.close();
            awaitSameRows(primary, replica);

            assertThat(load.history().acknowledgements())
                    .allMatch(a -> a.server().equals(primary.address()));
            assertThat(load.verify(primary)).isEmpty();
            assertThat(load.verify(replica)).isEmpty();

            long planted = load.history().ids().get(100);
            primary.asRoot("DELETE FROM app.writes WHERE id=" + planted);
            SortedSet<Long> lost = load.verify(primary);
            assertThat(lost).containsExactly(planted);

            // A server that was killed comes back fenced.
            primary.kill9();
            primary.awaitEnd(LIMIT);
            primary.start();
            primary.awaitReady(LIMIT);
            assertThatThrownBy(() -> writeOne(primary)).isInstanceOf(SQLException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFrozenServerAnswersNothingUntilItIsThawed(Kind kind, @TempDir Path work) throws Exception {
        try (ReplicatedGroup<SqlServer> group = kind.start(work, addresses(1))) {
            SqlServer server = group.primary();
            group.openByHand();
            writeOne(server);

            server.freeze();
            assertThatThrownBy(() -> Jdbc.connect(Jdbc.url(server.address(), Account.APPLICATION, 300, 300)))
                    .isInstanceOf(SQLException.class);
            assertThat(server.isAlive()).isTrue();

            server.thaw();
            server.awaitReady(LIMIT);
            assertThat(server.askRoot("SELECT COUNT(*) FROM app.writes")).isEqualTo("1");
        }
    }

    @Test
    void twoOpenServersAreSeenAsTwoWriters(@TempDir Path work) throws Exception {
        try (ReplicatedGroup<SqlServer> group = ReplicatedGroup.mariadb(work, addresses(2))) {
            for (SqlServer server : group.servers()) {
                server.openByHand();
            }
            WriteLoad load = WriteLoad.start(new WriteLoad.AnyMember(addresses(2)), WriteLoad.Behaviour.of(2, 200));
            load.awaitAcknowledgedBy(addresses(2).get(1), LIMIT);
            load.awaitAcknowledgedBy(addresses(2).get(0), LIMIT);
            load.awaitAcknowledgedBy(addresses(2).get(1), LIMIT);
            load.awaitAcknowledgedBy(addresses(2).get(0), LIMIT);
            load.close();

            assertThat(load.history().twoWritersMillis()).isPositive();
            assertThat(load.history().provenTwoWritersMillis()).isPositive();
            assertThat(load.verify(group.primary())).isNotEmpty();
        }
    }

    @Test
    void aRedisGroupStartsFencedReplicatesAndComesBackFenced(@TempDir Path work) throws Exception {
        try (ReplicatedGroup<RedisServer> group = ReplicatedGroup.redis(work, addresses(2), Servers.redis())) {
            RedisServer primary = group.primary();
            RedisServer replica = group.servers().get(1);
            assertThatThrownBy(() -> add(primary, "0"))
                    .isInstanceOf(JedisDataException.class)
                    .hasMessageContaining("READONLY");

            group.openByHand();
            for (int i = 1; i <= 200; i++) {
                add(primary, Integer.toString(i));
            }
            awaitMembers(replica, 200);
            assertThatThrownBy(() -> add(replica, "201")).hasMessageContaining("READONLY");

            // What is in memory only is gone after a kill; the replica keeps it, for the source comes back fenced.
            primary.kill9();
            primary.awaitEnd(LIMIT);
            primary.start();
            primary.awaitReady(LIMIT);
            assertThat(members(primary)).isZero();
            assertThatThrownBy(() -> add(primary, "0")).hasMessageContaining("READONLY");
            try (Jedis root = replica.connect(Account.ROOT)) {
                long deadline = System.nanoTime() + LIMIT.toNanos();
                while (!root.info("replication").contains("master_link_status:down")) {
                    assertThat(System.nanoTime()).isLessThan(deadline);
                }
            }
            assertThat(members(replica)).isEqualTo(200);
        }
    }

    @Test
    void aFrozenRedisAnswersNothingUntilItIsThawed(@TempDir Path work) throws Exception {
        try (ReplicatedGroup<RedisServer> group = ReplicatedGroup.redis(work, addresses(1), Servers.redis())) {
            RedisServer server = group.primary();
            group.openByHand();
            add(server, "1");

            server.freeze();
            assertThatThrownBy(() -> server.connect(Account.APPLICATION, 300))
                    .isInstanceOf(JedisConnectionException.class);
            assertThat(server.isAlive()).isTrue();

            server.thaw();
            server.awaitReady(LIMIT);
            assertThat(members(server)).isEqualTo(1);
        }
    }

    private static void add(RedisServer server, String member) {
        try (Jedis application = server.connect(Account.APPLICATION)) {
            application.sadd("writes", member);
        }
    }

    private static long members(RedisServer server) {
        try (Jedis root = server.connect(Account.ROOT)) {
            return root.scard("writes");
        }
    }

    private static void awaitMembers(RedisServer server, long count) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (members(server) != count) {
            assertThat(System.nanoTime())
                    .as("time for %s to have %d members, it has %d", server, count, members(server))
                    .isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static void writeOne(SqlServer server) throws SQLException {
        try (Connection connection = Jdbc.connect(server.url(Account.APPLICATION))) {
            connection.createStatement().executeUpdate("INSERT INTO app.writes (id) VALUES (-1)");
        }
    }

    private static void awaitSameRows(SqlServer one, SqlServer other) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        String question = "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(id), 0)) FROM app.writes";
        // Both anew each time: the last writes of a client that was cut off may still be on their way.
        while (!other.askRoot(question).equals(one.askRoot(question))) {
            assertThat(System.nanoTime())
                    .as("time for %s to have the rows of %s", other, one)
                    .isLessThan(deadline);
            Thread.sleep(10);
        }
    }
}
