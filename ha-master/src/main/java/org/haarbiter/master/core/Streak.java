package org.haarbiter.master.core;

/**
 * The failovers that a group made by itself in a row. A person's acknowledgement, or a person's switch, ends the row.
 *
 * @param failovers how many
 * @param lastMillis when the last of them began, by a leader's wall clock
 */
public record Streak(int failovers, long lastMillis) {
    /** No row. */
    public static final Streak NONE = new Streak(0, 0);
}
