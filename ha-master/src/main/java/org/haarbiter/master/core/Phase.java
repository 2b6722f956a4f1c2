package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/** Where a group is between two steady states. Each phase is in the log before its effect is asked for. */
public sealed interface Phase {

    /** No switch is under way. */
    record Steady() implements Phase {}

    /**
     * The old primary is being fenced and the replicas sealed; the candidate is chosen from their final positions.
     *
     * @param trigger what set the switch off
     * @param target the only member that may be chosen; null for the best
     * @param acceptDataLoss a person has said that acknowledged writes may be lost
     */
    record Sealing(Trigger trigger, @Nullable String target, boolean acceptDataLoss) implements Phase {}

    /**
     * A planned switch: the primary refuses new writes and still feeds its replicas, until one has everything.
     *
     * @param target the only member that may be chosen; null for the best
     */
    record Draining(@Nullable String target) implements Phase {}

    /**
     * The group's primary is to open writes under the group's epoch and hasn't said yet that it did.
     *
     * @param upTo the position it must have applied first
     */
    record Promoting(String upTo) implements Phase {}
}
