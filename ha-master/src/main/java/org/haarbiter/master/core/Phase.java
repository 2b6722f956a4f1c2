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
     * A planned switch is being prepared, while the primary writes on: the candidate catches up, and another replica already
     * follows it, so that the first commits there don't wait for one.
     *
     * @param candidate the only member that may be chosen
     * @param vanguard the replica that goes over to the candidate; null where the primary can't spare one
     * @param by who asked for it
     * @param reason why
     */
    record Preparing(String candidate, @Nullable String vanguard, String by, String reason) implements Phase {}

    /**
     * A planned switch: the primary refuses new writes and still feeds its replicas, until one has everything.
     *
     * @param candidate the only member that may be chosen
     * @param vanguard the replica that follows the candidate already; null where none does
     */
    record Draining(String candidate, @Nullable String vanguard) implements Phase {}

    /**
     * The group's primary is to open writes under the group's epoch and hasn't said yet that it did.
     *
     * @param upTo the position it must have applied first
     */
    record Promoting(String upTo) implements Phase {}
}
