package org.haarbiter.dns;

import java.util.List;
import java.util.stream.Collectors;

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

    /** Of a server that shows what is wanted, but for these. */
    public static ServerReading of(String server, List<Difference> differences) {
        return new ServerReading(
                server, differences.isEmpty() ? State.MATCHES : State.DIFFERS, words(differences), differences);
    }

    /** All in one sentence; empty where there are none. */
    public static String words(List<Difference> differences) {
        return differences.stream().map(Difference::sentence).collect(Collectors.joining("; "));
    }

    /**
     * What a server serves beside what it should.
     *
     * @param name the name, and the type of its records where it is about one
     * @param wanted for people; {@code none} where there must be nothing
     * @param served likewise
     * @param advice what to do that an update doesn't; mostly empty
     */
    public record Difference(String name, String wanted, String served, String advice) {
        /** One that the next update mends. */
        public Difference(String name, String wanted, String served) {
            this(name, wanted, served, "");
        }

        /** For people. */
        public String sentence() {
            return name + ": " + served + " (must be " + wanted + ")" + (advice.isEmpty() ? "" : ". " + advice);
        }
    }

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
