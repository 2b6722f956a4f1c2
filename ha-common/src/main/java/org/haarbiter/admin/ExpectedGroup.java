package org.haarbiter.admin;

import java.util.List;

/**
 * A group whose agents are still to report, as {@code expect-group} announces it.
 *
 * @param engine {@code mysql}, {@code mariadb} or {@code redis}: what its agents will say
 * @param positionKind how its positions compare: {@code mysql_gtid}, {@code mariadb_gtid} or {@code replication_offset}
 * @param members the addresses of all its servers, {@code HOST:PORT}; 1 to {@value #MOST_MEMBERS}
 */
public record ExpectedGroup(String engine, String positionKind, List<String> members) {

    /** So many servers a group can be announced with. */
    public static final int MOST_MEMBERS = 64;

    /** Copies the list. */
    public ExpectedGroup {
        members = List.copyOf(members);
    }
}
