package org.haarbiter.admin;

import java.util.List;

/**
 * A group's DNS names.
 *
 * @param state {@code served} (every authoritative server shows the present epoch), {@code pending} or {@code none} (the
 *     arbiter keeps no DNS for it)
 * @param epoch at which the names are wanted; 0 where nothing is
 * @param publishedEpoch the newest epoch that every server was read back with
 * @param detail a sentence while they are pending: what stands in the way, and what to do
 * @param wanted the names and their addresses
 * @param servers what each authoritative server says
 */
public record NamesView(
        String state, long epoch, long publishedEpoch, String detail, List<Name> wanted, List<Server> servers) {

    /** Copies the lists. */
    public NamesView {
        wanted = List.copyOf(wanted);
        servers = List.copyOf(servers);
    }

    /** No DNS is kept, or nothing is known of it. */
    public static NamesView none() {
        return new NamesView("none", 0, 0, "", List.of(), List.of());
    }

    /**
     * One name.
     *
     * @param name relative to the zone
     * @param addresses what it shall hold; empty where it must not exist
     * @param ttlSeconds for how long resolvers may keep it
     * @param rule of a traffic class, which members the name leads to, as a sentence; empty for the group's own names
     */
    public record Name(String name, List<String> addresses, int ttlSeconds, String rule) {
        /** Copies the list. */
        public Name {
            addresses = List.copyOf(addresses);
        }
    }

    /**
     * What one authoritative server says.
     *
     * @param server its address
     * @param state {@code matches}, {@code differs} or {@code unreachable}
     * @param detail what differs, or why it couldn't be asked; empty where it matches
     * @param differences name by name, where it differs
     */
    public record Server(String server, String state, String detail, List<Difference> differences) {
        /** Copies the list. */
        public Server {
            differences = List.copyOf(differences);
        }
    }

    /**
     * What a server serves under a name beside what it should.
     *
     * @param name relative to the zone
     * @param wanted for people; {@code none} where there must be nothing
     * @param served likewise
     */
    public record Difference(String name, String wanted, String served) {}
}
