package org.haarbiter.master.core;

/** How a member stands to its group's present primary. The primary itself is named by the group. */
public enum Standing {
    /** It follows the primary, and counts among those that may acknowledge its commits. */
    FOLLOWING,
    /** It is kept fenced, acknowledges nothing, and rejoins once its history is known to be part of the primary's. */
    AWAY
}
