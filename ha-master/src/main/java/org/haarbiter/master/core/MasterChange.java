package org.haarbiter.master.core;

/** What became of a master's vote. */
public enum MasterChange {
    /** It votes from here on. */
    ADDED("master-added", "is added"),
    /** It votes no longer. */
    REMOVED("master-removed", "is removed"),
    /** It leads and is to be removed: on record before, since afterwards it can't write to the log any more. */
    LEAVES("master-leaves", "leads and is being removed"),
    /** It was leaving, but the removal failed. */
    STAYS("master-stays", "stays a master, its removal failed");

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
