package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.haarbiter.words.Endpoint;

/**
 * A real MySQL or MariaDB server. It starts fenced, as the arbiter wants it: read only, no replication running, no
 * semi-synchronous replication; each start, also one after a kill. Threads: any.
 */
public interface DatabaseServer extends AutoCloseable {

    /** Name in messages and of its directory. */
    String name();

    /** Where clients connect. */
    Endpoint address();

    /** Number in replication. */
    int serverId();

    /** Its Unix socket. */
    Path socket();

    /** The port for administration, on the same address. */
    int adminPort();

    /** Its data directory. */
    Path dataDir();

    /** Its error log. */
    Path errorLog();

    /** Where its programs are: the one that reads binary logs, for one. */
    Path tools();

    /** A shell command that stops it. */
    String stopCommand();

    /** A shell command that has it started again. */
    String startCommand();

    /** The pid of the server process itself. */
    long pid();

    /** Whether the process exists; true also while it is frozen. */
    boolean isAlive();

    /** Starts the process and returns at once; the first time, after the data directory was copied. */
    void start() throws IOException;

    /** Kills the process if it runs, waits for its end and starts it again. */
    void restart() throws IOException;

    /** Kills the process if it runs, and starts a new server in its place that holds nothing yet. */
    void startEmpty() throws IOException;

    /** Sends SIGKILL and returns at once. */
    void kill9();

    /** Sends SIGTERM and returns at once. */
    void terminate();

    /** Sends SIGSTOP and returns when every thread stands still. */
    void freeze();

    /** Sends SIGCONT. */
    void thaw();

    /** Waits until it answers a statement of root; throws with the end of its error log when it ends or the limit passes. */
    void awaitReady(Duration limit) throws IOException;

    /** Waits until the process is gone; throws when the limit passes. */
    void awaitEnd(Duration limit) throws IOException;

    /** JDBC address for an account, with the password in it, in the schema {@code app}. */
    String url(Account account);

    /** A new connection of root. */
    Connection root() throws SQLException;

    /** Runs statements as root, one after another, on one connection. */
    void asRoot(String... statements) throws SQLException;

    /** The first column of the first row that root gets; empty when there is no row or it is null. */
    String askRoot(String query) throws SQLException;

    /** Tells it whom to follow, as a DBA does before the arbiter adopts it. Nothing is started. */
    void provisionReplicaOf(DatabaseServer source) throws SQLException;

    /** Makes it the open primary by hand, without arbiter: for tests of the lab and for comparison. */
    void openByHand() throws SQLException;

    /** Starts replication by hand and allows reads. */
    void replicateByHand() throws SQLException;

    /** Kills it and waits for its end; the directory stays. */
    @Override
    void close() throws IOException;
}
