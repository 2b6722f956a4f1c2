package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.client.Collector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.memory.MemoryEngine;
import org.haarbiter.agent.engine.memory.MemoryFleet;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of metrics lists what an agent really exports. */
class MetricsPageTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(ha_[a-z_]+)`");
    private static final long LIMIT_NANOS = 60_000_000_000L;

    @Test
    void thePageListsWhatAnAgentExports(@TempDir Path directory) throws Exception {
        MemoryFleet fleet = new MemoryFleet();
        MemoryServer server = fleet.add(new Endpoint("127.0.0.1", 13_306));
        TreeSet<String> exported = new TreeSet<>();
        try (AgentNode node = new AgentNode(
                new Identity("members", "a", "here", server.address(), new Endpoint("127.0.0.1", 17_401), true),
                new MemoryEngine(fleet, server),
                Timing.Profile.NORMAL.timing(),
                directory.resolve("state"),
                List.of(new Endpoint("127.0.0.1", 1)),
                null,
                Supervision.none())) {
            long start = System.nanoTime();
            while (node.loop().latest() == null) {
                assertThat(System.nanoTime() - start).isLessThan(LIMIT_NANOS);
                LockSupport.parkNanos(10_000_000);
            }
            for (Collector.MetricFamilySamples family : new AgentMetrics(node).collect()) {
                exported.add(family.type == Collector.Type.COUNTER ? family.name + "_total" : family.name);
            }
        }
        String page = Files.readString(Path.of("..", "docs", "metrics.md"));
        TreeSet<String> listed = new TreeSet<>();
        Matcher matcher = ROW.matcher(page.substring(page.indexOf("## Agent")));
        while (matcher.find()) {
            listed.add(matcher.group(1));
        }
        assertThat(listed).isEqualTo(exported);
    }
}
