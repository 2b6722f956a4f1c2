package org.haarbiter.master.core;

/** What a primary does when no master answers its agent any more. */
public enum WhenArbiterLost {
    /** It goes on while the agents of all its peers permit it. */
    HOLD,
    /** It refuses writes from the end of its lease on. */
    FENCE
}
