package org.haarbiter.dns.server;

import java.util.Arrays;
import java.util.List;

/** One name of a zone, or a name that exists only because others stand below it. Immutable; any thread. */
final class Node {

    /** Absolute, in small letters. */
    final byte[] name;

    final int hash;
    /** Empty where nothing stands at the name itself. */
    final EncodedSet[] sets;
    /** How many names with records stand below this one. */
    final int below;
    /** The answer is made up for each query. */
    final boolean state;

    Node(byte[] name, int hash, EncodedSet[] sets, int below, boolean state) {
        this.name = name;
        this.hash = hash;
        this.sets = sets;
        this.below = below;
        this.state = state;
    }

    static Node of(byte[] name, List<EncodedSet> sets, int below) {
        return new Node(name, WireName.hash(name), sets.toArray(new EncodedSet[0]), below, false);
    }

    Node withBelow(int newBelow) {
        return new Node(name, hash, sets, newBelow, state);
    }

    boolean hasData() {
        return state || sets.length > 0;
    }

    boolean is(byte[] other, int from, int to) {
        return Arrays.equals(name, 0, name.length, other, from, to);
    }
}
