package org.haarbiter.agent.core;

import org.haarbiter.words.Goal;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Role;
import org.jspecify.annotations.Nullable;

/**
 * The permissions that this agent gives its group's primary while no master answers that one. Each is a promise: the masters are
 * told that one is running, and wait for its end before they take it for sure that the primary writes no more.
 */
final class Promises {
    private final Identity identity;
    private final AgentLimits limits;
    private long rememberedEpoch;
    private long untilNanos = Long.MIN_VALUE;
    private long askedNanos = Long.MIN_VALUE;

    /** @param knownEpoch the newest epoch on disk; 0 where this agent never belonged to a group */
    Promises(Identity identity, AgentLimits limits, long knownEpoch, long nowNanos) {
        this.identity = identity;
        this.limits = limits;
        this.rememberedEpoch = knownEpoch;
        if (knownEpoch > 0) {
            // What an earlier process of this agent promised isn't known.
            promise(limits.leaseMillis(), nowNanos);
        }
    }

    /** Another agent has spoken for this member until now, and what it promised isn't known. */
    void takenOver(long nowNanos) {
        if (rememberedEpoch > 0) {
            promise(limits.leaseMillis(), nowNanos);
        }
    }

    private void promise(long leaseMillis, long nowNanos) {
        long end = nowNanos + AgentLimits.nanos(leaseMillis) * (1_000 + limits.driftPerMille()) / 1_000;
        untilNanos = Math.max(untilNanos, end);
    }

    void remembered(long epoch) {
        rememberedEpoch = Math.max(rememberedEpoch, epoch);
    }

    long rememberedEpoch() {
        return rememberedEpoch;
    }

    boolean running(long nowNanos) {
        return untilNanos != Long.MIN_VALUE && nowNanos < untilNanos;
    }

    /** When the newest one ends; {@link Long#MAX_VALUE} where none is running. */
    long endNanos(long nowNanos) {
        return running(nowNanos) ? untilNanos : Long.MAX_VALUE;
    }

    /** How long ago a primary that writes asked; -1 for never. */
    long askedMillis(long nowNanos) {
        return askedNanos == Long.MIN_VALUE ? -1 : Math.max(0, (nowNanos - askedNanos) / 1_000_000);
    }

    PeerAnswer answer(PeerRequest request, @Nullable Goal goal, long nowNanos) {
        long known = Math.max(rememberedEpoch, goal == null ? 0 : goal.epoch());
        String refusal = refusal(request, goal, known);
        if (refusal.isEmpty()) {
            promise(request.leaseMillis(), nowNanos);
            if (request.open()) {
                askedNanos = nowNanos;
            }
        }
        return new PeerAnswer(identity.member(), request.session(), request.round(), known, refusal.isEmpty(), refusal);
    }

    private String refusal(PeerRequest request, @Nullable Goal goal, long known) {
        if (!request.group().equals(identity.group())) {
            return "it belongs to group " + identity.group() + ", not to " + request.group();
        }
        if (known == 0) {
            return "it was never part of the group, or has lost its state directory";
        }
        if (request.epoch() < known) {
            return "it knows epoch " + known + ", which is newer than " + request.epoch();
        }
        boolean primary = goal != null
                && goal.epoch() >= request.epoch()
                && (goal.role() == Role.PRIMARY || goal.role() == Role.DRAINED);
        return primary ? "it is the primary of epoch " + known + " itself" : "";
    }
}
