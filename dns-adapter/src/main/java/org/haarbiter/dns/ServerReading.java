package org.haarbiter.dns;

import java.util.List;

/**
 * What one authoritative server says.
 *
 * @param server its address and port
 * @param state the comparison with what is wanted
 * @param detail a sentence: what differs, or why it couldn't be asked; empty when it matches
 * @param differences name by name, where it differs
 */
public record ServerReading(String server, State state, String detail, List<Difference> differences) {
    /** Copies the list. */
    public ServerReading {
        differences = List.copyOf(differences);
    }

    /** Of a server that doesn't differ, or couldn't be asked. */
    public ServerReading(String server, State state, String detail) {
        this(server, state, detail, List.of());
    }

    /**
     * What a server serves beside what it should.
     *
     * @param name the name and the type of its records
     * @param wanted for people; {@code none} where there must be nothing
     * @param served likewise
     */
    public record Difference(String name, String wanted, String served) {}

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
