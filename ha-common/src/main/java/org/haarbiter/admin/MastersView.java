package org.haarbiter.admin;

import java.util.List;

/**
 * The masters. {@code GET /v1/masters}.
 *
 * @param cluster the arbiter's identity
 * @param answeredBy the master that answered
 * @param leader the leader's name; empty while there is none
 * @param term the Raft term
 * @param appliedIndex how far the answering master has applied the log
 * @param masters every voting member
 * @param problems sentences, each with what to do
 */
public record MastersView(
        String cluster,
        String answeredBy,
        String leader,
        long term,
        long appliedIndex,
        List<MasterView> masters,
        List<String> problems) {
    /** Copies the lists. */
    public MastersView {
        masters = List.copyOf(masters);
        problems = List.copyOf(problems);
    }
}
