package org.haarbiter.agent.process;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One reading of {@code /proc/PID/stat}. Reused between readings, so that a poll every millisecond leaves no garbage. */
final class ProcStat {
    /** The task is in {@code do_exit}: none of its instructions run again. */
    private static final long PF_EXITING = 0x4;

    /** It was killed by a signal; set also while a core dump holds it before {@code do_exit}. */
    private static final long PF_SIGNALED = 0x400;

    private static final long SIGKILL_PENDING = 1L << 8;

    private static final int STATE = 3;
    private static final int FLAGS = 9;
    private static final int THREADS = 20;
    private static final int START = 22;
    private static final int PENDING = 31;

    private byte state;
    private long flags;
    private long threads;
    private long startTicks;
    private long pending;

    /**
     * Reads the first {@code length} bytes of {@code text}.
     *
     * @return false where that isn't a whole line; the fields are then undefined
     */
    boolean read(ByteBuffer text, int length) {
        int at = length - 1;
        // The name may hold blanks and brackets of its own: only the last one ends it.
        while (at >= 0 && text.get(at) != ')') {
            at--;
        }
        if (at < 0) {
            return false;
        }
        at += 2;
        int field = STATE;
        long value = 0;
        boolean any = false;
        while (at < length) {
            byte c = text.get(at);
            if (c == ' ' || c == '\n') {
                keep(field, value);
                if (field == PENDING) {
                    return any;
                }
                field++;
                value = 0;
            } else if (field == STATE) {
                state = c;
                any = true;
            } else if (c >= '0' && c <= '9') {
                value = value * 10 + (c - '0');
            }
            at++;
        }
        return false;
    }

    private void keep(int field, long value) {
        if (field == FLAGS) {
            flags = value;
        } else if (field == THREADS) {
            threads = value;
        } else if (field == START) {
            startTicks = value;
        } else if (field == PENDING) {
            pending = value;
        }
    }

    /** When the process started, in clock ticks since boot: with the pid and the boot it names one process for ever. */
    long startTicks() {
        return startTicks;
    }

    long threads() {
        return threads;
    }

    /** Why the process can't run any instruction more; null where it can. */
    @Nullable
    String end() {
        if (state == 'Z' || state == 'X') {
            return "/proc shows it as ended (state " + (char) state + ")";
        }
        if ((flags & PF_EXITING) != 0) {
            return "/proc shows it exiting";
        }
        if ((flags & PF_SIGNALED) != 0) {
            return "/proc shows it ended by a signal";
        }
        if ((pending & SIGKILL_PENDING) != 0) {
            return "SIGKILL is pending for it";
        }
        return null;
    }
}
