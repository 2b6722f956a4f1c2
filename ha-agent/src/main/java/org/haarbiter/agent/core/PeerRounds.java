package org.haarbiter.agent.core;

import java.util.ArrayDeque;
import java.util.TreeSet;
import org.haarbiter.words.PeerAnswer;

/**
 * How the agent of a primary that hears no leader asks its peers: in rounds, since a permission counts from the moment at which
 * the last of them had not been asked yet.
 */
final class PeerRounds {
    /** Rounds whose answers may still come. */
    private static final int LIMIT = 64;

    private record Round(long number, long sentNanos, TreeSet<String> granted) {}

    private final ArrayDeque<Round> rounds = new ArrayDeque<>();
    private long last;

    /** Begins a round; its requests must be sent at once. */
    long begin(long nowNanos) {
        last++;
        rounds.addLast(new Round(last, nowNanos, new TreeSet<>()));
        if (rounds.size() > LIMIT) {
            rounds.removeFirst();
        }
        return last;
    }

    /** Counts a permission, and returns when its round began; {@link Long#MIN_VALUE} while others of these are missing. */
    long granted(PeerAnswer answer, Iterable<String> peers) {
        for (Round round : rounds) {
            if (round.number() == answer.round()) {
                round.granted().add(answer.member());
                for (String peer : peers) {
                    if (!round.granted().contains(peer)) {
                        return Long.MIN_VALUE;
                    }
                }
                return round.sentNanos();
            }
        }
        return Long.MIN_VALUE;
    }

    /** What was asked before counts no more. */
    void clear() {
        rounds.clear();
    }
}
