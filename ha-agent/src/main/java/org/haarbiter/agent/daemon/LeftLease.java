package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Hands the permission to write on from an agent that stops in good order to the one that starts after it, as the machine's uptime at
 * which it ends: a monotonic clock that all processes share, and that goes on while the machine is suspended. For one thread.
 */
final class LeftLease {
    private static final Path UPTIME = Path.of("/proc/uptime");

    /** The uptime is told in hundredths of a second. */
    private static final long RESOLUTION_NANOS = 10_000_000;

    private final Path file;
    private final Clock uptime;

    /** Nanoseconds since the machine's boot, suspended times among them. */
    interface Clock {
        long nanos() throws IOException;
    }

    /** @param directory exists */
    LeftLease(Path directory) {
        this(directory, LeftLease::uptimeNanos);
    }

    LeftLease(Path directory, Clock uptime) {
        this.file = directory.resolve("permission-left");
        this.uptime = uptime;
    }

    /** Leaves it behind. Needs no sync: the server that it is about doesn't outlive the machine either. */
    void leave(long remainingNanos) throws IOException {
        Files.writeString(file, (uptime.nanos() + remainingNanos - RESOLUTION_NANOS) + "\n");
    }

    /**
     * Takes over what was left; it is there once only.
     *
     * @param longestNanos no permission is longer: what is, is of another boot
     * @return how long it still runs, 0 or less where it is over; {@link Long#MIN_VALUE} where none was left
     */
    long take(long longestNanos) throws IOException {
        if (!Files.exists(file)) {
            return Long.MIN_VALUE;
        }
        String text = Files.readString(file).strip();
        Files.delete(file);
        try {
            long remaining = Long.parseLong(text) - uptime.nanos();
            return remaining > longestNanos ? 0 : remaining;
        } catch (NumberFormatException e) {
            // Half written: whoever wrote it held a permission that can't be told any more.
            return 0;
        }
    }

    private static long uptimeNanos() throws IOException {
        String first = Files.readString(UPTIME).split(" ", 2)[0];
        return new BigDecimal(first).movePointRight(9).longValueExact();
    }
}
