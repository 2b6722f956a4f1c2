package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/**
 * What must hold of the state after every entry, whatever the entries were: checked by every master after each apply, and
 * by the simulator. Cheap: it looks at one group.
 */
public final class Invariants {
    private Invariants() {}

    /**
     * Compares the states before and after one entry.
     *
     * @return a sentence that says what is broken; null where all is well
     */
    public static @Nullable String broken(ClusterState before, ClusterState after, Entry entry) {
        if (entry.group().isEmpty()) {
            return null;
        }
        Group was = before.group(entry.group());
        Group is = after.group(entry.group());
        if (is == null) {
            return was == null ? null : "group " + entry.group() + " has vanished";
        }
        String name = "group " + is.name();
        if (after.expectedGroup(is.name()) != null) {
            return name + " is adopted and expected at once";
        }
        if (!is.members().containsKey(is.primary())) {
            return name + ": primary " + is.primary() + " is no member";
        }
        if (is.publishedEpoch() > is.epoch()) {
            return name + ": names of epoch " + is.publishedEpoch() + " are published at epoch " + is.epoch();
        }
        if (was == null || was.equals(is)) {
            return null;
        }
        long based = epochOf(entry);
        if (based >= 0 && based != was.epoch()) {
            return name + ": an entry based on epoch " + based + " changed it at epoch " + was.epoch();
        }
        if (is.epoch() < was.epoch() || is.publishedEpoch() < was.publishedEpoch()) {
            return name + ": its epoch went from " + was.epoch() + " to " + is.epoch() + ", its names from "
                    + was.publishedEpoch() + " to " + is.publishedEpoch();
        }
        boolean moved =
                !is.primary().equals(was.primary()) || !is.primaryInstance().equals(was.primaryInstance());
        boolean choosing = was.phase() instanceof Phase.Sealing || was.phase() instanceof Phase.Draining;
        if (moved && (is.epoch() != was.epoch() || !choosing || !(is.phase() instanceof Phase.Promoting))) {
            return name + ": the primary went from " + was.primary() + " to " + is.primary()
                    + " although nobody was being chosen";
        }
        return null;
    }

    /** The epoch that an entry was based on; -1 where it carries none. */
    private static long epochOf(Entry entry) {
        if (entry instanceof Entry.MemberJoined e) {
            return e.epoch();
        }
        if (entry instanceof Entry.MemberAway e) {
            return e.epoch();
        }
        if (entry instanceof Entry.AcknowledgersChanged e) {
            return e.epoch();
        }
        if (entry instanceof Entry.Degraded e) {
            return e.epoch();
        }
        if (entry instanceof Entry.PolicyChanged e) {
            return e.epoch();
        }
        if (entry instanceof Entry.RebuildStarted e) {
            return e.epoch();
        }
        if (entry instanceof Entry.PeersChanged e) {
            return e.epoch();
        }
        if (entry instanceof Entry.SwitchStarted e) {
            return e.baseEpoch();
        }
        if (entry instanceof Entry.PreparationStarted e) {
            return e.epoch();
        }
        if (entry instanceof Entry.PreparationEnded e) {
            return e.epoch();
        }
        if (entry instanceof Entry.CandidateChosen e) {
            return e.epoch();
        }
        if (entry instanceof Entry.SwitchCompleted e) {
            return e.epoch();
        }
        if (entry instanceof Entry.SwitchAbandoned e) {
            return e.epoch();
        }
        return entry instanceof Entry.NamesPublished e ? e.epoch() : -1;
    }
}
