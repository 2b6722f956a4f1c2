package org.haarbiter.link;

import org.haarbiter.wire.WireException;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerRequest;

/**
 * What a master hears of its agents, or an agent of the other agents of its group. Called on event-loop threads: one connection's calls come one after the other,
 * {@link #connected} first and {@link #disconnected} last, those of different connections at the same time. Must not
 * block. An exception closes the connection.
 */
public interface LinkServerListener {
    /** An agent is there, and past the TLS handshake. */
    void connected(AgentConnection agent);

    /**
     * A heartbeat that has been checked. {@code arrivedNanos} is read from the server's ticker.
     *
     * @throws WireException where this is no master
     */
    void heartbeat(AgentConnection from, Heartbeat heartbeat, long arrivedNanos) throws WireException;

    /**
     * An agent asks for a permission; checked.
     *
     * @throws WireException where this isn't the one to ask
     */
    void request(AgentConnection from, PeerRequest request) throws WireException;

    /** The connection is gone; answers to it are dropped. */
    void disconnected(AgentConnection agent);
}
