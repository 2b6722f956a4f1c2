package org.haarbiter.master.core;

import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * What groups are promised when they are adopted.
 *
 * @param usual where commits can be made to wait for acknowledgements
 * @param asynchronous where they can't, as those of Redis; never lossless
 * @param streamed where members get what was written from a message stream, as clusters of Elasticsearch do
 */
public record Policies(Policy usual, Policy asynchronous, Policy streamed) {

    /** At most what was written in ten seconds is lost; when no replica is left, writes go on after a while. */
    public static final Policy ASYNCHRONOUS =
            new Policy(Durability.BOUNDED, 10_000, 0, OnNoAcknowledger.DEGRADE, Policy.USUAL_PRIORITY);

    /** Refuses a promise that nobody could keep. */
    public Policies {
        String problem = problem(PositionKind.REPLICATION_OFFSET, asynchronous.durability());
        if (problem != null) {
            throw new IllegalArgumentException(problem);
        }
    }

    /** The usual promise for all groups to which it can be made. */
    public static Policies of(Policy policy) {
        return new Policies(policy, policy.durability() == Durability.LOSSLESS ? ASYNCHRONOUS : policy, policy);
    }

    /** Why groups with such positions can't be promised this; null where they can. */
    public static @Nullable String problem(PositionKind kind, Durability durability) {
        return durability == Durability.LOSSLESS ? kind.neverLossless() : null;
    }

    Policy of(PositionKind kind) {
        if (kind.streamed()) {
            return streamed;
        }
        return kind.acknowledgersLimit() == 0 ? asynchronous : usual;
    }
}
