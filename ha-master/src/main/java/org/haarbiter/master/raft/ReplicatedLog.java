package org.haarbiter.master.raft;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** A node of the Raft group, as the rest of the master sees it. Thread-safe; no call blocks. */
public interface ReplicatedLog extends AutoCloseable {

    /**
     * Proposes an entry.
     *
     * @param entry its bytes
     * @param expectedTerm the term in which the proposer believes to lead; in any other term the entry is refused
     * @return completes with the entry's index once this node has applied it; fails with {@link NotLeaderException} when it
     *     is certain that it was not and will not be committed in that term by this call, and with another exception when
     *     that is unknown
     */
    CompletableFuture<Long> propose(byte[] entry, long expectedTerm);

    /**
     * Asks a quorum whether this node still leads in {@code expectedTerm} (ReadIndex, safe mode).
     *
     * @return completes when a quorum has confirmed it after the call; fails otherwise
     */
    CompletableFuture<Void> confirmLeadership(long expectedTerm);

    /**
     * Waits until this node has applied everything that a quorum had committed at the time of the call. On a follower, too.
     *
     * @return fails where no quorum can be asked
     */
    CompletableFuture<Void> catchUp();

    /** The leader as this node knows it; null while there is none. */
    @Nullable
    Endpoint leader();

    /** The voting members. */
    List<Endpoint> members();

    /** Adds a voting member that is already running with an empty log in join mode; completes when committed. */
    CompletableFuture<Void> addMember(Endpoint member);

    /** Removes a voting member, which may be this node; completes when committed. */
    CompletableFuture<Void> removeMember(Endpoint member);

    /** Hands leadership to another member; completes when this node has stepped down in its favour. */
    CompletableFuture<Void> transferLeadership(Endpoint member);

    /** Leaves the group's traffic in an orderly way; the log stays on disk. */
    @Override
    void close();
}
