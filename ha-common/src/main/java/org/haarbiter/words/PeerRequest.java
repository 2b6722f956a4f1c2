package org.haarbiter.words;

/**
 * The agent of a primary that hears no leader asks another agent of its group for a permission to go on.
 *
 * @param group the group
 * @param member the primary
 * @param session the asking agent's session
 * @param round grows by one with each time that it asks all of its peers; it counts the lease from when the round began
 * @param epoch under which it writes
 * @param open its server takes writes; false where it asks in order to open it again
 * @param leaseMillis how long the permission shall last from the beginning of the round
 */
public record PeerRequest(
        String group, String member, long session, long round, long epoch, boolean open, long leaseMillis) {}
