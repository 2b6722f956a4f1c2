package org.haarbiter.words;

/**
 * The answer to a {@link PeerRequest}.
 *
 * @param member who answers
 * @param session the asking agent's session
 * @param round the request's
 * @param epoch the newest epoch that the answering agent knows
 * @param granted it promises that no other member takes writes by its doing until the lease is over
 * @param reason why not, a sentence; empty where granted
 */
public record PeerAnswer(String member, long session, long round, long epoch, boolean granted, String reason) {}
