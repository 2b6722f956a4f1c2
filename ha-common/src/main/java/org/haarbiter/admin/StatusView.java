package org.haarbiter.admin;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fleet at a glance. {@code GET /v1/status}.
 *
 * @param cluster the arbiter's identity
 * @param answeredBy the master that answered
 * @param leader the leader's name; empty while there is none
 * @param term the Raft term
 * @param appliedIndex how far the answering master has applied the log
 * @param masters every voting member
 * @param pause of the whole fleet; null where none
 * @param groups by name
 * @param problems of the masters and of the fleet as a whole; a group's own are with the group
 */
public record StatusView(
        String cluster,
        String answeredBy,
        String leader,
        long term,
        long appliedIndex,
        List<MasterView> masters,
        @Nullable PauseView pause,
        List<GroupSummary> groups,
        List<String> problems) {
    /** Copies the lists. */
    public StatusView {
        masters = List.copyOf(masters);
        groups = List.copyOf(groups);
        problems = List.copyOf(problems);
    }
}
