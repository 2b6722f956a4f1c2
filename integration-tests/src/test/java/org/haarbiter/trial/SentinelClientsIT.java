package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.haarbiter.admin.EventView;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.exceptions.JedisException;

/** Unmodified clients of Redis Sentinel find the primary through the masters, and follow a failover and a planned switch. */
@Tag("servers")
class SentinelClientsIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PAUSE_MILLIS = 5;
    private static final int MEMBERS = 3;

    /** An application that writes all the time. */
    private static final class Application implements AutoCloseable {
        private final String name;
        private final SentinelClient client;
        private final Thread thread;
        private volatile boolean stopped;
        private volatile long lastNanos;
        private volatile long longestNanos;
        private volatile String problem = "";

        Application(String name, SentinelClient client) {
            this.name = name;
            this.client = client;
            this.thread = new Thread(this::write, name);
            thread.setDaemon(true);
            thread.start();
        }

        private void write() {
            while (!stopped) {
                try {
                    client.write("by:" + name);
                    long now = System.nanoTime();
                    if (lastNanos != 0) {
                        longestNanos = Math.max(longestNanos, now - lastNanos);
                    }
                    lastNanos = now;
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    return;
                } catch (Exception e) {
                    problem = e.toString();
                }
            }
        }

        void awaitWriteAfter(long nanos) throws InterruptedException {
            long end = System.nanoTime() + LIMIT.toNanos();
            while (lastNanos - nanos <= 0) {
                assertThat(System.nanoTime())
                        .as("%s writes again; last problem: %s", name, problem)
                        .isLessThan(end);
                TimeUnit.MILLISECONDS.sleep(2);
            }
        }

        /** The longest silence since it was asked last, in ms. */
        double longestMillis() {
            double longest = longestNanos / 1e6;
            longestNanos = 0;
            return longest;
        }

        @Override
        public void close() throws IOException {
            stopped = true;
            thread.interrupt();
            client.close();
        }
    }

    /** Hears what each master publishes of a switch, and when. */
    private static final class Listeners implements AutoCloseable {
        private record Heard(Endpoint master, String message, long wallMillis) {}

        private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();
        private final List<Jedis> connections = new ArrayList<>();
        private final CountDownLatch subscribed;

        Listeners(List<Endpoint> masters) {
            subscribed = new CountDownLatch(masters.size());
            for (Endpoint master : masters) {
                Jedis connection = new Jedis(
                        new HostAndPort(master.host(), master.port()),
                        DefaultJedisClientConfig.builder()
                                .socketTimeoutMillis(0)
                                .build());
                connections.add(connection);
                Thread thread = new Thread(() -> listen(master, connection), "listener-" + master);
                thread.setDaemon(true);
                thread.start();
            }
        }

        private void listen(Endpoint master, Jedis connection) {
            try {
                connection.subscribe(
                        new JedisPubSub() {
                            @Override
                            public void onSubscribe(String channel, int subscriptions) {
                                subscribed.countDown();
                            }

                            @Override
                            public void onMessage(String channel, String message) {
                                heard.add(new Heard(master, message, System.currentTimeMillis()));
                            }
                        },
                        "+switch-master");
            } catch (JedisException e) {
                // How a subscription ends; one that ends too early is missed below.
                subscribed.countDown();
            }
        }

        void awaitSubscribed() throws InterruptedException {
            assertThat(subscribed.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }

        /** Waits until every master has told of this switch, and prints how long after the leader had proposed its end. */
        void awaitTold(DatabaseServer from, DatabaseServer to, long completedMillis) throws InterruptedException {
            String message = Arena.GROUP + " " + from.address().host() + " "
                    + from.address().port() + " " + to.address().host() + " "
                    + to.address().port();
            long end = System.nanoTime() + LIMIT.toNanos();
            while (told(message).size() < connections.size()) {
                assertThat(System.nanoTime())
                        .as("every master says '%s': %s", message, heard)
                        .isLessThan(end);
                TimeUnit.MILLISECONDS.sleep(2);
            }
            System.out.printf(
                    Locale.ROOT,
                    "'%s' came %s ms after its entry was proposed%n",
                    message,
                    told(message).stream()
                            .map(one -> Long.toString(one.wallMillis() - completedMillis))
                            .collect(Collectors.joining(", ")));
        }

        private List<Heard> told(String message) {
            return heard.stream().filter(one -> one.message().equals(message)).toList();
        }

        @Override
        public void close() {
            connections.forEach(Jedis::close);
        }
    }

    private static long completedMillis(Arena arena) {
        return arena.api().switches(Arena.GROUP).get(0).events().stream()
                .filter(event -> event.kind().equals("switch-completed"))
                .mapToLong(EventView::wallMillis)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void clientsFollowAFailoverAndAPlannedSwitch() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-sentinel-");
        System.out.println("evidence is kept in " + work + " if this fails");
        Map<String, SentinelClient.Kind> kinds = new LinkedHashMap<>();
        kinds.put("jedis", SentinelClient::jedis);
        kinds.put("lettuce", SentinelClient::lettuce);
        kinds.put("redisson", SentinelClient::redisson);
        kinds.put("ioredis", ScriptedSentinelClient::ioredis);
        kinds.put("redis-py", ScriptedSentinelClient::redisPy);
        Map<String, Application> applications = new LinkedHashMap<>();
        try (Arena arena =
                Arena.open(ArenaPlan.of(ArenaPlan.Engine.REDIS, work, false).withMembers(MEMBERS))) {
            DatabaseServer first = arena.awaitPrimary(LIMIT);
            try (Listeners listeners = new Listeners(arena.sentinels())) {
                listeners.awaitSubscribed();
                for (Map.Entry<String, SentinelClient.Kind> kind : kinds.entrySet()) {
                    applications.put(
                            kind.getKey(),
                            new Application(kind.getKey(), kind.getValue().open(arena.sentinels(), Arena.GROUP)));
                }
                awaitAll(applications, System.nanoTime());
                applications.values().forEach(Application::longestMillis);

                long before = arena.api()
                        .await(Arena.GROUP, "is there", LIMIT, group -> true)
                        .epoch();
                first.kill9();
                arena.api()
                        .await(
                                Arena.GROUP,
                                "has failed over",
                                LIMIT,
                                group -> group.phase().equals("steady") && group.epoch() > before);
                DatabaseServer second = arena.awaitPrimary(LIMIT);
                assertThat(second.name()).isNotEqualTo(first.name());
                listeners.awaitTold(first, second, completedMillis(arena));
                awaitAll(applications, System.nanoTime());
                print("failover", applications);

                first.restart();
                arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
                applications.values().forEach(Application::longestMillis);
                arena.switchOver(first.name(), "the planned one");
                arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
                assertThat(arena.awaitPrimary(LIMIT).name()).isEqualTo(first.name());
                listeners.awaitTold(second, first, completedMillis(arena));
                awaitAll(applications, System.nanoTime());
                print("planned switch", applications);
            } finally {
                for (Application application : applications.values()) {
                    application.close();
                }
            }
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void awaitAll(Map<String, Application> applications, long nanos) throws InterruptedException {
        for (Application application : applications.values()) {
            application.awaitWriteAfter(nanos);
        }
    }

    private static void print(String what, Map<String, Application> applications) {
        applications.forEach((name, application) -> System.out.printf(
                Locale.ROOT, "%s: %s was silent for %.0f ms%n", what, name, application.longestMillis()));
    }
}
