package org.haarbiter.agent.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ExitEventsTest {
    private static final long LIMIT_NANOS = 10_000_000_000L;
    private static final int PID = 4711;

    private static ByteBuffer datagram(int what, int tgid) {
        ByteBuffer bytes = ByteBuffer.allocate(76).order(ByteOrder.nativeOrder());
        bytes.putInt(0, 76).putInt(16, 1).putInt(20, 1).putShort(32, (short) 40);
        return bytes.putInt(36, what).putInt(52, tgid + 1).putInt(56, tgid);
    }

    @Test
    void anEndingOrDumpingThreadOfTheProcessIsNewsAndNothingElseIs() {
        assertThat(ExitEvents.tellsOfEnd(datagram(0x80000000, PID), 76, PID)).isTrue();
        assertThat(ExitEvents.tellsOfEnd(datagram(0x40000000, PID), 76, PID)).isTrue();
        assertThat(ExitEvents.tellsOfEnd(datagram(0x80000000, PID + 1), 76, PID))
                .isFalse();
        // fork, exec, a name that changes
        for (int what : new int[] {1, 2, 0x200}) {
            assertThat(ExitEvents.tellsOfEnd(datagram(what, PID), 76, PID)).isFalse();
        }
    }

    @Test
    void aDatagramThatIsTooShortOrNotOfTheProcessConnectorIsNoEvent() {
        for (int length = -1; length < 60; length++) {
            assertThat(ExitEvents.tellsOfEnd(datagram(0x80000000, PID), length, PID))
                    .isFalse();
            assertThat(ExitEvents.refusal(datagram(0, PID), length)).isZero();
        }
        assertThat(ExitEvents.tellsOfEnd(datagram(0x80000000, PID).putInt(16, 2), 76, PID))
                .isFalse();
        assertThat(ExitEvents.tellsOfEnd(datagram(0x80000000, PID).putInt(20, 2), 76, PID))
                .isFalse();
    }

    @Test
    void aRefusedSubscriptionTellsItsErrno() {
        assertThat(ExitEvents.refusal(datagram(0, 0).putInt(52, 1), 76)).isEqualTo(1);
        assertThat(ExitEvents.refusal(datagram(0, 0).putInt(52, 0), 76)).isZero();
        assertThat(ExitEvents.refusal(datagram(0x80000000, PID), 76)).isZero();
    }

    @Test
    void onlyTheChosenProcessIsHeard() throws Exception {
        try (ExitEvents events = new ExitEvents()) {
            Assumptions.assumeTrue(events.unavailable() == null, String.valueOf(events.unavailable()));
            Process mine = new ProcessBuilder("sleep", "600").start();
            Process others = new ProcessBuilder("sleep", "600").start();
            try {
                events.of((int) mine.pid());
                events.heard();
                others.destroyForcibly().waitFor();
                assertThat(events.heard()).isFalse();
                mine.destroyForcibly();
                long deadline = System.nanoTime() + LIMIT_NANOS;
                while (!events.heard()) {
                    assertThat(System.nanoTime()).isLessThan(deadline);
                    Thread.onSpinWait();
                }
            } finally {
                mine.destroyForcibly();
                others.destroyForcibly();
            }
        }
    }
}
