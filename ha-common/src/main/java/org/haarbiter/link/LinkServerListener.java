package org.haarbiter.link;

import org.haarbiter.words.Heartbeat;

/**
 * What a master hears of its agents. Called on event-loop threads: one connection's calls come one after the other,
 * {@link #connected} first and {@link #disconnected} last, those of different connections at the same time. Must not
 * block. An exception closes the connection.
 */
public interface LinkServerListener {
    /** An agent is there, and past the TLS handshake. */
    void connected(AgentConnection agent);

    /** A heartbeat that has been checked. {@code arrivedNanos} is read from the server's ticker. */
    void heartbeat(AgentConnection from, Heartbeat heartbeat, long arrivedNanos);

    /** The connection is gone; answers to it are dropped. */
    void disconnected(AgentConnection agent);
}
