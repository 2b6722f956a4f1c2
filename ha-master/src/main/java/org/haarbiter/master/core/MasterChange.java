package org.haarbiter.master.core;

/** What became of a master's vote, or of its part as leader. */
public enum MasterChange {
    /** It votes from here on. */
    ADDED("master-added", "is added"),
    /** It votes no longer. */
    REMOVED("master-removed", "is removed"),
    /** It leads and is to be removed: on record before, since afterwards it can't write to the log any more. */
    LEAVES("master-leaves", "leads and is being removed"),
    /** It was leaving, but the removal failed. */
    STAYS("master-stays", "stays a master, its removal failed"),
    /** It is to lead from here on: on record before, since afterwards the leader of now can't write to the log any more. */
    TAKES_OVER("leader-transfer", "is to take over the lead"),
    /** It was to lead, but didn't get there. */
    TAKES_NOT("leader-transfer-failed", "doesn't take over the lead");

    private final String kind;
    private final String words;

    MasterChange(String kind, String words) {
        this.kind = kind;
        this.words = words;
    }

    /** As the switch log names it. */
    public String kind() {
        return kind;
    }

    /** What to say behind the master's name. */
    public String words() {
        return words;
    }
}
