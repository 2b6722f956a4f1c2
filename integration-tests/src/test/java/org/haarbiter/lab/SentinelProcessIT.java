package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lab's Sentinels watch the lab's Redis servers. */
@Tag("servers")
class SentinelProcessIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static List<Endpoint> addresses(int first, int number) {
        List<Endpoint> addresses = new ArrayList<>();
        for (int i = 1; i <= number; i++) {
            addresses.add(new Endpoint("127.0.61." + (first + i), 21_790));
        }
        return addresses;
    }

    @Test
    void threeSentinelsKnowAWholeGroupAndEachOther(@TempDir Path work) throws Exception {
        List<SentinelProcess> sentinels = new ArrayList<>();
        List<ServerPlan> plans = new ArrayList<>();
        for (Endpoint address : addresses(0, 3)) {
            plans.add(ServerPlan.of("redis-" + address.host(), address, plans.size() + 1, work));
        }
        try (ReplicatedGroup<RedisServer> group = ReplicatedGroup.start(plans, RedisServer::new)) {
            group.openByHand();
            for (Endpoint address : addresses(10, 3)) {
                SentinelProcess sentinel = new SentinelProcess(
                        "sentinel-" + address.host(),
                        address,
                        Host.here(),
                        work,
                        List.of(SentinelProcess.Watched.of(
                                "cache", group.primary().address(), 1_000)),
                        List.of());
                sentinels.add(sentinel);
                sentinel.start();
            }
            for (SentinelProcess sentinel : sentinels) {
                sentinel.awaitReady(LIMIT);
                sentinel.awaitKnows("cache", 2, 2, LIMIT);
                try (var client = sentinel.connect()) {
                    assertThat(client.sentinelGetMasterAddrByName("cache")).containsExactly("127.0.61.1", "21790");
                }
            }
        } finally {
            for (SentinelProcess sentinel : sentinels) {
                sentinel.close();
            }
        }
    }
}
