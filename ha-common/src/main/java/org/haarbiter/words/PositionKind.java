package org.haarbiter.words;

/** How the positions of an engine are written and compared. Rules look at this, never at an engine's name. */
public enum PositionKind {
    /** MySQL GTID sets: {@code uuid:1-5:7,uuid:tag:1-3}. */
    MYSQL_GTID,
    /** MariaDB GTIDs, the newest of each domain and server: {@code 0-1-100,0-2-130,5-2-7}. */
    MARIADB_GTID;

    /** The most acknowledgements a commit can be made to wait for; MariaDB's semi-sync knows only one. */
    public int acknowledgersLimit() {
        return switch (this) {
            case MYSQL_GTID -> 64;
            case MARIADB_GTID -> 1;
        };
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
        };
    }
}
