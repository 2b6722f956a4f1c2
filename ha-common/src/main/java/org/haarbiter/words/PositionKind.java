package org.haarbiter.words;

import org.jspecify.annotations.Nullable;

/** How the positions of an engine are written and compared. Rules look at this, never at an engine's name. */
public enum PositionKind {
    /** MySQL GTID sets: {@code uuid:1-5:7,uuid:tag:1-3}. */
    MYSQL_GTID,
    /** MariaDB GTIDs, the newest of each domain and server: {@code 0-1-100,0-2-130,5-2-7}. */
    MARIADB_GTID,
    /** Redis replication IDs and offsets: {@code ID:OFFSET,OLD-ID:OFFSET}. */
    REPLICATION_OFFSET,
    /** How far the partitions of a message stream were applied: {@code orders-0:1234,orders-1:99}. */
    STREAM_OFFSETS;

    /**
     * The most acknowledgements a commit can be made to wait for; MariaDB's semi-sync knows only one. 0 where the server acknowledges
     * without waiting for any, as Redis and Elasticsearch clusters do.
     */
    public int acknowledgersLimit() {
        return switch (this) {
            case MYSQL_GTID -> 64;
            case MARIADB_GTID -> 1;
            case REPLICATION_OFFSET, STREAM_OFFSETS -> 0;
        };
    }

    /**
     * Whether its primary can be made to refuse writes while fewer replicas than so many are attached, as Redis does by
     * {@code min-replicas-to-write}.
     */
    public boolean refusesWithoutReplicas() {
        return this == REPLICATION_OFFSET;
    }

    /**
     * Members get what the primary wrote from a message stream that outlives it, and not from the primary: whoever has applied all of
     * the stream lacks nothing, and nobody follows anybody.
     */
    public boolean streamed() {
        return this == STREAM_OFFSETS;
    }

    /** Why no group of such servers can be lossless; null where one can. */
    public @Nullable String neverLossless() {
        return acknowledgersLimit() == 0 && !streamed()
                ? "the server acknowledges writes without waiting for replicas, so its group can't be lossless (must be bounded"
                        + " or available)"
                : null;
    }

    /**
     * What so many acknowledgers mean to a client, as part of a sentence.
     *
     * @param count 0 or more
     */
    public String acknowledgement(int count) {
        if (acknowledgersLimit() > 0) {
            return "commits wait for " + count + (count == 1 ? " acknowledgement" : " acknowledgements");
        }
        return count == 0 || streamed()
                ? "writes need no replica"
                : "writes are refused with fewer than " + count + (count == 1 ? " replica" : " replicas") + " attached";
    }

    /** What {@link Position#transactions} counts. */
    public String unit() {
        return switch (this) {
            case MYSQL_GTID, MARIADB_GTID -> "transactions";
            case REPLICATION_OFFSET -> "bytes";
            case STREAM_OFFSETS -> "messages";
        };
    }

    /**
     * A server that follows another without a common history throws its own data away and takes a copy of all of the other's by
     * itself, as Redis does: what it held must be saved before.
     */
    public boolean copiedByFollowing() {
        return this == REPLICATION_OFFSET;
    }

    /**
     * Reads a position as the engine prints it; an empty text is the position before everything.
     *
     * @throws IllegalArgumentException naming the text and what was expected
     */
    public Position parse(String text) {
        return switch (this) {
            case MYSQL_GTID -> GtidSet.parse(text);
            case MARIADB_GTID -> DomainGtids.parse(text);
            case REPLICATION_OFFSET -> ReplicationOffset.parse(text);
            case STREAM_OFFSETS -> StreamOffsets.parse(text);
        };
    }
}
