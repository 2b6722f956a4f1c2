package org.haarbiter.wire;

/** How large the parts of a message may be. Lengths are in UTF-16 characters. */
public final class WireLimits {
    /** A frame without its length, in bytes. */
    public static final int FRAME_BYTES = 1 << 20;
    /** Names of groups, members, sites, engines; identities; versions. */
    public static final int NAME = 255;
    /** A sentence for people. Longer ones are cut by the sender. */
    public static final int SENTENCE = 2000;
    /** Sentences in a list. Further ones are left out by the sender. */
    public static final int SENTENCES = 32;
    /** A position: some 8000 ranges. Two of them and all sentences fit into a frame. */
    public static final int POSITION = 200_000;

    /** Members of a group whose permission a primary may need. */
    public static final int PEERS = 64;
    /** The longest lease that may be asked for, in ms; as the settings allow. */
    public static final int LEASE_MILLIS = 600_000;

    /** Nodes of a cluster. */
    public static final int NODES = 256;

    private WireLimits() {}
}
