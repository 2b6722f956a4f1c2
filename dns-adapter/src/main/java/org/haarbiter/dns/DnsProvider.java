package org.haarbiter.dns;

import java.time.Duration;
import java.util.List;

/** Servers that hold a zone. Thread-safe; every call keeps to its limit and reports failures as values with a sentence. */
public interface DnsProvider extends AutoCloseable {

    /** For people, e.g. {@code rfc2136 db.example. at 127.0.0.1:53}. */
    String name();

    /**
     * Replaces the records of a group's names if, and only if, the epoch that the zone holds for the group is not newer.
     * The message is atomic: all names and the epoch change, or nothing does. Asked for twice it changes nothing more.
     */
    PublishOutcome publish(WantedNames wanted, Duration limit);

    /** Asks every authoritative server of the zone for the names, side by side; one answer a server, in their order. */
    List<ServerReading> readBack(WantedNames wanted, Duration limit);

    /**
     * What will stand in the way of the names later though all is served now, as sentences with what to do; empty where all is
     * well. Changes nothing.
     */
    default List<String> warnings(WantedNames wanted, Duration limit) {
        return List.of();
    }

    @Override
    void close();
}
