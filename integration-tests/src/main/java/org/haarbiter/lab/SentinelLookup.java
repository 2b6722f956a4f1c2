package org.haarbiter.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** Asks Redis Sentinels, or what answers like them: one as long as it answers, then the next. Threads: one. */
final class SentinelLookup implements Lookup {

    private final List<Endpoint> sentinels;
    private final String group;
    private final DefaultJedisClientConfig limits;
    private int next;
    private @Nullable Jedis connection;

    SentinelLookup(List<Endpoint> sentinels, String group, Duration timeout) {
        this.sentinels = List.copyOf(sentinels);
        this.group = group;
        int millis = Math.toIntExact(timeout.toMillis());
        this.limits = DefaultJedisClientConfig.builder()
                .autoNegotiateProtocol(false)
                .connectionTimeoutMillis(millis)
                .socketTimeoutMillis(millis)
                .build();
    }

    @Override
    public Optional<Endpoint> primary() throws IOException {
        Endpoint sentinel = sentinels.get(next);
        try {
            Jedis asked = connection;
            if (asked == null) {
                asked = new Jedis(new HostAndPort(sentinel.host(), sentinel.port()), limits);
                connection = asked;
            }
            List<String> address = asked.sentinelGetMasterAddrByName(group);
            return address == null
                    ? Optional.empty()
                    : Optional.of(new Endpoint(address.get(0), Integer.parseInt(address.get(1))));
        } catch (JedisException e) {
            close();
            next = (next + 1) % sentinels.size();
            throw new IOException("Sentinel " + sentinel + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        Jedis dropped = connection;
        connection = null;
        if (dropped != null) {
            dropped.close();
        }
    }
}
