package org.haarbiter.agent.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcStatTest {

    private static ProcStat read(String name, String state, long flags, long pending) {
        String line = "4711 (" + name + ") " + state + " 1 2 3 0 -1 " + flags
                + " 10 11 12 13 14 15 16 17 20 0 38 0 987654 1000 2000 18446744073709551615 1 1 0 0 0 " + pending
                + " 0 0 0 0 0 0 17 1 0 0\n";
        ByteBuffer text = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
        ProcStat stat = new ProcStat();
        assertThat(stat.read(text, line.length())).isTrue();
        return stat;
    }

    @Test
    void aRunningProcessHasNoEnd() {
        ProcStat stat = read("mysqld", "S", 0x400040, 0);
        // 0x400000 is PF_RANDOMIZE, 0x40 PF_FORKNOEXEC: neither says anything about an end.
        assertThat(stat.end()).isNull();
        assertThat(stat.startTicks()).isEqualTo(987654);
        assertThat(stat.threads()).isEqualTo(38);
    }

    @Test
    void aNameMayHoldBlanksAndBrackets() {
        ProcStat stat = read("a) Z (b", "S", 0, 0);
        assertThat(stat.end()).isNull();
        assertThat(stat.startTicks()).isEqualTo(987654);
    }

    @ParameterizedTest
    @CsvSource({"Z,0,0,ended", "X,0,0,ended", "R,4,0,exiting", "D,1024,0,signal", "T,0,256,SIGKILL"})
    void eachSignOfTheEndIsSeen(String state, long flags, long pending, String evidence) {
        assertThat(read("mysqld", state, flags, pending).end()).contains(evidence);
    }

    @Test
    void otherPendingSignalsAreNoEnd() {
        assertThat(read("mysqld", "T", 0, 1L << 14 | 1L << 18).end()).isNull();
    }

    @Test
    void halfALineIsRefused() {
        ByteBuffer text = ByteBuffer.wrap("4711 (mysqld) S 1 2".getBytes(StandardCharsets.UTF_8));
        assertThat(new ProcStat().read(text, 19)).isFalse();
    }
}
