package org.haarbiter.words;

/** How the positions of an engine are written and compared. Rules look at this, never at an engine's name. */
public enum PositionKind {
    /** MySQL GTID sets: {@code uuid:1-5:7,uuid:tag:1-3}. */
    MYSQL_GTID,
    /** MariaDB GTIDs, the newest of each domain and server: {@code 0-1-100,0-2-130,5-2-7}. */
    MARIADB_GTID,
    /** Redis replication IDs and offsets: {@code ID:OFFSET,OLD-ID:OFFSET}. */
    REPLICATION_OFFSET;

    /**
     * The most acknowledgements a commit can be made to wait for; MariaDB's semi-sync knows only one. 0 where the server acknowledges
     * without waiting for any, as Redis does: then no group can be lossless.
     */
    public int acknowledgersLimit() {
        return switch (this) {
            case MYSQL_GTID -> 64;
            case MARIADB_GTID -> 1;
            case REPLICATION_OFFSET -> 0;
        };
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
        return count == 0
                ? "writes need no replica"
                : "writes are refused with fewer than " + count + (count == 1 ? " replica" : " replicas") + " attached";
    }

    /** What {@link Position#transactions} counts. */
    public String unit() {
        return switch (this) {
            case MYSQL_GTID, MARIADB_GTID -> "transactions";
            case REPLICATION_OFFSET -> "bytes";
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
        };
    }
}
