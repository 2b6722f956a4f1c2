package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.haarbiter.words.Endpoint;

/**
 * Servers of one group as a DBA leaves them for the arbiter to adopt: all fenced, the first empty of sources, the others
 * told to follow it, nothing started.
 */
public final class ReplicatedGroup<S extends DatabaseServer> implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    private final List<S> servers;

    private ReplicatedGroup(List<S> servers) {
        this.servers = List.copyOf(servers);
    }

    /** MySQL servers at these addresses, named {@code mysql-1} and so on, started side by side. */
    public static ReplicatedGroup<SqlServer> mysql(Path work, List<Endpoint> addresses) throws IOException {
        return start(plans("mysql", work, addresses), MysqlServer::new);
    }

    /** MariaDB servers at these addresses, named {@code mariadb-1} and so on, started side by side. */
    public static ReplicatedGroup<SqlServer> mariadb(Path work, List<Endpoint> addresses) throws IOException {
        return start(plans("mariadb", work, addresses), MariadbServer::new);
    }

    /** Redis servers at these addresses, named {@code redis-1} and so on, started side by side. */
    public static ReplicatedGroup<RedisServer> redis(Path work, List<Endpoint> addresses, Servers.Program program)
            throws IOException {
        return start(plans("redis", work, addresses), plan -> new RedisServer(plan, program));
    }

    /** Servers by plan; the first is the one that the others follow. All are closed again when one doesn't start. */
    public static <S extends DatabaseServer> ReplicatedGroup<S> start(
            List<ServerPlan> plans, Function<ServerPlan, S> kind) throws IOException {
        List<S> servers = new ArrayList<>();
        for (ServerPlan plan : plans) {
            servers.add(kind.apply(plan));
        }
        ReplicatedGroup<S> group = new ReplicatedGroup<>(servers);
        try {
            group.startAll();
        } catch (IOException | RuntimeException e) {
            group.close();
            throw e;
        }
        return group;
    }

    private static List<ServerPlan> plans(String kind, Path work, List<Endpoint> addresses) {
        List<ServerPlan> plans = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            plans.add(ServerPlan.of(kind + "-" + (i + 1), addresses.get(i), i + 1, work));
        }
        return plans;
    }

    private void startAll() throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(servers.size());
        try {
            List<Future<?>> starting = new ArrayList<>();
            for (S server : servers) {
                starting.add(threads.submit(() -> {
                    server.start();
                    server.awaitReady(START_LIMIT);
                    if (server != primary()) {
                        server.provisionReplicaOf(primary());
                    }
                    return server;
                }));
            }
            for (Future<?> one : starting) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new IOException("a server of the group didn't start", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the group was starting", e);
        } finally {
            threads.shutdown();
        }
    }

    /** All servers, in the order of their addresses. */
    public List<S> servers() {
        return servers;
    }

    /** The server with that address. */
    public S at(Endpoint address) {
        for (S server : servers) {
            if (server.address().equals(address)) {
                return server;
            }
        }
        throw new IllegalArgumentException("no server at " + address + " (must be one of " + servers + ")");
    }

    /** The first server: the one that the others were told to follow. */
    public S primary() {
        return servers.get(0);
    }

    /** Opens the first and starts replication on the others, by hand: for tests that need no arbiter. */
    public void openByHand() throws IOException {
        // In this order: a MySQL source in offline mode refuses its replicas too, and they retry only after a second.
        primary().openByHand();
        for (S server : servers) {
            if (server != primary()) {
                server.replicateByHand(primary());
            }
        }
    }

    /** Kills all and waits for their ends. */
    @Override
    public void close() throws IOException {
        for (S server : servers) {
            server.kill9();
        }
        for (S server : servers) {
            server.close();
        }
    }
}
