package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.memory.MemoryEngine;
import org.haarbiter.agent.engine.memory.MemoryFleet;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.Test;

/** What the stop hook leaves behind. */
class StopHookTest {
    private static final Duration LIMIT = Duration.ofSeconds(1);

    private final MemoryFleet fleet = new MemoryFleet();
    private final MemoryServer primary = fleet.add(new Endpoint("a", 3306));
    private final MemoryEngine primaryEngine = new MemoryEngine(fleet, primary);
    private final MemoryServer replica = fleet.add(new Endpoint("b", 3306));
    private final MemoryEngine replicaEngine = new MemoryEngine(fleet, replica);

    private void open() throws Exception {
        primaryEngine.promote(new Promotion(1, "", 0), () -> true, LIMIT);
        replicaEngine.follow(new Following(primary.address(), true), LIMIT);
        assertThat(primary.write("before", 1_000)).isTrue();
    }

    private static boolean hook(MemoryEngine engine) {
        return StopHook.fence(engine, LIMIT, LIMIT, LIMIT);
    }

    @Test
    void aPrimaryIsFencedAndItsReplicaIsNot() throws Exception {
        open();

        assertThat(hook(replicaEngine)).isTrue();
        assertThat(replicaEngine.observe(LIMIT).receiving()).isTrue();
        assertThat(primary.write("meanwhile", 1_000)).isTrue();

        assertThat(hook(primaryEngine)).isTrue();
        assertThat(primaryEngine.observe(LIMIT).writable()).isFalse();
        assertThat(primary.write("after", 100)).isFalse();
        assertThat(hook(primaryEngine)).isTrue();
    }

    @Test
    void aServerThatAnswersNothingIsKilledAndADeadOneIsLeft() throws Exception {
        open();
        primary.freeze();

        assertThat(hook(primaryEngine)).isTrue();
        assertThat(primaryEngine.observe(LIMIT).state()).isEqualTo(ServerState.DEAD);
        assertThat(hook(primaryEngine)).isTrue();
    }
}
