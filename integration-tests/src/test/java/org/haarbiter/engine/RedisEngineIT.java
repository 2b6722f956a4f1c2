package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.redis.RedisEngine;
import org.haarbiter.agent.engine.redis.RedisSettings;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.ServerPlan;
import org.haarbiter.lab.Servers;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;

@Tag("servers")
class RedisEngineIT extends EngineContract<RedisServer> {
    private static final String ROWS = "writes";
    private static final String UNKNOWN_HISTORY = "00000000000000000000000000000000000000ab";

    @Override
    ReplicatedGroup<RedisServer> start(Path directory, List<Endpoint> addresses) throws IOException {
        return ReplicatedGroup.redis(directory, addresses, program());
    }

    /** What the servers run. */
    Servers.Program program() {
        return Servers.redis();
    }

    @Override
    Engine engine(RedisServer server, String password) {
        return engine(server, password, server.socket());
    }

    private Engine engine(RedisServer server, String password, @Nullable Path socket) {
        return new RedisEngine(settings(server, server.address(), password, socket, null));
    }

    private RedisSettings settings(
            RedisServer server, Endpoint address, String password, @Nullable Path socket, @Nullable TlsSettings tls) {
        return new RedisSettings(
                address,
                socket,
                server.dataDir(),
                Account.AGENT.user(),
                password,
                "/etc/ha-arbiter/agent.yaml",
                null,
                null,
                tls,
                HUNG_MILLIS,
                2_000,
                2,
                work.resolve("agent-of-" + server.name()));
    }

    @Override
    Clients<RedisServer> clients() {
        return new JedisClients();
    }

    private static final class JedisClients implements Clients<RedisServer> {
        @Override
        public Client connect(RedisServer server) throws Refused {
            try {
                return new JedisClient(server.connect(Account.APPLICATION));
            } catch (JedisException e) {
                throw new Refused(e);
            }
        }

        @Override
        public Set<Long> rows(RedisServer server) {
            try (Jedis root = server.connect(Account.ROOT)) {
                return root.smembers(ROWS).stream().map(Long::valueOf).collect(Collectors.toSet());
            }
        }
    }

    /** A write that is waited for is acknowledged once a replica has it: without WAIT Redis says yes to what it may lose. */
    private record JedisClient(Jedis jedis) implements Clients.Client {
        @Override
        public void write(long id, boolean acknowledged) throws Refused {
            try {
                jedis.sadd(ROWS, Long.toString(id));
                if (acknowledged && jedis.waitReplicas(1, 0) < 1) {
                    throw new Refused(new IOException("no replica has " + id));
                }
            } catch (JedisException e) {
                throw new Refused(e);
            }
        }

        @Override
        public void close() throws Refused {
            try {
                jedis.close();
            } catch (JedisException e) {
                throw new Refused(e);
            }
        }
    }

    @Override
    String addressPrefix() {
        return "127.0.215.";
    }

    @Override
    int acknowledgers() {
        return 0;
    }

    @Override
    String unreachable() {
        return UNKNOWN_HISTORY + ":5";
    }

    /** A script of one and a half seconds: until it ends the server answers nobody. */
    @Override
    AutoCloseable holdUp(RedisServer server) throws Exception {
        return script(server, 1_500, false);
    }

    private static AutoCloseable script(RedisServer server, int millis, boolean writes) throws InterruptedException {
        String text = (writes ? "redis.call('SADD', 'writes', '424242') " : "")
                + "local began = redis.call('TIME') "
                + "local function passed() local now = redis.call('TIME') "
                + "return (now[1] - began[1]) * 1000 + (now[2] - began[2]) / 1000 end "
                + "while passed() < " + millis + " do end return 1";
        Thread thread = new Thread(
                () -> {
                    try (Jedis application = server.connect(Account.APPLICATION, 60_000)) {
                        application.eval(text);
                    } catch (JedisException e) {
                        // Whether it is killed is the test's business.
                        assertThat(e).isNotNull();
                    }
                },
                "script");
        thread.start();
        // It runs once others get no answer, or are told that it does.
        long deadline = System.nanoTime() + Seat.LIMIT.toNanos();
        while (true) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            try (Jedis root = server.connect(Account.ROOT, 100)) {
                root.ping();
            } catch (JedisException e) {
                break;
            }
        }
        return () -> thread.join(Seat.LIMIT.toMillis());
    }

    @Override
    String accountStatement() {
        return "ACL SETUSER";
    }

    @Override
    void breakAPromise(RedisServer server) {
        server.configure("min-replicas-max-lag", "0");
    }

    @Override
    String brokenPromise() {
        return "min-replicas-max-lag is 0 (must be at least 1)";
    }

    @Override
    void limitConnections(RedisServer server, int limit) {
        server.configure("maxclients", Integer.toString(limit));
    }

    @Override
    String connectionsSetting() {
        return "maxclients";
    }

    @Override
    void duringSurplus(RedisServer server) {}

    /** The snapshot is one that a server can start with. */
    @Override
    void checkSurplus(Surplus surplus) throws Exception {
        assertThat(surplus.transactions()).isPositive();
        assertThat(surplus.positions()).contains(":");
        String note = Files.readString(surplus.file()
                .resolveSibling(surplus.file().getFileName().toString().replace(".rdb", ".txt")));
        assertThat(note).contains("1 keys", surplus.positions());
        RedisServer reader =
                new RedisServer(ServerPlan.of("reader", new Endpoint(addressPrefix() + 8, 24_316), 8, work), program());
        try (reader) {
            Files.createDirectories(reader.dataDir());
            reader.startFrom(surplus.file());
            reader.awaitReady(Seat.LIMIT);
            assertThat(clients().rows(reader)).contains(5L, 101L, 107L).doesNotContain(200L);
        }
    }

    @Override
    void makeSurplusImpossible(RedisServer server) throws IOException {
        Files.delete(server.dataDir().resolve("dump.rdb"));
        Files.createDirectory(server.dataDir().resolve("dump.rdb"));
        Files.createFile(server.dataDir().resolve("dump.rdb").resolve("in-the-way"));
    }

    @Override
    String whyImpossible() {
        return "couldn't write its snapshot";
    }

    @Override
    boolean dropsDataFirst() {
        return false;
    }

    @Override
    void slowCopies(Seat<RedisServer> recipient, Seat<RedisServer> donor) {
        donor.server.configure("rdb-key-save-delay", "50000");
    }

    @Override
    void fill(RedisServer server) {
        try (Jedis root = server.connect(Account.ROOT)) {
            String large = "x".repeat(400_000);
            for (int i = 0; i < 160; i++) {
                root.set("large-" + i, i + large);
            }
            // Copies are as large as the data, and a donor that is started again still has it.
            root.configSet("rdbcompression", "no");
            root.save();
        }
    }

    // Redis' own.

    @Test
    void aScriptThatHasWrittenIsFencedByKillingTheServer() throws Exception {
        seats(1);
        Seat<RedisServer> seat = seats.get(0);
        seat.server.configure("busy-reply-threshold", "50");
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        assertThat(seat.look().writable()).isTrue();
        try (AutoCloseable script = script(seat.server, 30_000, true)) {
            assertThat(script).isNotNull();
            Observation busy = seat.awaitState(ServerState.REFUSING);
            assertThat(busy.detail()).contains("busy with a script");
            assertThat(busy.writable()).isTrue();
            long start = System.nanoTime();
            seat.engine.fence(Seat.LIMIT);
            figure("fence of a server that is busy with a script that has written", start, System.nanoTime());
        }
        assertThat(seat.deaths.poll(10, TimeUnit.SECONDS)).isNotNull();
        assertThat(seat.look().state()).isEqualTo(ServerState.DEAD);
    }

    @Test
    void aScriptThatHasNotWrittenIsEndedByTheFence() throws Exception {
        seats(1);
        Seat<RedisServer> seat = seats.get(0);
        seat.server.configure("busy-reply-threshold", "50");
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        try (AutoCloseable script = script(seat.server, 30_000, false)) {
            assertThat(script).isNotNull();
            seat.awaitState(ServerState.REFUSING);
            long start = System.nanoTime();
            seat.engine.fence(Seat.LIMIT);
            figure("fence of a server that is busy with a script", start, System.nanoTime());
        }
        assertThat(seat.awaitState(ServerState.RUNNING).writable()).isFalse();
        assertThat(seat.deaths).isEmpty();
    }

    @Test
    void aServerThatReadsItsFileIsStarting() throws Exception {
        seats(1);
        Seat<RedisServer> seat = seats.get(0);
        RedisServer server = seat.server;
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        try (Jedis root = server.connect(Account.ROOT)) {
            for (int i = 0; i < 500; i++) {
                root.set("k" + i, "v");
            }
            root.save();
        }
        Observation before = seat.look();
        server.kill9();
        server.awaitEnd(Seat.LIMIT);
        server.addSetting("key-load-delay 4000");
        server.addSetting("loading-process-events-interval-bytes 1024");
        server.start();
        // Until it gives its first answer nobody can tell that it reads.
        Observation starting = seat.awaitState(ServerState.STARTING);
        assertThat(starting.instance()).isNotEmpty().isNotEqualTo(before.instance());
        assertThat(starting.detail()).contains("reads its data");
        assertThat(starting.writable()).isFalse();
        Observation up = seat.awaitState(ServerState.RUNNING);
        assertThat(up.writable()).isFalse();
        assertThat(up.received()).isNotEmpty();
    }

    @Test
    void replicasKeepTheirDataWhenAPrimaryComesBackEmpty() throws Exception {
        losslessGroup(3);
        Seat<RedisServer> primary = seats.get(0);
        for (int id = 1; id <= 50; id++) {
            primary.write(id);
        }
        for (Seat<RedisServer> replica : seats.subList(1, 3)) {
            awaitRow(replica, 50);
        }
        Observation before = primary.look();
        primary.server.restart();
        primary.await("another instance", seen -> !seen.instance().equals(before.instance()));
        Observation empty = primary.awaitState(ServerState.RUNNING);
        assertThat(empty.writable()).isFalse();
        assertThat(empty.received()).isEmpty();
        // Each replica has tried to receive from it again, and was refused.
        for (Seat<RedisServer> replica : seats.subList(1, 3)) {
            long deadline = System.nanoTime() + Seat.LIMIT.toNanos();
            while (!Files.readString(replica.server.errorLog()).contains("NOMASTERLINK")) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                LockSupport.parkNanos(5_000_000);
            }
            assertThat(replica.rows()).hasSize(50);
            assertThat(replica.look().received()).isNotEmpty();
        }
    }

    @Test
    void whoFollowsANewPrimaryTakesNoWholeCopy() throws Exception {
        losslessGroup(3);
        Seat<RedisServer> old = seats.get(0);
        Seat<RedisServer> winner = seats.get(1);
        Seat<RedisServer> loser = seats.get(2);
        old.write(1);
        awaitRow(winner, 1);
        awaitRow(loser, 1);
        Observation drained = Objects.requireNonNull(old.engine.drain(Seat.LIMIT));
        String upTo = drained.received();
        long start = System.nanoTime();
        winner.engine.promote(new Promotion(2, upTo, 0), () -> true, Seat.LIMIT);
        figure("promote in a planned switch", start, System.nanoTime());
        loser.engine.follow(new Following(winner.server.address(), true), Seat.LIMIT);
        old.engine.follow(new Following(winner.server.address(), true), Seat.LIMIT);
        awaitFollowing(loser, winner);
        awaitFollowing(old, winner);
        winner.write(2);
        awaitRow(loser, 2);
        awaitRow(old, 2);
        try (Jedis root = winner.server.connect(Account.ROOT)) {
            String stats = root.info("stats");
            assertThat(stats).contains("sync_full:0", "sync_partial_ok:2");
        }
        assertThat(position(old, winner.look().received()).covers(position(old, upTo)))
                .isTrue();
    }

    @Test
    void aDrainedPrimaryStandsStillUntilItIsOpenedAgain() throws Exception {
        losslessGroup(2);
        Seat<RedisServer> primary = seats.get(0);
        String settings = settings(primary);
        try (Jedis root = primary.server.connect(Account.ROOT)) {
            // What expires while it is drained must not make its history longer either.
            root.set("short-lived", "x", SetParams.setParams().px(1_000));
        }
        try (Writers<RedisServer> writers = new Writers<>(primary, 8, 1).awaitAcknowledged(200)) {
            long start = System.nanoTime();
            Observation drained = Objects.requireNonNull(primary.engine.drain(Seat.LIMIT));
            figure("drain under load", start, System.nanoTime());
            // No ping of the primary makes its history longer than what the replica can have.
            long looks = System.nanoTime();
            while (millisSince(looks) < 1_500) {
                assertThat(primary.look().received()).isEqualTo(drained.received());
                LockSupport.parkNanos(20_000_000);
            }
            assertThat(seats.get(1).look().received()).isEqualTo(drained.received());
            assertThatThrownBy(() -> primary.write(1_000_000))
                    .isInstanceOf(Refused.class)
                    .hasMessageContaining("NOREPLICAS");
            writers.awaitEnd();
            assertThat(rows(seats.get(1))).containsAll(writers.acknowledged.keySet());
            primary.engine.promote(new Promotion(2, drained.received(), 0), () -> true, Seat.LIMIT);
            primary.write(1_000_001);
        }
        assertThat(settings(primary)).isEqualTo(settings);
    }

    private static String settings(Seat<RedisServer> seat) {
        try (Jedis root = seat.server.connect(Account.ROOT)) {
            return root.configGet("min-replicas-*") + " " + root.configGet("repl-ping-replica-period");
        }
    }

    @Test
    void aReplicaIsAsImportantAsItsOwnSettingsSay() throws Exception {
        seats(1);
        Seat<RedisServer> seat = seats.get(0);
        assertThat(seat.look().priority()).isEqualTo(100);
        seat.server.configure("replica-priority", "0");
        assertThat(seat.look().priority()).isZero();
    }

    @Test
    void minReplicasAreKeptOverASwitch() throws Exception {
        losslessGroup(2);
        Seat<RedisServer> first = seats.get(0);
        Seat<RedisServer> second = seats.get(1);
        first.engine.requireAcknowledgers(0, 1, Seat.LIMIT);
        assertThat(first.look().acknowledgersRequired()).isEqualTo(1);
        first.write(1);
        String upTo = Objects.requireNonNull(first.engine.drain(Seat.LIMIT)).received();
        assertThat(first.look().acknowledgersRequired()).isZero();
        second.engine.promote(new Promotion(2, upTo, 1), () -> true, Seat.LIMIT);
        assertThat(second.look().acknowledgersRequired()).isEqualTo(1);
        assertThatThrownBy(() -> second.write(2)).isInstanceOf(Refused.class).hasMessageContaining("NOREPLICAS");
        first.engine.follow(new Following(second.server.address(), true), Seat.LIMIT);
        awaitFollowing(first, second);
        second.await("acknowledgers", seen -> seen.acknowledgers() == 1);
        second.write(3);
        awaitRow(first, 3);
    }

    @Test
    void anAccountThatLacksARightIsTold() throws Exception {
        seats(1);
        RedisServer server = seats.get(0).server;
        seats.remove(0).close();
        try (Jedis root = server.connect(Account.ROOT)) {
            root.aclSetUser(Account.AGENT.user(), "-replicaof", "-client|kill");
        }
        Seat<RedisServer> late = seat(server, Account.AGENT.password());
        seats.add(late);
        assertThat(late.await("problems", o -> !o.problems().isEmpty()).problems())
                .singleElement()
                .asString()
                .contains("may not use REPLICAOF, CLIENT KILL", "ACL SETUSER " + Account.AGENT.user());
    }

    @Test
    void theProcessIsFoundWithoutASocket() throws Exception {
        seats(1);
        RedisServer server = seats.get(0).server;
        String instance = seats.get(0).look().instance();
        Seat<RedisServer> other = seat(server, engine(server, Account.AGENT.password(), null));
        seats.add(other);
        assertThat(other.awaitState(ServerState.RUNNING).instance()).isEqualTo(instance);
        server.kill9();
        assertThat(other.deaths.poll(10, TimeUnit.SECONDS)).isNotNull();
    }

    /** As after the end of an agent that stood still together with its server. */
    @Test
    void aServerThatNeverAnsweredThisAgentIsFencedByKillingIt() throws Exception {
        seats(1);
        RedisServer server = seats.get(0).server;
        seats.get(0).engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        server.freeze();
        Seat<RedisServer> late = seat(server, Account.AGENT.password());
        seats.add(late);
        late.awaitState(ServerState.HUNG);
        late.engine.fence(Seat.LIMIT);
        assertThat(late.deaths.poll(10, TimeUnit.SECONDS)).isNotNull();
        assertThat(late.look().state()).isEqualTo(ServerState.DEAD);
    }

    @Test
    void theAgentsConnectionsCanBeEncrypted() throws Exception {
        seats(1);
        RedisServer server = seats.get(0).server;
        seats.remove(0).close();
        Files.createDirectories(work.resolve("tls"));
        TestAuthority authority = new TestAuthority(work.resolve("tls"), "redis");
        TlsSettings ofServer =
                authority.issue("server", "EC", "ip:" + server.address().host());
        int port = server.address().port() + 1;
        server.addSetting("tls-port " + port);
        server.addSetting("tls-cert-file " + ofServer.certificate());
        server.addSetting("tls-key-file " + ofServer.key());
        server.addSetting("tls-ca-cert-file " + ofServer.ca());
        server.restart();
        server.awaitReady(Seat.LIMIT);
        Endpoint address = new Endpoint(server.address().host(), port);
        Seat<RedisServer> encrypted = seat(
                server,
                new RedisEngine(settings(
                        server,
                        address,
                        Account.AGENT.password(),
                        server.socket(),
                        authority.issue("agent", "EC", "ip:127.0.0.1"))));
        seats.add(encrypted);
        encrypted.awaitState(ServerState.RUNNING);
        encrypted.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        encrypted.write(1);
        server.freeze();
        encrypted.awaitState(ServerState.HUNG);
        server.thaw();
        encrypted.awaitState(ServerState.RUNNING);
        encrypted.engine.fence(Seat.LIMIT);
        assertThat(encrypted.look().writable()).isFalse();

        // A certificate that names another host, or one of another authority, is no server of ours.
        TestAuthority stranger = new TestAuthority(work.resolve("tls"), "stranger");
        Seat<RedisServer> suspicious = seat(
                server,
                new RedisEngine(settings(
                        server,
                        address,
                        Account.AGENT.password(),
                        server.socket(),
                        stranger.issue("agent", "EC", "ip:127.0.0.1"))));
        seats.add(suspicious);
        assertThat(suspicious.look().state()).isEqualTo(ServerState.UNKNOWN);
        assertThat(suspicious.look().detail()).contains("can't connect");
    }

    @Test
    void aServerThatDoesNotStartFencedIsAProblem() throws Exception {
        seats(1);
        RedisServer server = seats.get(0).server;
        seats.remove(0).close();
        server.addSetting("replicaof no one");
        Seat<RedisServer> late = seat(server, Account.AGENT.password());
        seats.add(late);
        assertThat(late.await("problems", o -> !o.problems().isEmpty()).problems())
                .singleElement()
                .asString()
                .contains("'replicaof no one'", "'replicaof 127.0.0.1 1'");
    }

    @Test
    void aSnapshotThatFailsIsRefusing() throws Exception {
        seats(1);
        Seat<RedisServer> seat = seats.get(0);
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        seat.write(1);
        seat.server.configure("save", "3600 1");
        seat.server.configure("stop-writes-on-bgsave-error", "yes");
        Path file = seat.server.dataDir().resolve("dump.rdb");
        Files.createDirectory(file);
        Files.createFile(file.resolve("in-the-way"));
        try (Jedis root = seat.server.connect(Account.ROOT)) {
            root.bgsave();
        }
        assertThat(seat.awaitState(ServerState.REFUSING).detail()).contains("MISCONF");
        assertThatThrownBy(() -> seat.write(2)).hasMessageContaining("MISCONF");
    }

    @Test
    void fencingAndPromotingAgainAndAgainIsQuick() throws Exception {
        losslessGroup(2);
        Seat<RedisServer> one = seats.get(0);
        Seat<RedisServer> two = seats.get(1);
        List<Double> fences = new ArrayList<>();
        List<Double> promotes = new ArrayList<>();
        List<Double> follows = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Seat<RedisServer> from = i % 2 == 0 ? one : two;
            Seat<RedisServer> to = i % 2 == 0 ? two : one;
            from.write(i);
            String upTo = Objects.requireNonNull(from.engine.drain(Seat.LIMIT)).received();
            to.await("level", o -> position(to, o.received()).covers(position(to, upTo)));
            long start = System.nanoTime();
            from.engine.fence(Seat.LIMIT);
            long fenced = System.nanoTime();
            to.engine.promote(new Promotion(i + 2, upTo, 0), () -> true, Seat.LIMIT);
            long promoted = System.nanoTime();
            from.engine.follow(new Following(to.server.address(), true), Seat.LIMIT);
            long followed = System.nanoTime();
            fences.add((fenced - start) / 1e6);
            promotes.add((promoted - fenced) / 1e6);
            follows.add((followed - promoted) / 1e6);
            awaitFollowing(from, to);
            to.await("a replica", seen -> seen.acknowledgers() == 1);
        }
        System.out.println("RedisEngineIT: fence " + middle(fences) + ", promote " + middle(promotes) + ", follow "
                + middle(follows) + " ms (medians of 10)");
        assertThat(one.rows()).isEqualTo(two.rows()).hasSize(10);
        try (Jedis root = one.server.connect(Account.ROOT)) {
            assertThat(root.info("stats")).contains("sync_full:1");
        }
        assertThat(Duration.ofNanos(
                        (long) (1e6 * fences.stream().mapToDouble(f -> f).max().orElseThrow())))
                .isLessThan(Duration.ofSeconds(1));
    }

    private static double middle(List<Double> all) {
        return all.stream().sorted().toList().get(all.size() / 2);
    }

    @Test
    void aRefusedRebuildOfAnOpenServerSaysSo() throws Exception {
        seats(2);
        seats.get(0).engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        assertThatThrownBy(() -> seats.get(0)
                        .engine
                        .rebuild(seats.get(1).server.address(), (stage, done, total) -> {}, REBUILD_LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("must be fenced");
    }
}
