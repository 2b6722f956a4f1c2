package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What another master says of the members that the leader doesn't hear.
 *
 * @param asked of which members it was asked, and can tell: one that began to listen a moment ago can tell only of those that it hears
 * @param heard which of those it hears
 * @param hearing how many members of adopted groups it hears in all
 */
public record Testimony(SortedSet<MemberName> asked, SortedSet<MemberName> heard, int hearing) {

    /** Copies the sets. */
    public Testimony {
        asked = Collections.unmodifiableSortedSet(new TreeSet<>(asked));
        heard = Collections.unmodifiableSortedSet(new TreeSet<>(heard));
    }

    /** A member of a group, in the order of groups. */
    public record MemberName(String group, String member) implements Comparable<MemberName> {
        @Override
        public int compareTo(MemberName other) {
            int byGroup = group.compareTo(other.group);
            return byGroup != 0 ? byGroup : member.compareTo(other.member);
        }
    }
}
