package org.haarbiter.dns.server;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One name of a zone, or a name that exists only because others stand below it. A query visits objects all over the memory,
 * each of which may have to be fetched from far away: so there are few on its way, with what it needs in fields of their own.
 * Immutable; any thread.
 */
final class Node {

    private static final EncodedSet[] NONE = new EncodedSet[0];

    /** Absolute, in small letters. */
    final byte[] name;

    final int hash;
    /** Most names have one set only; null where nothing stands at the name itself. */
    final @Nullable EncodedSet first;

    final EncodedSet[] others;
    /** How many names with records stand below this one. */
    final int below;
    /** The answer is made up for each query. */
    final boolean state;
    /** The next one in the same bucket of the table. */
    final @Nullable Node next;

    private Node(
            byte[] name,
            int hash,
            @Nullable EncodedSet first,
            EncodedSet[] others,
            int below,
            boolean state,
            @Nullable Node next) {
        this.name = name;
        this.hash = hash;
        this.first = first;
        this.others = others;
        this.below = below;
        this.state = state;
        this.next = next;
    }

    static Node of(byte[] name, List<EncodedSet> sets, int below) {
        return new Node(
                name,
                WireName.hash(name),
                sets.isEmpty() ? null : sets.get(0),
                sets.size() < 2 ? NONE : sets.subList(1, sets.size()).toArray(NONE),
                below,
                false,
                null);
    }

    static Node ofState(byte[] name) {
        return new Node(name, WireName.hash(name), null, NONE, 0, true, null);
    }

    Node withBelow(int newBelow) {
        return new Node(name, hash, first, others, newBelow, state, next);
    }

    Node withNext(@Nullable Node newNext) {
        return new Node(name, hash, first, others, below, state, newNext);
    }

    boolean hasData() {
        return state || first != null;
    }

    boolean is(byte[] other, int from, int to) {
        return Arrays.equals(name, 0, name.length, other, from, to);
    }
}
