package org.haarbiter.link;

import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PeerAnswer;

/** What an agent hears of one master, or of another agent of its group. Called on the event-loop thread; must not block. An exception closes the connection. */
public interface LinkClientListener {
    /** The other end has sent its first frame of this connection. A connect alone proves nothing and isn't told. */
    void connected(Endpoint remote);

    /** An answer that has been checked. Never outside {@link #connected} and {@link #disconnected}. */
    void answer(Endpoint master, Answer answer);

    /** Another agent's answer that has been checked; likewise. */
    void answer(Endpoint peer, PeerAnswer answer);

    /** The connection is gone, and will be tried again. {@code reason} is for people. Follows only {@link #connected}. */
    void disconnected(Endpoint remote, String reason);
}
