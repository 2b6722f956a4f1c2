package org.haarbiter.dns;

/**
 * What one authoritative server says.
 *
 * @param server its address and port
 * @param state the comparison with what is wanted
 * @param detail a sentence: what differs, or why it couldn't be asked; empty when it matches
 */
public record ServerReading(String server, State state, String detail) {

    /** The comparison. */
    public enum State {
        /** Epoch and all names are as wanted. */
        MATCHES,
        /** It answered with something else. */
        DIFFERS,
        /** It didn't answer, or not usably. */
        UNREACHABLE
    }
}
