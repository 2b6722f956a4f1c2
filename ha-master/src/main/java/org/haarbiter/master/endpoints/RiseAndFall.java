package org.haarbiter.master.endpoints;

import org.jspecify.annotations.Nullable;

/** Counts checks of one endpoint in a row, so that a single one that went wrong, or right, moves nobody. Not thread-safe. */
public final class RiseAndFall {
    private final int rise;
    private final int fall;
    private @Nullable Boolean healthy;
    private int against;

    /**
     * Knows nothing yet.
     *
     * @param rise so many successes in a row make it healthy
     * @param fall so many failures in a row make it unhealthy
     */
    public RiseAndFall(int rise, int fall) {
        this.rise = rise;
        this.fall = fall;
    }

    /** The next check; the first one of all decides alone, since something has to be known before clients come. */
    public void count(boolean success) {
        if (healthy == null) {
            healthy = success;
        } else if (success == healthy) {
            against = 0;
        } else if (++against >= (success ? rise : fall)) {
            healthy = success;
            against = 0;
        }
    }

    /** What follows; null before the first check. */
    public @Nullable Boolean healthy() {
        return healthy;
    }

    /** How many checks in a row said otherwise; 0 where the last one agreed. */
    int against() {
        return against;
    }
}
