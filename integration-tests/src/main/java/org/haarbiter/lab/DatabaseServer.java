package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.haarbiter.words.Endpoint;

/**
 * A real database server. It starts fenced, as the arbiter wants it: it takes no writes and follows nobody; each start, also
 * one after a kill. Threads: any.
 */
public interface DatabaseServer extends AutoCloseable {

    /** Name in messages and of its directory. */
    String name();

    /** Where clients connect. */
    Endpoint address();

    /** Its Unix socket; throws {@link UnsupportedOperationException} where its kind has none. */
    Path socket();

    /** Its data directory. */
    Path dataDir();

    /** Its error log. */
    Path errorLog();

    /** The pid of the server process itself; of a cluster, of its first node's. */
    long pid();

    /** Whether the process exists; true also while it is frozen. */
    boolean isAlive();

    /** Starts the process and returns at once; the first time, after the data directory was made. */
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

    /** Waits until it answers root; throws with the end of its error log when it ends or the limit passes. */
    void awaitReady(Duration limit) throws IOException;

    /** Waits until the process is gone; throws when the limit passes. */
    void awaitEnd(Duration limit) throws IOException;

    /** Tells it whom to follow, as a DBA does before the arbiter adopts it; where the server can be told without starting. */
    void provisionReplicaOf(DatabaseServer source) throws IOException;

    /** Makes it the open primary by hand, without arbiter: for tests of the lab and for comparison. */
    void openByHand() throws IOException;

    /** Starts replication from this source by hand and allows reads. */
    void replicateByHand(DatabaseServer source) throws IOException;

    /** Kills it and waits for its end; the directory stays. */
    @Override
    void close() throws IOException;
}
