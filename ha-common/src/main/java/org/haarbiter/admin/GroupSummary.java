package org.haarbiter.admin;

import java.util.List;

/**
 * A group in one line.
 *
 * @param name the group
 * @param engine {@code mysql}, {@code mariadb} ...; empty while nothing is known
 * @param state the word of a {@link GroupState}
 * @param primary the member that takes writes, or is to; empty while it isn't adopted
 * @param primaryAddress where clients reach it; empty while it isn't adopted
 * @param epoch the fencing number; 0 while it isn't adopted
 * @param members how many are known, or were announced
 * @param healthyMembers how many of them are heard of, run, and do what they are for
 * @param maxLagMillis how far the last of the replicas is behind; -1 where unknown
 * @param names {@code served}, {@code pending} or {@code none}: whether DNS shows the primary
 * @param awaited while it isn't adopted: addresses of servers that a person announced and that no agent speaks for yet
 * @param problems sentences, the worst first, each with what to do
 */
public record GroupSummary(
        String name,
        String engine,
        String state,
        String primary,
        String primaryAddress,
        long epoch,
        int members,
        int healthyMembers,
        long maxLagMillis,
        String names,
        List<String> awaited,
        List<String> problems) {
    /** Copies the lists. */
    public GroupSummary {
        awaited = List.copyOf(awaited);
        problems = List.copyOf(problems);
    }
}
