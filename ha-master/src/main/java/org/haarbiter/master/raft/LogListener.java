package org.haarbiter.master.raft;

/**
 * What the log tells its owner. All methods but {@link #fault} are called by one thread, in log order; none may block.
 * State lives in memory: a restart loads the newest snapshot and applies every later entry again, so applying must have
 * no effect outside the state.
 */
public interface LogListener {

    /** A committed entry. An exception stops the node: no entry is ever skipped. */
    void apply(long index, long term, byte[] entry);

    /** The state as bytes. */
    byte[] saveSnapshot();

    /**
     * Replaces the state. An exception stops the node.
     *
     * @param upTo the index of the newest entry that the snapshot stands for
     */
    void loadSnapshot(long upTo, byte[] snapshot);

    /** This node leads from here on; every earlier entry has been applied. */
    void leaderStarted(long term);

    /** This node no longer leads. */
    void leaderStopped(long term);

    /** The node can't go on (disk full or read-only, log damaged, an entry that can't be applied): stop the process. */
    void fault(String sentence, Throwable cause);
}
