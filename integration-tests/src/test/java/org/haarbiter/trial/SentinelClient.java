package org.haarbiter.trial;

import io.lettuce.core.RedisURI;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.haarbiter.lab.Account;
import org.haarbiter.words.Endpoint;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisSentinelPool;

/** An application that knows the Sentinels and the name of its group, and nothing else. Its client library is as it comes. */
@SuppressWarnings("deprecation") // what most applications have
interface SentinelClient extends AutoCloseable {
    /** How long a command may take before the application gives it up and tries anew. */
    Duration LIMIT = Duration.ofMillis(500);

    /** Writes; throws where it isn't known to be written. */
    void write(String key) throws Exception;

    @Override
    void close() throws IOException;

    /** Opens one. */
    interface Kind {
        SentinelClient open(List<Endpoint> sentinels, String group) throws Exception;
    }

    static SentinelClient jedis(List<Endpoint> sentinels, String group) {
        Set<HostAndPort> addresses = sentinels.stream()
                .map(sentinel -> new HostAndPort(sentinel.host(), sentinel.port()))
                .collect(Collectors.toSet());
        JedisSentinelPool pool = new JedisSentinelPool(
                group,
                addresses,
                DefaultJedisClientConfig.builder()
                        .user(Account.APPLICATION.user())
                        .password(Account.APPLICATION.password())
                        .timeoutMillis((int) LIMIT.toMillis())
                        .build(),
                DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) LIMIT.toMillis())
                        .build());
        return new SentinelClient() {
            @Override
            public void write(String key) {
                try (Jedis jedis = pool.getResource()) {
                    jedis.set(key, "1");
                }
            }

            @Override
            public void close() {
                pool.close();
            }
        };
    }

    static SentinelClient lettuce(List<Endpoint> sentinels, String group) {
        RedisURI.Builder uri = RedisURI.Builder.sentinel(
                sentinels.get(0).host(), sentinels.get(0).port(), group);
        sentinels.stream().skip(1).forEach(sentinel -> uri.withSentinel(sentinel.host(), sentinel.port()));
        uri.withAuthentication(
                        Account.APPLICATION.user(),
                        Account.APPLICATION.password().toCharArray())
                .withTimeout(LIMIT);
        io.lettuce.core.RedisClient client = io.lettuce.core.RedisClient.create(uri.build());
        StatefulRedisConnection<String, String> connection = client.connect();
        return new SentinelClient() {
            @Override
            public void write(String key) {
                connection.sync().set(key, "1", SetArgs.Builder.ex(3_600));
            }

            @Override
            public void close() {
                connection.close();
                client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
            }
        };
    }

    static SentinelClient redisson(List<Endpoint> sentinels, String group) {
        Config config = new Config();
        config.setCodec(StringCodec.INSTANCE);
        config.setUsername(Account.APPLICATION.user());
        config.setPassword(Account.APPLICATION.password());
        config.useSentinelServers()
                .setMasterName(group)
                .setTimeout((int) LIMIT.toMillis())
                .setConnectTimeout((int) LIMIT.toMillis())
                .addSentinelAddress(sentinels.stream()
                        .map(sentinel -> "redis://" + sentinel)
                        .toArray(String[]::new));
        RedissonClient client = Redisson.create(config);
        return new SentinelClient() {
            @Override
            public void write(String key) {
                client.getBucket(key).set("1");
            }

            @Override
            public void close() {
                client.shutdown();
            }
        };
    }
}
