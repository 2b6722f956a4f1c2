package org.haarbiter.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a service manager's socket receives. */
class SupervisorTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration NONE = Duration.ZERO;
    private static final long PID = 4711;
    private static final long MILLI = 1_000_000;

    @TempDir
    private Path directory = Path.of("");

    @ParameterizedTest
    @ValueSource(strings = {"path", "abstract"})
    void readyStatusWatchdogAndStoppingArriveAtBothKindsOfSocket(String kind) throws Exception {
        String name = kind.equals("path") ? directory.resolve("notify").toString() : "@ha-test-" + UUID.randomUUID();
        try (NotifyListener listener = new NotifyListener(name);
                Supervisor supervisor = Supervisor.of(Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "400000"), PID)) {
            supervisor.status("is\nstarting");
            assertThat(listener.next(LIMIT)).containsExactly("STATUS=is starting");
            supervisor.status("is\nstarting");
            supervisor.ready();
            assertThat(listener.next(LIMIT)).containsExactly("READY=1");
            supervisor.turned(0);
            assertThat(listener.next(LIMIT)).containsExactly("WATCHDOG=1");
            supervisor.stopping();
            assertThat(listener.next(LIMIT)).containsExactly("STOPPING=1", "STATUS=stopping");
            assertThat(listener.next(NONE)).isEmpty();
        }
    }

    @Test
    void theWatchdogIsFedByTurnsAtAQuarterOfItsTime() throws Exception {
        String name = directory.resolve("notify").toString();
        try (NotifyListener listener = new NotifyListener(name);
                Supervisor supervisor = Supervisor.of(
                        Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "400000", "WATCHDOG_PID", "" + PID), PID)) {
            assertThat(supervisor.watchdogMillis()).isEqualTo(400);
            supervisor.turned(1_000 * MILLI);
            assertThat(listener.next(LIMIT)).containsExactly("WATCHDOG=1");
            assertThat(supervisor.dueNanos(1_000 * MILLI)).isEqualTo(1_100 * MILLI);
            supervisor.turned(1_099 * MILLI);
            assertThat(listener.next(NONE)).isEmpty();
            supervisor.turned(1_100 * MILLI);
            assertThat(listener.next(LIMIT)).containsExactly("WATCHDOG=1");
            // Overdue: only work helps, and whoever waited for this time would not wait at all.
            assertThat(supervisor.dueNanos(1_300 * MILLI)).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void whatDidNotArriveIsToldWithTheNextTurn() throws Exception {
        String name = directory.resolve("notify").toString();
        try (Supervisor supervisor = Supervisor.of(Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "400000"), PID)) {
            supervisor.ready();
            supervisor.status("well");
            supervisor.turned(0);
            try (NotifyListener listener = new NotifyListener(name)) {
                supervisor.turned(1);
                assertThat(listener.next(LIMIT)).containsExactly("READY=1", "STATUS=well", "WATCHDOG=1");
            }
        }
    }

    @Test
    void aFullQueueDoesNotHoldUpWhoeverTells() throws Exception {
        String name = directory.resolve("notify").toString();
        try (NotifyListener listener = new NotifyListener(name);
                Supervisor supervisor = Supervisor.of(Map.of("NOTIFY_SOCKET", name), PID)) {
            for (int i = 0; i < 5_000; i++) {
                supervisor.status("status " + i);
            }
            List<String> last = List.of();
            for (List<String> next = listener.next(NONE); !next.isEmpty(); next = listener.next(NONE)) {
                last = next;
            }
            assertThat(last).isNotEmpty().doesNotContain("STATUS=status 4999");
            supervisor.turned(0);
            assertThat(listener.next(LIMIT)).containsExactly("STATUS=status 4999");
        }
    }

    @Test
    void aWatchdogOfAnotherProcessOrOfNoTimeIsNotFed() throws Exception {
        String name = directory.resolve("notify").toString();
        try (NotifyListener listener = new NotifyListener(name)) {
            for (Map<String, String> environment : List.of(
                    Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "400000", "WATCHDOG_PID", "1"),
                    Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "soon"),
                    Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "0"),
                    Map.of("NOTIFY_SOCKET", name))) {
                try (Supervisor supervisor = Supervisor.of(environment, PID)) {
                    assertThat(supervisor.watchdogMillis()).isZero();
                    assertThat(supervisor.dueNanos(0)).isEqualTo(Long.MAX_VALUE);
                    supervisor.turned(1);
                    assertThat(listener.next(NONE)).isEmpty();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "relative", "vsock:2:1234", "@", "/no/such/directory/notify"})
    void aSocketThatCanNotBeUsedHarmsNobody(String name) {
        try (Supervisor supervisor = Supervisor.of(Map.of("NOTIFY_SOCKET", name, "WATCHDOG_USEC", "400000"), PID)) {
            supervisor.ready();
            supervisor.turned(1);
            supervisor.stopping();
        }
        try (Supervisor supervisor = Supervisor.of(Map.of("NOTIFY_SOCKET", "/" + "x".repeat(200)), PID)) {
            assertThat(supervisor.present()).isFalse();
            supervisor.ready();
        }
    }
}
