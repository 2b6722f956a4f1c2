package org.haarbiter.admin;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One line of the switch log: one committed entry.
 *
 * @param index the entry's index in the Raft log
 * @param wallMillis the leader's wall clock when it proposed the entry
 * @param group the group; empty for the whole fleet
 * @param epoch the group's epoch after it
 * @param kind e.g. {@code switch-started}
 * @param by the rule or the person
 * @param text what happened and why
 * @param details evidence, positions and times by name; times end in {@code _micros}
 */
public record EventView(
        long index,
        long wallMillis,
        String group,
        long epoch,
        String kind,
        String by,
        String text,
        SortedMap<String, String> details) {
    /** Copies the details. */
    public EventView {
        details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
    }
}
