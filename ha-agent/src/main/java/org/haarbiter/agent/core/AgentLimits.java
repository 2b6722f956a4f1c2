package org.haarbiter.agent.core;

/**
 * The times an agent works by.
 *
 * @param leaseSlackMillis the agent begins to fence itself this long before its lease ends, so that the fence is up in time
 * @param retryMillis how long after a failed command, or one whose effect doesn't show, it is given again
 * @param rebuildRetryMillis how long after a rebuild, whatever came of it, another one under the same epoch may begin
 * @param jumpMillis a wall clock that runs ahead of the monotonic one by this much means a suspended machine: the lease is over
 * @param unansweredMillis how long a restarted agent leaves its open server open before a leader has confirmed it
 * @param leaseMillis the longest lease that an earlier process of this agent may have promised a peer
 * @param driftPerMille how much faster one clock may run than another, in thousandths: a promise lasts longer by it
 */
public record AgentLimits(
        int leaseSlackMillis,
        int retryMillis,
        int rebuildRetryMillis,
        int jumpMillis,
        int unansweredMillis,
        int leaseMillis,
        int driftPerMille) {
    static long nanos(long millis) {
        return millis * 1_000_000;
    }
}
