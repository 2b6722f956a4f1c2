package org.haarbiter.master.raft;

import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** This node doesn't lead, or not in the term that was expected. */
public final class NotLeaderException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable Endpoint leader;

    /** With the leader's address where it is known. */
    public NotLeaderException(String message, @Nullable Endpoint leader) {
        super(message);
        this.leader = leader;
    }

    /** The leader as this node knows it. */
    public @Nullable Endpoint leader() {
        return leader;
    }
}
