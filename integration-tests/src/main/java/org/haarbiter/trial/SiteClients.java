package org.haarbiter.trial;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.lab.HistoryCheck;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.lab.ReadLoad;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteHistory.Acknowledgement;
import org.haarbiter.lab.WriteLoad;

/** Clients in each site with clients: one that writes wherever a member takes it, and one that reads by the primary's name. */
final class SiteClients implements AutoCloseable {
    /** Numbers that a round's clients may use. */
    static final long NUMBERS = 20_000_000;

    private static final int CONNECTIONS = 4;
    private static final int WRITES_PER_SECOND = 150;
    private static final int READS_PER_SECOND = 50;
    private static final int BEFORE = 2 * WRITES_PER_SECOND;
    private static final int AFTER = 50;

    private final List<Writer> writers = new ArrayList<>();
    private final TreeMap<String, WriteLoad> writing = new TreeMap<>();
    private final TreeMap<String, ReadLoad> reading = new TreeMap<>();

    private SiteClients() {}

    /** Starts them, all with numbers from {@code first} on. */
    static SiteClients start(Arena arena, long first) {
        SiteClients clients = new SiteClients();
        long each = NUMBERS / Arena.CLIENT_SITES.size();
        for (int i = 0; i < Arena.CLIENT_SITES.size(); i++) {
            clients.writers.add(new Writer(first + i * each, first + (i + 1) * each));
        }
        for (int i = 0; i < Arena.CLIENT_SITES.size(); i++) {
            String site = Arena.CLIENT_SITES.get(i);
            clients.writing.put(
                    site,
                    WriteLoad.start(
                            arena.byMembers(),
                            WriteLoad.Behaviour.of(CONNECTIONS, WRITES_PER_SECOND)
                                    .warming(arena.addresses())
                                    .startingAt(clients.writers.get(i).first())
                                    .on(arena.clients(site))));
            clients.reading.put(
                    site, ReadLoad.start(arena.byName(), clients.writers, READS_PER_SECOND, arena.clients(site)));
        }
        return clients;
    }

    List<Writer> writers() {
        return List.copyOf(writers);
    }

    /** Waits until each has worked for a while. */
    void awaitBegun(Duration limit) {
        writing.values().forEach(load -> load.awaitAcknowledged(BEFORE, limit));
    }

    /** Waits until each has had some more writes acknowledged. */
    void awaitMore(Duration limit) {
        for (WriteLoad load : writing.values()) {
            load.awaitAcknowledged(load.history().ids().size() + AFTER, limit);
        }
    }

    /** Whether each has had a write acknowledged that it sent since then. */
    boolean workedSince(long nanos) {
        return writing.values().stream()
                .allMatch(load -> load.history().acknowledgements().stream().anyMatch(a -> a.sentNanos() - nanos > 0));
    }

    /** What all saw acknowledged. */
    List<Acknowledgement> acknowledgements() {
        return writing.values().stream()
                .flatMap(load -> load.history().acknowledgements().stream())
                .toList();
    }

    List<HistoryCheck.Read> reads() {
        return reading.values().stream().flatMap(load -> load.reads().stream()).toList();
    }

    /** The longest time from the fault on in which nobody's write was acknowledged. */
    double outageMillis(long faultNanos) {
        return silenceMillis(new WriteHistory(acknowledgements()), faultNanos);
    }

    /** The same of the client that had the longest. */
    double longestOutageMillis(long faultNanos) {
        return writing.values().stream()
                .mapToDouble(load -> silenceMillis(load.history(), faultNanos))
                .max()
                .orElse(0);
    }

    private static double silenceMillis(WriteHistory history, long faultNanos) {
        WriteHistory after = history.between(faultNanos, System.nanoTime());
        if (after.acknowledgements().isEmpty()) {
            return (System.nanoTime() - faultNanos) / 1e6;
        }
        double first = (after.acknowledgements().get(0).ackedNanos() - faultNanos) / 1e6;
        return Math.max(first, after.longestSilenceMillis());
    }

    /** What they lived with, for the evidence. */
    List<String> failures() {
        List<String> failures = new ArrayList<>();
        writing.forEach((site, load) ->
                load.failures().forEach((what, count) -> failures.add(site + ": " + count + " x " + what)));
        reading.forEach((site, load) -> failures.add(site + ": last failed read: " + load.lastFailure()));
        return failures;
    }

    /** Stops them; what they saw stays. */
    @Override
    public void close() {
        Collection<ReadLoad> readers = reading.values();
        writing.values().forEach(WriteLoad::close);
        readers.forEach(ReadLoad::close);
    }
}
