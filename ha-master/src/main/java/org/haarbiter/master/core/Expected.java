package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;

/**
 * A group that a person has announced before its agents report: it is adopted by itself only once all of them do, and is
 * promised this. Immutable.
 *
 * @param group its name
 * @param engine what its agents must say; compared as a word, nothing else is made of it
 * @param positionKind how its positions compare
 * @param policy what it is promised when it is adopted
 * @param members the addresses of all its servers, never empty
 * @param by who announced it
 * @param reason why
 * @param wallMillis when; a label
 */
public record Expected(
        String group,
        String engine,
        PositionKind positionKind,
        Policy policy,
        SortedSet<Endpoint> members,
        String by,
        String reason,
        long wallMillis) {

    /** Copies the members. */
    public Expected {
        members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
        if (members.isEmpty()) {
            throw new IllegalArgumentException("group " + group + " is expected without any member");
        }
    }
}
