package org.haarbiter.master.raft;

import com.google.protobuf.Message;

/**
 * One message on its way.
 *
 * @param kind what it is
 * @param call number that an answer repeats from its request
 * @param message its content
 */
record Frame(PeerMessage kind, long call, Message message) {

    /** Largest frame that is read or sent, bytes after the length field. */
    static final int MOST_BYTES = 4 << 20;

    /** Kind and call. */
    static final int HEAD_BYTES = 1 + Long.BYTES;
}
