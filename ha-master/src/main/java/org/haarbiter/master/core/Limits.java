package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/**
 * The times by which the rules judge. Milliseconds unless the name says otherwise.
 *
 * @param silenceMillis nothing heard for so long makes a member suspect
 * @param leaseMillis how long a primary may write after the heartbeat that was answered
 * @param driftPerMille allowance for clocks that run at different speeds, in thousandths of the lease
 * @param gatherMillis how long to wait for the remaining reachable replicas once the switch has begun
 * @param drainMillis how long a planned switch may keep the primary drained before it is given up
 * @param adoptMillis how long an unambiguous topology must have stood before it is adopted
 * @param policies of groups that are adopted
 * @param noAcknowledgerMillis how long commits may wait for acknowledgements that nobody gives before fewer are asked for
 * @param whenArbiterLost what primaries do without masters
 * @param storms what is minded when many groups lose their primaries at once
 * @param blocking how long a group that failed over by itself waits before it does so again
 * @param readMaxLagMillis clients that read aren't sent to a replica that is further behind
 */
public record Limits(
        int silenceMillis,
        int leaseMillis,
        int driftPerMille,
        int gatherMillis,
        int drainMillis,
        int adoptMillis,
        Policies policies,
        int noAcknowledgerMillis,
        WhenArbiterLost whenArbiterLost,
        Storms storms,
        Blocking blocking,
        int readMaxLagMillis) {

    /** The least to which a candidate's lag can be limited, in ms. */
    public static long leastLagMillis(int leaseMillis, int driftPerMille, int silenceMillis, int gatherMillis) {
        return leaseMillis * (1_000L + driftPerMille) / 1_000 + silenceMillis + gatherMillis;
    }

    /** Why a candidate's lag can't be limited to so many milliseconds; null where it can. */
    public @Nullable String tooShort(long maxLagMillis) {
        long least = leastLagMillis(leaseMillis, driftPerMille, silenceMillis, gatherMillis);
        return maxLagMillis > 0 && maxLagMillis < least
                ? "max-lag-millis is " + maxLagMillis + " (must be at least " + least
                        + ", a lease, a silence and the gathering of replicas: within less a host that falls silent is never"
                        + " known to have stopped)"
                : null;
    }

    /** How long after the newest possible renewal a lease has surely run out, in nanoseconds. */
    long leaseWaitNanos() {
        return nanos(leaseMillis) * (1_000 + driftPerMille) / 1_000;
    }

    static long nanos(long millis) {
        return millis * 1_000_000;
    }
}
