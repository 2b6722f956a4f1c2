package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A real Redis Sentinel: for comparison with the masters, and to move over from. Threads: any. */
public final class SentinelProcess implements AutoCloseable {

    /** What Sentinel's account needs on the servers that it watches, as Redis' own documentation has it. */
    public static final String SERVER_RIGHTS = "nocommands resetkeys allchannels +multi +slaveof +replicaof +ping +exec"
            + " +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill";

    private static final int ANSWER_MILLIS = 2_000;

    /**
     * A group that it watches.
     *
     * @param name what Sentinel calls the group
     * @param primary its primary at first
     * @param quorum how many Sentinels must find the primary down
     * @param downAfterMillis silence after which a server counts as down, in ms
     * @param failoverTimeoutMillis {@code failover-timeout}, in ms
     * @param parallelSyncs replicas that go over to a new primary at once
     * @param account what it logs in as at the servers; {@link #SERVER_RIGHTS} suffice
     */
    public record Watched(
            String name,
            Endpoint primary,
            int quorum,
            int downAfterMillis,
            int failoverTimeoutMillis,
            int parallelSyncs,
            Account account) {

        /** A quorum of 2, root's account, a failover timeout of 60 s and one replica at a time. */
        public static Watched of(String name, Endpoint primary, int downAfterMillis) {
            return new Watched(name, primary, 2, downAfterMillis, 60_000, 1, Account.ROOT);
        }
    }

    private final String name;
    private final Endpoint address;
    private final Host host;
    private final Path directory;
    private final List<Watched> groups;
    private final List<String> settings;
    private final ServerProcess process;

    /**
     * A Sentinel that isn't started yet; throws when there is no Redis on this machine.
     *
     * @param name for messages and file names; unique in its work directory
     * @param address where it answers; a literal address of its host
     * @param work everything goes into {@code work/name}; the directory is made
     * @param groups what it watches from its first start on; later it keeps its own list
     * @param settings further lines of its configuration, such as {@code requirepass secret}
     */
    public SentinelProcess(
            String name, Endpoint address, Host host, Path work, List<Watched> groups, List<String> settings) {
        this.name = name;
        this.address = address;
        this.host = host;
        this.directory = work.resolve(name).toAbsolutePath();
        this.groups = List.copyOf(groups);
        this.settings = List.copyOf(settings);
        this.process = new ServerProcess(
                name,
                host,
                List.of(Servers.redis().path().toString(), file().toString(), "--sentinel"),
                directory.resolve("output.log"));
    }

    private Path file() {
        return directory.resolve("sentinel.conf");
    }

    private String configuration() {
        StringBuilder text = new StringBuilder("daemonize no\nprotected-mode no\nsentinel resolve-hostnames no\n");
        text.append("bind ").append(address.host()).append('\n');
        text.append("port ").append(address.port()).append('\n');
        text.append("dir ").append(directory).append('\n');
        // Sentinels of one machine would all tell of the address from which they come.
        text.append("sentinel announce-ip ").append(address.host()).append('\n');
        text.append("sentinel announce-port ").append(address.port()).append('\n');
        for (Watched group : groups) {
            Endpoint primary = group.primary();
            line(text, "monitor", group, primary.host() + " " + primary.port() + " " + group.quorum());
            line(text, "down-after-milliseconds", group, group.downAfterMillis());
            line(text, "failover-timeout", group, group.failoverTimeoutMillis());
            line(text, "parallel-syncs", group, group.parallelSyncs());
            line(text, "auth-user", group, group.account().user());
            line(text, "auth-pass", group, group.account().password());
        }
        settings.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    private static void line(StringBuilder text, String setting, Watched group, Object value) {
        text.append("sentinel ").append(setting).append(' ').append(group.name());
        text.append(' ').append(value).append('\n');
    }

    /** Name in messages and of its directory. */
    public String name() {
        return name;
    }

    /** Where it answers. */
    public Endpoint address() {
        return address;
    }

    /** Starts it and returns at once. */
    public void start() throws IOException {
        if (!Files.exists(file())) {
            Files.createDirectories(directory);
            Files.writeString(file(), configuration(), StandardCharsets.UTF_8);
        }
        process.start();
    }

    /** A new connection without a login, from its own host; each answer may take 2 s. */
    public Jedis connect() {
        try {
            return host.call(() -> new Jedis(
                    new HostAndPort(address.host(), address.port()),
                    DefaultJedisClientConfig.builder()
                            .autoNegotiateProtocol(false)
                            .connectionTimeoutMillis(ANSWER_MILLIS)
                            .socketTimeoutMillis(ANSWER_MILLIS)
                            .build()));
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("can't connect to " + this + " from its host", e);
        }
    }

    /** Waits until it answers; throws with the end of its log when it ends or the limit passes. */
    public void awaitReady(Duration limit) throws IOException {
        await("doesn't answer", limit, () -> {
            try (Jedis client = connect()) {
                return client.sentinelMyId().isEmpty() ? "has no id" : null;
            }
        });
    }

    /**
     * Waits until it finds the group's primary up and knows so many replicas of it, all of them up, and so many other Sentinels.
     *
     * @throws IOException with what it knows, when the limit passes
     */
    public void awaitKnows(String group, int replicas, int others, Duration limit) throws IOException {
        await("doesn't know the whole of " + group, limit, () -> {
            try (Jedis client = connect()) {
                var primary = client.sentinelMaster(group);
                var known = client.sentinelReplicas(group);
                boolean whole = "master".equals(primary.get("flags"))
                        && known.size() == replicas
                        && known.stream()
                                .allMatch(replica -> "slave".equals(replica.get("flags"))
                                        && "ok".equals(replica.get("master-link-status")))
                        && client.sentinelSentinels(group).size() == others;
                return whole ? null : "primary " + primary + ", replicas " + known;
            }
        });
    }

    /** Waits until nothing is missing any more. */
    private void await(String what, Duration limit, Supplier<@Nullable String> missing) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            String found = null;
            JedisException problem = null;
            try {
                found = missing.get();
                if (found == null) {
                    return;
                }
            } catch (JedisException e) {
                problem = e;
            }
            boolean ended = !process.isAlive();
            if (ended || System.nanoTime() - deadline > 0) {
                throw new IOException(
                        this
                                + (ended ? " ended" : " " + what + " after " + limit.toMillis() + " ms")
                                + (found == null ? "" : ": " + found) + ". Its log ends with:\n" + process.lastWords(),
                        problem);
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + name, e);
            }
        }
    }

    /** Sends SIGKILL and returns at once. */
    public void kill9() {
        process.kill9();
    }

    /** Sends SIGSTOP and returns when every thread stands still. */
    public void freeze() {
        process.freeze();
    }

    /** Sends SIGCONT. */
    public void thaw() {
        process.thaw();
    }

    /** Kills it and waits for its end; the directory stays. */
    @Override
    public void close() throws IOException {
        process.close();
    }

    @Override
    public String toString() {
        return "Sentinel " + name + " at " + address;
    }
}
