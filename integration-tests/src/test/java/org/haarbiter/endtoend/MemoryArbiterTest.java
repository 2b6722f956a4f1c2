package org.haarbiter.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.Command;
import org.haarbiter.settings.Timing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real masters, Raft, links and agents; servers and DNS in memory. */
class MemoryArbiterTest {
    @TempDir
    Path directory;

    private MemoryArbiter arbiter;

    @BeforeEach
    void start() throws Exception {
        // Wide enough for a busy machine: what is tested here is what happens, not how fast.
        arbiter = new MemoryArbiter(directory, new Timing(100, 1_500, 3_000, 500, 10, 250, 1_500, 2, 1_000), 3);
        arbiter.startMasters();
        arbiter.startAgents("a", "b", "c", "d");
    }

    @AfterEach
    void stop() {
        arbiter.close();
        assertThat(arbiter.faults).isEmpty();
    }

    @Test
    void aKilledPrimaryIsReplacedAndNothingAcknowledgedIsLost() throws Exception {
        assertThat(arbiter.awaitPrimary()).isEqualTo("a");
        List<String> acknowledged = write("a", 50);
        arbiter.server("a").kill();
        String next = arbiter.awaitPrimary("a");
        assertThat(arbiter.server(next).payloads()).containsAll(acknowledged);
        acknowledged.addAll(write(next, 50));
        assertThat(arbiter.server(next).payloads()).containsAll(acknowledged);
        arbiter.server("a").restart();
        arbiter.await(
                "the old primary to follow",
                () -> arbiter.server("a").payloads().containsAll(acknowledged));
    }

    @Test
    void aHungPrimaryIsKilledAndReplaced() throws Exception {
        arbiter.awaitPrimary();
        List<String> acknowledged = write("a", 20);
        arbiter.server("a").freeze();
        String next = arbiter.awaitPrimary("a");
        assertThat(arbiter.server(next).payloads()).containsAll(acknowledged);
        assertThat(arbiter.server("a").write("late", 10)).isFalse();
    }

    @Test
    void leaderAndPrimaryDieTogether() throws Exception {
        arbiter.awaitPrimary();
        List<String> acknowledged = write("a", 20);
        String leader = arbiter.leader();
        arbiter.stopMaster(leader);
        arbiter.server("a").kill();
        String next = arbiter.awaitPrimary("a");
        assertThat(arbiter.server(next).payloads()).containsAll(acknowledged);
        arbiter.startMaster(leader);
        arbiter.server(next).kill();
        assertThat(arbiter.awaitPrimary("a", next)).isNotEmpty();
    }

    @Test
    void anAgentsDeathIsNotItsServersDeath() throws Exception {
        arbiter.awaitPrimary();
        arbiter.stopAgent("a");
        arbiter.startAgent("a");
        write("a", 20);
        assertThat(arbiter.awaitPrimary()).isEqualTo("a");
    }

    @Test
    void aPersonMovesThePrimaryAndEveryStepIsOnRecord() throws Exception {
        arbiter.awaitPrimary();
        List<String> acknowledged = write("a", 20);
        Command.Outcome outcome = arbiter.master(arbiter.leader())
                .loop()
                .command(new Command.Promote(MemoryArbiter.GROUP, "c", false, "me@here", "rehearsal"))
                .get()
                .outcome();
        assertThat(outcome.entry()).as(outcome.sentence()).isNotNull();
        assertThat(arbiter.awaitPrimary("a")).isEqualTo("c");
        assertThat(arbiter.server("c").payloads()).containsAll(acknowledged);
        acknowledged.addAll(write("c", 20));
        arbiter.await(
                "the old primary to follow",
                () -> arbiter.server("a").payloads().containsAll(acknowledged));
        arbiter.await(
                "every step of epoch 2 on every master",
                () -> List.of("m1", "m2", "m3").stream()
                        .allMatch(m -> kinds(m).containsAll(List.of(
                                "group-adopted",
                                "switch-started",
                                "candidate-chosen",
                                "switch-completed",
                                "names-published"))));
    }

    private List<String> kinds(String master) {
        return arbiter.master(master).loop().state().recent().stream()
                .map(AuditEvent::kind)
                .toList();
    }

    private List<String> write(String name, int count) throws InterruptedException {
        MemoryServer server = arbiter.server(name);
        List<String> written = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String payload = name + "-" + i;
            // The server may still be on its way to open, or its replicas to follow: a client tries again.
            for (int attempt = 0; !server.write(payload, 200); attempt++) {
                payload = name + "-" + i + "-again-" + attempt;
                assertThat(attempt).as("attempts to write to %s", name).isLessThan(150);
            }
            written.add(payload);
        }
        return written;
    }
}
