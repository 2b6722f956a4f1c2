package org.haarbiter.master.core;

/** What set a switch off. */
public enum Trigger {
    /** The primary's process has ended. */
    PRIMARY_DEAD,
    /** The primary was restarted since it opened, and came up fenced. */
    PRIMARY_RESTARTED,
    /** The primary's process lives and answers nothing. */
    PRIMARY_HUNG,
    /** Nothing is heard of the primary, neither by the masters nor by its replicas. */
    PRIMARY_SILENT,
    /** The chosen candidate was lost before it opened. */
    CANDIDATE_LOST,
    /** The primary of a planned switch was lost while it was drained. */
    DRAIN_LOST,
    /** A person asked. */
    MANUAL;

    /** Somebody else takes over from a primary that was lost: no restart, and no second candidate for the same loss. */
    boolean isFailover() {
        return this == PRIMARY_DEAD || this == PRIMARY_HUNG || this == PRIMARY_SILENT || this == DRAIN_LOST;
    }
}
