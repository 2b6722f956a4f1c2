package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Redis 7.0 or newer, or Valkey: a replica of nobody at each start, nothing on disk unless the plan's settings say so. Nobody can
 * do anything without an account.
 */
public final class RedisServer extends ChildServer {

    /** What the agent's account may do, as {@code docs/getting-started.md} has it. */
    public static final String AGENT_RIGHTS = "nocommands resetkeys resetchannels +ping +info +replicaof +client|id"
            + " +client|list +client|kill +client|pause +client|unpause +config|get +config|set +script|kill"
            + " +function|kill +bgsave";

    private static final int CONNECT_MILLIS = 2_000;
    private static final int ANSWER_MILLIS = 10_000;

    /** A server that isn't started yet; throws when there is no Redis on this machine. */
    public RedisServer(ServerPlan plan) {
        this(plan, Servers.redis());
    }

    /** The same with this program. */
    public RedisServer(ServerPlan plan, Servers.Program program) {
        super(plan, List.of(program.path().toString(), configuration(plan).toString()), 0);
    }

    @Override
    String configuration() {
        StringBuilder text = new StringBuilder("""
                daemonize no
                protected-mode no
                replicaof 127.0.0.1 1
                repl-diskless-sync-delay 0
                repl-ping-replica-period 1
                repl-timeout 5
                repl-backlog-size 64mb
                repl-backlog-ttl 0
                min-replicas-max-lag 2
                save ""
                appendonly no
                """);
        text.append("bind ").append(address().host()).append('\n');
        text.append("port ").append(address().port()).append('\n');
        // Servers of one machine would all tell their primary, and so Sentinels, of the address from which they come.
        text.append("replica-announce-ip ").append(address().host()).append('\n');
        text.append("unixsocket ").append(socket()).append('\n');
        text.append("dir ").append(dataDir()).append('\n');
        text.append("logfile ").append(errorLog()).append('\n');
        text.append("masteruser ").append(Account.REPLICATION.user()).append('\n');
        text.append("masterauth ").append(Account.REPLICATION.password()).append('\n');
        text.append("user default off\n");
        user(text, Account.ROOT, "~* &* +@all");
        user(text, Account.AGENT, AGENT_RIGHTS);
        user(text, Account.REPLICATION, "nocommands resetkeys resetchannels +psync +replconf +ping");
        user(text, Account.APPLICATION, "~* &* +@all -@admin -@dangerous");
        for (String line : plan().settings()) {
            text.append(line).append('\n');
        }
        return text.toString();
    }

    private static void user(StringBuilder text, Account account, String rights) {
        text.append("user ").append(account.user()).append(" on >").append(account.password());
        text.append(' ').append(rights).append('\n');
    }

    @Override
    void makeData() throws IOException {
        Files.createDirectories(dataDir());
    }

    @Override
    @Nullable
    Exception unready() throws IOException {
        try (Jedis root = connect(Account.ROOT)) {
            root.dbSize();
            return null;
        } catch (JedisException e) {
            if (String.valueOf(e.getMessage()).contains("WRONGPASS")) {
                throw new IOException(
                        name() + " at " + address() + " refuses root's password: another server has this address?", e);
            }
            return e;
        }
    }

    /** A new connection of this account, from the server's own host. */
    public Jedis connect(Account account) {
        return connect(account, ANSWER_MILLIS);
    }

    /** The same with another limit on each answer. */
    public Jedis connect(Account account, int answerMillis) {
        try {
            return plan().host().call(() -> {
                Jedis jedis = new Jedis(
                        new HostAndPort(address().host(), address().port()),
                        DefaultJedisClientConfig.builder()
                                .user(account.user())
                                .password(account.password())
                                .autoNegotiateProtocol(false)
                                .connectionTimeoutMillis(CONNECT_MILLIS)
                                .socketTimeoutMillis(answerMillis)
                                .build());
                try {
                    jedis.connect();
                    return jedis;
                } catch (JedisException e) {
                    jedis.close();
                    throw e;
                }
            });
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("can't connect to " + name() + " from its host", e);
        }
    }

    /** Adds a line to the configuration file, which counts from the next start. */
    public void addSetting(String line) throws IOException {
        Files.writeString(configuration(plan()), line + "\n", StandardOpenOption.APPEND);
    }

    /** Starts it the first time, with a snapshot for its data. */
    public void startFrom(Path snapshot) throws IOException {
        Files.createDirectories(dataDir());
        Files.copy(snapshot, dataDir().resolve("dump.rdb"));
        Files.writeString(configuration(plan()), configuration());
        start();
    }

    /** What a setting is now, as root sees it. */
    public String configured(String name) {
        try (Jedis root = connect(Account.ROOT)) {
            String value = root.configGet(name).get(name);
            if (value == null) {
                throw new IllegalArgumentException(name() + " has no setting '" + name + "'");
            }
            return value;
        }
    }

    /** Sets it, as root. */
    public void configure(String name, String value) {
        try (Jedis root = connect(Account.ROOT)) {
            root.configSet(name, value);
        }
    }

    @Override
    public void provisionReplicaOf(DatabaseServer source) {
        // Following begins with the telling: left to whoever has it replicate.
    }

    @Override
    public void openByHand() throws IOException {
        byHand("NO", "ONE");
    }

    @Override
    public void replicateByHand(DatabaseServer source) throws IOException {
        byHand(source.address().host(), Integer.toString(source.address().port()));
    }

    private void byHand(String host, String port) throws IOException {
        try (Jedis root = connect(Account.ROOT)) {
            root.sendCommand(redis.clients.jedis.Protocol.Command.REPLICAOF, host, port);
        } catch (JedisException e) {
            throw new IOException(this + ": REPLICAOF " + host + " " + port + ": " + e.getMessage(), e);
        }
    }
}
