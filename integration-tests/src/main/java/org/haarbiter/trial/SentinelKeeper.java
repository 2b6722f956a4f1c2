package org.haarbiter.trial;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.SentinelProcess;
import org.haarbiter.lab.WriteLoad;
import org.haarbiter.words.Endpoint;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** Three Redis Sentinels over an arena's servers, whose own arbiter was ended before. */
final class SentinelKeeper implements Keeper, AutoCloseable {
    private static final int SENTINELS = 3;
    private static final int FIRST_PORT = 17_801;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final long LOOK_NANOS = 20_000_000;

    private final Arena arena;
    private final int downAfterMillis;
    private final List<SentinelProcess> sentinels = new ArrayList<>();

    private SentinelKeeper(Arena arena, int downAfterMillis) {
        this.arena = arena;
        this.downAfterMillis = downAfterMillis;
    }

    /** Ends the arena's arbiter, and leaves its servers as Sentinel's users have them. */
    static void relieveArbiter(Arena arena) throws IOException {
        arena.endArbiter();
        for (DatabaseServer server : arena.databases().servers()) {
            RedisServer redis = (RedisServer) server;
            redis.configure("min-replicas-to-write", "0");
            // Sentinel has each server keep its role in its file; until its first switch they would come back fenced.
            try (Jedis root = redis.connect(Account.ROOT)) {
                root.configRewrite();
            }
        }
    }

    /**
     * Starts them and waits until they know everybody.
     *
     * @param primary now
     * @param downAfterMillis silence after which they take a server for down, in ms
     */
    static SentinelKeeper start(Arena arena, DatabaseServer primary, int downAfterMillis) throws IOException {
        SentinelKeeper keeper = new SentinelKeeper(arena, downAfterMillis);
        try {
            for (int i = 0; i < SENTINELS; i++) {
                SentinelProcess sentinel = new SentinelProcess(
                        "sentinel-" + downAfterMillis + "-" + (i + 1),
                        new Endpoint(arena.admin("m1").host(), FIRST_PORT + i),
                        arena.clients(),
                        arena.plan().work(),
                        List.of(SentinelProcess.Watched.of(Arena.GROUP, primary.address(), downAfterMillis)),
                        List.of());
                keeper.sentinels.add(sentinel);
                sentinel.start();
            }
            keeper.awaitWhole(START_LIMIT);
            return keeper;
        } catch (IOException | RuntimeException e) {
            keeper.close();
            throw e;
        }
    }

    @Override
    public String word() {
        return "sentinel, down-after " + downAfterMillis;
    }

    @Override
    public DatabaseServer awaitWhole(Duration limit) throws IOException {
        for (SentinelProcess sentinel : sentinels) {
            sentinel.awaitKnows(Arena.GROUP, arena.plan().members() - 1, SENTINELS - 1, limit);
        }
        return awaitSettled(limit);
    }

    @Override
    public DatabaseServer awaitSettled(Duration limit) throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            Optional<Endpoint> primary = agreed();
            if (primary.isPresent()) {
                return arena.databases().at(primary.get());
            }
            if (System.nanoTime() - end > 0) {
                throw new IOException("the Sentinels don't agree on an open primary after " + limit.toSeconds() + " s");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** The primary that all of them name, if it calls itself one. */
    private Optional<Endpoint> agreed() {
        List<Endpoint> named =
                sentinels.stream().map(SentinelKeeper::named).distinct().toList();
        if (named.size() != 1) {
            return Optional.empty();
        }
        RedisServer server = (RedisServer) arena.databases().at(named.get(0));
        try (Jedis root = server.connect(Account.ROOT)) {
            return root.info("replication").contains("role:master") ? Optional.of(named.get(0)) : Optional.empty();
        } catch (JedisException e) {
            // It is the one that was struck.
            return Optional.empty();
        }
    }

    private static Endpoint named(SentinelProcess sentinel) {
        try (Jedis asked = sentinel.connect()) {
            List<String> address = asked.sentinelGetMasterAddrByName(Arena.GROUP);
            return new Endpoint(address.get(0), Integer.parseInt(address.get(1)));
        }
    }

    @Override
    public WriteLoad.Target target(FailoverTrial.Client client) {
        return switch (client) {
            case ANY -> arena.byMembers();
            case SENTINEL ->
                new WriteLoad.Sentinels(
                        sentinels.stream().map(SentinelProcess::address).toList(), Arena.GROUP);
            case DNS -> throw new IllegalArgumentException("Sentinel publishes nothing in DNS");
        };
    }

    @Override
    public void switchOver() {
        try (Jedis asked = sentinels.get(0).connect()) {
            asked.sentinelFailover(Arena.GROUP);
        }
    }

    @Override
    public SortedMap<String, Double> phases() {
        return new TreeMap<>();
    }

    @Override
    public void close() throws IOException {
        for (SentinelProcess sentinel : sentinels) {
            sentinel.close();
        }
    }
}
