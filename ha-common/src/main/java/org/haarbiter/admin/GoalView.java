package org.haarbiter.admin;

/**
 * What the leader wants a member to be.
 *
 * @param role {@code observe}, {@code primary}, {@code replica}, {@code sealed}, {@code fenced} or {@code drained}
 * @param epoch the epoch of the wish
 * @param source whom it shall follow; empty where nobody
 * @param upTo the position a primary must have applied before it opens; empty for none
 * @param reason the sentence an operator reads
 */
public record GoalView(String role, long epoch, String source, String upTo, String reason) {}
