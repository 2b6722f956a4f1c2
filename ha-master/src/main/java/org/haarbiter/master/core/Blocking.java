package org.haarbiter.master.core;

/**
 * How long a group that failed over by itself waits before it does so again. Each further failover in a row doubles the wait.
 *
 * @param firstMillis after the first; 0 for no wait at all
 * @param mostMillis the longest
 * @param forgetMillis a failover so long after the one before begins a new row
 */
public record Blocking(int firstMillis, int mostMillis, int forgetMillis) {

    /** What a master that isn't told otherwise does. */
    public static final Blocking USUAL = new Blocking(10_000, 3_600_000, 3_600_000);

    /** Never waits. */
    public static final Blocking NONE = new Blocking(0, 0, 0);

    /** How long to wait after a row of so many. */
    long millis(int inARow) {
        return inARow == 0 || firstMillis == 0
                ? 0
                : Math.min(mostMillis, (long) firstMillis << Math.min(30, inARow - 1));
    }
}
