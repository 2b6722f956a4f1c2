package org.haarbiter.master.core;

/**
 * The times by which the rules judge. Milliseconds unless the name says otherwise.
 *
 * @param silenceMillis nothing heard for so long makes a member suspect
 * @param leaseMillis how long a primary may write after the heartbeat that was answered
 * @param driftPerMille allowance for clocks that run at different speeds, in thousandths of the lease
 * @param gatherMillis how long to wait for the remaining reachable replicas once the switch has begun
 * @param drainMillis how long a planned switch may keep the primary drained before it is given up
 * @param adoptMillis how long an unambiguous topology must have stood before it is adopted
 * @param durability of groups that are adopted
 * @param whenArbiterLost what primaries do without masters
 */
public record Limits(
        int silenceMillis,
        int leaseMillis,
        int driftPerMille,
        int gatherMillis,
        int drainMillis,
        int adoptMillis,
        Durability durability,
        WhenArbiterLost whenArbiterLost) {

    /** How long after the newest possible renewal a lease has surely run out, in nanoseconds. */
    long leaseWaitNanos() {
        return nanos(leaseMillis) * (1_000 + driftPerMille) / 1_000;
    }

    static long nanos(long millis) {
        return millis * 1_000_000;
    }
}
