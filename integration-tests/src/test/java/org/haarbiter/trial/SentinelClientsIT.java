package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.haarbiter.lab.DatabaseServer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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
            try {
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
                assertThat(arena.awaitPrimary(LIMIT).name()).isNotEqualTo(first.name());
                awaitAll(applications, System.nanoTime());
                print("failover", applications);

                first.restart();
                awaitWhole(arena);
                applications.values().forEach(Application::longestMillis);
                arena.switchOver(first.name(), "the planned one");
                awaitWhole(arena);
                assertThat(arena.awaitPrimary(LIMIT).name()).isEqualTo(first.name());
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

    /** Under load a replica is always some bytes behind. */
    private static void awaitWhole(Arena arena) {
        arena.api()
                .await(
                        Arena.GROUP,
                        "is whole",
                        LIMIT,
                        group -> group.phase().equals("steady")
                                && group.members().size() == MEMBERS
                                && group.members().stream()
                                        .allMatch(member -> member.healthy()
                                                && (member.receiving()
                                                        || member.name().equals(group.primary()))));
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
