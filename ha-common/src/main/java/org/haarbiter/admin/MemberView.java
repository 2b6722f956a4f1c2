package org.haarbiter.admin;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One member of a group: what the log says of it, what its agent last said, and what is wanted of it.
 *
 * @param name the member
 * @param site the data centre
 * @param address where clients and replicas reach it
 * @param version the server's version; empty while unknown
 * @param role {@code primary}, {@code replica}, {@code away} (kept fenced until its history is known to be part of the
 *     primary's) or {@code none} (not part of the group yet)
 * @param state {@code running}, {@code starting}, {@code refusing}, {@code hung}, {@code dead}, {@code unknown}, or
 *     {@code silent} where nothing was heard lately or ever
 * @param healthy heard of, runs, and does what its role asks
 * @param detail the agent's evidence for the state; empty while all is well
 * @param writable a client's write would be accepted, when last heard
 * @param source whom it is configured to follow; empty where nobody
 * @param receiving its input from the source is connected and running
 * @param applying what was received is being applied without error
 * @param sealedEpoch cut off from its source since this epoch; 0 where it isn't
 * @param fencedEpoch refuses clients' writes since this epoch; 0 where it doesn't
 * @param openEpoch takes writes under this epoch; 0 where it doesn't
 * @param received everything it holds, in the engine's own form
 * @param applied everything it has applied
 * @param transactionsBehind how many transactions of the primary's (or bytes: see {@link GroupView#unit}) it hasn't received, as last heard of both; -1 where
 *     that can't be counted
 * @param transactionsToApply how many of those that it has received it hasn't applied: a promotion waits for them; -1 where
 *     that isn't known
 * @param lagMillis how far behind it is; -1 where unknown
 * @param heardMillisAgo when its agent was last heard; -1 where never
 * @param leaseEndsMillis when the newest write permission it can have has surely run out; 0 where it has none or it has
 *     run out, -1 where the answering master doesn't lead
 * @param acknowledgers replicas that acknowledge its commits now; -1 where unknown
 * @param acknowledgersRequired how many acknowledgements its commits wait for
 * @param electable settings allow its automatic promotion
 * @param guard what a service manager does when its agent dies or stands still, as a sentence; empty while nothing was heard
 * @param goal what the leader wants of it; null where nothing was heard of it
 * @param problems sentences, each with what to do
 */
public record MemberView(
        String name,
        String site,
        String address,
        String version,
        String role,
        String state,
        boolean healthy,
        String detail,
        boolean writable,
        String source,
        boolean receiving,
        boolean applying,
        long sealedEpoch,
        long fencedEpoch,
        long openEpoch,
        String received,
        String applied,
        long transactionsBehind,
        long transactionsToApply,
        long lagMillis,
        long heardMillisAgo,
        long leaseEndsMillis,
        int acknowledgers,
        int acknowledgersRequired,
        boolean electable,
        String guard,
        @Nullable GoalView goal,
        List<String> problems) {
    /** Copies the list. */
    public MemberView {
        problems = List.copyOf(problems);
    }
}
