package org.haarbiter.master.core;

/** What becomes of a lossless group's writes when nobody is left to acknowledge them. */
public enum OnNoAcknowledger {
    /** They wait until a replica is back. */
    WAIT,
    /** They go on without acknowledgement; the log says so first, and from then on no automatic switch until a replica is back. */
    DEGRADE
}
