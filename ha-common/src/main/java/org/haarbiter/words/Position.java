package org.haarbiter.words;

/**
 * How far a server's history goes. Positions are partially ordered: two servers that both took writes have positions of
 * which neither covers the other. Implementations are immutable, and {@code toString} gives the engine's own form in a
 * canonical order, so that equal positions have equal texts.
 */
public sealed interface Position permits GtidSet, DomainGtids, ReplicationOffset, StreamOffsets {

    /**
     * True where this history holds everything of the other's.
     *
     * @throws IllegalArgumentException where the other is of another kind
     */
    boolean covers(Position other);

    /**
     * What this history has and the other lacks, in the engine's own form; empty where the other covers this.
     *
     * @throws IllegalArgumentException where the other is of another kind
     */
    Position minus(Position other);

    /**
     * Number of transactions in it, as far as the kind can count them (MariaDB: the sum of the sequence numbers); of Redis the bytes
     * of its replication stream.
     */
    long transactions();

    /**
     * How many transactions, as {@link #transactions} counts them, this history has and the other lacks.
     *
     * @throws IllegalArgumentException where the other is of another kind
     */
    default long beyond(Position other) {
        return minus(other).transactions();
    }

    /** True for the position before everything. */
    boolean isEmpty();
}
