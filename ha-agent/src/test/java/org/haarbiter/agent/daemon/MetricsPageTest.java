package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.memory.MemoryEngine;
import org.haarbiter.agent.engine.memory.MemoryFleet;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.docs.MetricsPage;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of metrics says what an agent really exports. */
class MetricsPageTest {
    private static final long LIMIT_NANOS = 60_000_000_000L;

    @Test
    void thePageSaysWhatAnAgentExports(@TempDir Path directory) throws Exception {
        MemoryFleet fleet = new MemoryFleet();
        MemoryServer server = fleet.add(new Endpoint("127.0.0.1", 13_306));
        List<MetricsPage.Row> rows;
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
            rows = new AgentMetrics(node)
                    .collect().stream()
                            .map(family -> MetricsPage.row(family.name, family.type, family.help, family))
                            .toList();
        }
        MetricsPage.check("## Agent", rows);
    }
}
