package org.haarbiter.master.core;

/** What a group promises of acknowledged writes. */
public enum Durability {
    /** No write that a client saw acknowledged is missing after a switch; where that can't be proved, no automatic switch. */
    LOSSLESS,
    /**
     * As {@link #AVAILABLE}, but nobody is promoted by itself who may lack more than a stated amount of what the old primary
     * wrote up to the moment at which it stopped, or may have.
     */
    BOUNDED,
    /** Writes are available as soon as it is sure that the old primary takes none; the newest may be missing. */
    AVAILABLE
}
