package org.haarbiter.lab;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.words.Endpoint;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ZRangeParams;

/**
 * Members of the sorted set {@code app:writes}, each with itself for its score.
 *
 * @param replicas whose word a write waits for; 0 for none
 * @param waitMillis how long it waits for it
 */
record RedisDataClient(int replicas, int waitMillis) implements DataClient {

    private static final String KEY = "app:writes";

    @Override
    public Session connect(Endpoint server, int connectTimeoutMillis, int socketTimeoutMillis) throws Failure {
        if (replicas > 0 && waitMillis >= socketTimeoutMillis) {
            throw new IllegalArgumentException("WAIT " + replicas + " " + waitMillis
                    + " (must be shorter than the limit for an answer, " + socketTimeoutMillis + " ms)");
        }
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(server.host(), server.port()), connectTimeoutMillis);
            socket.setSoTimeout(socketTimeoutMillis);
            // The socket is ours, so that it can be given up from another thread while Jedis waits on it.
            return new RedisSession(
                    socket,
                    new Jedis(
                            () -> socket,
                            DefaultJedisClientConfig.builder()
                                    .user(Account.APPLICATION.user())
                                    .password(Account.APPLICATION.password())
                                    .autoNegotiateProtocol(false)
                                    .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                                    .socketTimeoutMillis(socketTimeoutMillis)
                                    .build()));
        } catch (IOException | JedisException e) {
            close(socket, e);
            throw broken(e);
        }
    }

    private static void close(Socket socket, Exception why) {
        try {
            socket.close();
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public Set<Long> written(DatabaseServer server, long first) throws IOException {
        if (!(server instanceof RedisServer redis)) {
            throw new IllegalArgumentException(server.name() + " isn't a Redis server: its keys can't be read");
        }
        Set<Long> present = new HashSet<>();
        try (Jedis root = redis.connect(Account.ROOT)) {
            for (String number :
                    root.zrange(KEY, ZRangeParams.zrangeByScoreParams((double) first, Double.POSITIVE_INFINITY))) {
                present.add(Long.parseLong(number));
            }
            return present;
        } catch (JedisException e) {
            throw new IOException("can't read the keys of " + server.name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String summary(DatabaseServer server) throws IOException {
        Set<Long> all = written(server, 0);
        return all.size() + " numbers, sum " + all.stream().reduce(0L, (a, b) -> a ^ b);
    }

    private static Failure broken(Exception e) {
        return new Failure(Kind.BROKEN, firstLine(e), e);
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage();
        return message == null ? e.toString() : message.lines().findFirst().orElse("");
    }

    private final class RedisSession implements Session {
        private final Socket socket;
        private final Jedis jedis;

        private RedisSession(Socket socket, Jedis jedis) {
            this.socket = socket;
            this.jedis = jedis;
        }

        @Override
        public void write(long id) throws Failure {
            try {
                jedis.zadd(KEY, (double) id, Long.toString(id));
            } catch (JedisDataException e) {
                // READONLY, NOREPLICAS, LOADING, MASTERDOWN and their like: nothing was written.
                throw new Failure(Kind.REFUSED, firstLine(e), e);
            } catch (JedisException e) {
                throw broken(e);
            }
            if (replicas > 0) {
                awaitReplicas();
            }
        }

        @Override
        public List<Long> newest(List<Writer> writers) throws Failure {
            try (AbstractTransaction look = jedis.multi()) {
                for (Writer writer : writers) {
                    look.zrange(
                            KEY,
                            ZRangeParams.zrangeByScoreParams(writer.end() - 1.0, (double) writer.first())
                                    .rev()
                                    .limit(0, 1));
                }
                List<Long> newest = new ArrayList<>();
                for (Object found : look.exec()) {
                    if (found instanceof JedisDataException refused) {
                        throw refused;
                    }
                    List<?> numbers = (List<?>) found;
                    newest.add(numbers.isEmpty() ? 0 : Long.parseLong(String.valueOf(numbers.get(0))));
                }
                return newest;
            } catch (JedisDataException e) {
                throw new Failure(Kind.REFUSED, firstLine(e), e);
            } catch (JedisException e) {
                throw broken(e);
            }
        }

        private void awaitReplicas() throws Failure {
            long have;
            try {
                have = jedis.waitReplicas(replicas, waitMillis);
            } catch (JedisDataException e) {
                // Such as UNBLOCKED: it was fenced meanwhile. The write before stands, here.
                throw new Failure(Kind.UNKNOWN, "WAIT: " + firstLine(e), e);
            } catch (JedisException e) {
                throw broken(e);
            }
            if (have < replicas) {
                throw new Failure(Kind.UNKNOWN, "WAIT " + replicas + " " + waitMillis + ": only " + have + " have it");
            }
        }

        @Override
        public void rehearseRefusal() throws Failure {
            try {
                jedis.sendCommand(Protocol.Command.ZADD, KEY);
            } catch (JedisDataException e) {
                throw new Failure(Kind.REFUSED, firstLine(e), e);
            } catch (JedisException e) {
                throw broken(e);
            }
        }

        @Override
        public boolean answers() throws Failure {
            try {
                return "PONG".equals(jedis.ping());
            } catch (JedisConnectionException e) {
                throw broken(e);
            } catch (JedisException e) {
                throw new Failure(Kind.REFUSED, firstLine(e), e);
            }
        }

        @Override
        public void abort() throws Failure {
            try {
                socket.close();
            } catch (IOException e) {
                throw broken(e);
            }
        }
    }
}
