package org.haarbiter.dns;

import java.time.Duration;
import java.util.ArrayList;
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

    /**
     * The same for several groups, each by its own epoch: what stands in the way of one doesn't hold up the others. Providers that
     * can send them together; here they go one after the other.
     *
     * @param limit for all of them together
     * @return one outcome a group, in their order
     */
    default List<PublishOutcome> publish(List<WantedNames> wanted, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<PublishOutcome> outcomes = new ArrayList<>();
        for (WantedNames names : wanted) {
            outcomes.add(publish(names, left(deadline)));
        }
        return outcomes;
    }

    /** Asks every authoritative server of the zone for the names, side by side; one answer a server, in their order. */
    List<ServerReading> readBack(WantedNames wanted, Duration limit);

    /**
     * The same for several groups.
     *
     * @param limit for all of them together
     * @return the servers' answers about each group, in the order of the groups
     */
    default List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<List<ServerReading>> readings = new ArrayList<>();
        for (WantedNames names : wanted) {
            readings.add(readBack(names, left(deadline)));
        }
        return readings;
    }

    /**
     * What will stand in the way of the names later though all is served now, as sentences with what to do; empty where all is
     * well. Changes nothing.
     */
    default List<String> warnings(WantedNames wanted, Duration limit) {
        return List.of();
    }

    private static Duration left(long deadlineNanos) {
        return Duration.ofNanos(Math.max(1, deadlineNanos - System.nanoTime()));
    }

    @Override
    void close();
}
