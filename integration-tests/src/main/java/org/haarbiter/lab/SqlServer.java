package org.haarbiter.lab;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/** A real MySQL or MariaDB server: read only at each start, no replication running, no semi-synchronous replication. */
public interface SqlServer extends DatabaseServer {

    /** Number in replication. */
    int serverId();

    /** The port for administration, on the same address. */
    int adminPort();

    /** Where its programs are: the one that reads binary logs, for one. */
    Path tools();

    /** A shell command that stops it. */
    String stopCommand();

    /** A shell command that has it started again. */
    String startCommand();

    /** JDBC address for an account, with the password in it, in the schema {@code app}. */
    String url(Account account);

    /** A new connection of root. */
    Connection root() throws SQLException;

    /** Runs statements as root, one after another, on one connection. */
    void asRoot(String... statements) throws SQLException;

    /** The first column of the first row that root gets; empty when there is no row or it is null. */
    String askRoot(String query) throws SQLException;
}
