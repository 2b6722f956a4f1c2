package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Clients of a group that have a DNS name of their own, beside the group's write and read names, and a rule for which members it
 * leads to. Immutable.
 *
 * @param follows which members the name leads to
 * @param pins with {@link Follows#MEMBERS}, the members; empty otherwise
 * @param fallBack with {@link Follows#MEMBERS}, where the name leads while none of them is well; {@link FallBack#NONE} otherwise
 */
public record TrafficClass(Follows follows, SortedSet<String> pins, FallBack fallBack) {

    /** A group has so many at most, those included whose names are still to go from the DNS. */
    public static final int MOST = 16;

    /** The class is no more: its name must not exist. Forgotten once no DNS server shows it. */
    public static final TrafficClass REMOVED = new TrafficClass(Follows.NOBODY, new TreeSet<>(), FallBack.NONE);

    /** Which members a name leads to. */
    public enum Follows {
        /** The one that takes writes. */
        PRIMARY,
        /** The healthy replicas to which no class is pinned; the primary where there is none. */
        REPLICAS,
        /** Those that are named, and nobody else's name leads there. */
        MEMBERS,
        /** None: the name must not exist. */
        NOBODY
    }

    /** Where a pinned name leads while none of its members is well. */
    public enum FallBack {
        /** It stays: whoever uses it waits, and hurts nobody else. */
        NONE,
        /** To the healthy replicas to which no class is pinned; where there is none it stays. */
        REPLICAS,
        /** To those, and where there is none, to the primary. */
        ANY
    }

    /** Copies the members. Refuses a rule without meaning. */
    public TrafficClass {
        pins = Collections.unmodifiableSortedSet(new TreeSet<>(pins));
        String problem = problem(follows, pins, fallBack);
        if (problem != null) {
            throw new IllegalArgumentException(problem);
        }
    }

    /** Why a class can't have this rule; null where it can. */
    public static @Nullable String problem(Follows follows, SortedSet<String> pins, FallBack fallBack) {
        if (follows == Follows.MEMBERS) {
            return pins.isEmpty() ? "a pinned name needs a member at least" : null;
        }
        return pins.isEmpty() && fallBack == FallBack.NONE
                ? null
                : "only a name that is pinned to members can name any, and fall back from them";
    }

    /** The rule for people. */
    public String words() {
        return switch (follows) {
            case PRIMARY -> "follows the primary";
            case REPLICAS -> "follows the replicas";
            case NOBODY -> "removed";
            case MEMBERS ->
                "pinned to " + String.join(", ", pins)
                        + switch (fallBack) {
                            case NONE -> ", falls back to nobody";
                            case REPLICAS -> ", falls back to replicas";
                            case ANY -> ", falls back to replicas, then to the primary";
                        };
        };
    }
}
