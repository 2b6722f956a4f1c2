package org.haarbiter.words;

import org.jspecify.annotations.Nullable;

/**
 * The whole wish for one member. Losing or repeating one costs nothing: the next says it all again.
 *
 * @param term the master's Raft term; an agent accepts only what is not older than the newest it has seen
 * @param epoch the group's fencing number; likewise
 * @param role what the member shall be
 * @param source whom a {@link Role#REPLICA} follows; null otherwise
 * @param upTo the position a {@link Role#PRIMARY} must have applied before it opens writes; empty for none. With a
 *     {@link Role#REPLICA} it means that a planned switch waits for the moment at which this one holds what the primary does
 * @param leaseMillis how long a primary may write after it sent the heartbeat that was answered; 0 for other roles
 * @param acknowledgers how many acknowledgements each commit of a primary waits for; 0 for none
 * @param acknowledges a replica acknowledges what it receives
 * @param primaryPosition what the primary was last seen to hold; a replica that lost acknowledged input at a restart is
 *     complete again once it covers this; empty where unknown
 * @param peers who may let a primary go on when no master does
 * @param reason the sentence an operator reads
 */
public record Goal(
        long term,
        long epoch,
        Role role,
        @Nullable Endpoint source,
        String upTo,
        long leaseMillis,
        int acknowledgers,
        boolean acknowledges,
        String primaryPosition,
        PeerList peers,
        String reason) {}
