package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One line of the switch log: a committed entry, rendered.
 *
 * @param index the entry's index in the Raft log
 * @param wallMillis the leader's wall clock when it proposed the entry; a label for people
 * @param group the group; empty for the whole fleet
 * @param epoch the group's epoch after the entry
 * @param kind the entry's kind, e.g. {@code switch-started}
 * @param by the rule or the person
 * @param text what happened and why, as a sentence
 * @param details evidence, positions and times by name; times end in {@code _micros}
 */
public record AuditEvent(
        long index,
        long wallMillis,
        String group,
        long epoch,
        String kind,
        String by,
        String text,
        SortedMap<String, String> details) {
    /** Copies the details. */
    public AuditEvent {
        details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
    }
}
