package org.haarbiter.master.raft;

import org.jspecify.annotations.Nullable;

/** The replicated log can't start; the message is a sentence for the operator. */
public final class RaftStartException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With the sentence and, where there is one, what lies beneath. */
    public RaftStartException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
    }
}
