package org.haarbiter.time;

/**
 * A monotonic clock. Its values mean nothing but their differences, and are compared by subtraction only. May be read
 * from any thread.
 */
@FunctionalInterface
public interface Ticker {
    /** The machine's own: doesn't jump when the wall clock is set, and stands still while the machine is suspended. */
    Ticker SYSTEM = System::nanoTime;

    /** The present moment, in ns. */
    long nanos();
}
