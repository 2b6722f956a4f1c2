package org.haarbiter.words;

import java.util.List;

/**
 * Whose permission a primary needs to go on when no master confirms it any more: that of all of these, since any of them may
 * be promoted.
 *
 * @param peers by name
 * @param hold the primary may go on by their permission; false until the log knows that it has this list, and where the policy
 *     is to fence
 */
public record PeerList(List<Peer> peers, boolean hold) {
    /** Nobody's permission can be asked for. */
    public static final PeerList NONE = new PeerList(List.of(), false);

    /** Copies the list. */
    public PeerList {
        peers = List.copyOf(peers);
    }

    /** Their names. */
    public List<String> names() {
        return peers.stream().map(Peer::member).toList();
    }
}
