package org.haarbiter.trial;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.HistoryCheck;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.lab.ReadLoad;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteHistory.Acknowledgement;
import org.haarbiter.lab.WriteLoad;

/**
 * Clients in each site with clients: one that writes wherever a member takes it, and one that reads by the primary's name. Where
 * commits don't wait for replicas, a second writer does.
 */
final class SiteClients implements AutoCloseable {
    /** Numbers that a round's clients may use. */
    static final long NUMBERS = 20_000_000;

    private static final int CONNECTIONS = 4;
    private static final int WRITES_PER_SECOND = 150;
    private static final int READS_PER_SECOND = 50;
    private static final int SECONDS_BEFORE = 2;
    private static final int WAIT_FOR = 1;
    private static final int WAIT_MILLIS = 500;
    private static final String WAITING = ", waiting for a replica";
    private static final int AFTER = 50;

    /** A client that writes, as {@code site} and, where there are several in a site, how it does it. */
    private record Writing(String name, Writer writer, WriteLoad load) {}

    private final List<Writing> writing = new ArrayList<>();
    private final TreeMap<String, ReadLoad> reading = new TreeMap<>();

    private SiteClients() {}

    /** Starts them, all with numbers from {@code first} on. */
    static SiteClients start(Arena arena, long first) {
        SiteClients clients = new SiteClients();
        List<DataClient> ways = new ArrayList<>();
        ways.add(arena.writes());
        if (arena.plan().engine() == ArenaPlan.Engine.REDIS) {
            ways.add(DataClient.redisWaitingFor(WAIT_FOR, WAIT_MILLIS));
        }
        long each = NUMBERS / Arena.CLIENT_SITES.size() / ways.size();
        long next = first;
        for (String site : Arena.CLIENT_SITES) {
            for (int i = 0; i < ways.size(); i++) {
                clients.writing.add(new Writing(
                        i == 0 ? site : site + WAITING,
                        new Writer(next, next + each),
                        WriteLoad.start(
                                arena.byMembers(),
                                WriteLoad.Behaviour.of(CONNECTIONS / ways.size(), WRITES_PER_SECOND / ways.size())
                                        .warming(i == 0 ? arena.addresses() : List.of())
                                        .startingAt(next)
                                        .on(arena.clients(site))
                                        .by(ways.get(i)))));
                next += each;
            }
        }
        for (String site : Arena.CLIENT_SITES) {
            clients.reading.put(
                    site,
                    ReadLoad.start(
                            arena.byName(), ways.get(0), clients.writers(), READS_PER_SECOND, arena.clients(site)));
        }
        return clients;
    }

    List<Writer> writers() {
        return writing.stream().map(Writing::writer).toList();
    }

    /** Whether the client of that number counted a write as done only when replicas had it. */
    boolean waited(long id) {
        return writing.stream()
                .anyMatch(w -> w.name().endsWith(WAITING) && w.writer().wrote(id));
    }

    /** Waits until each has worked for a while. */
    void awaitBegun(Duration limit) {
        int before = SECONDS_BEFORE * WRITES_PER_SECOND * Arena.CLIENT_SITES.size() / writing.size();
        loads().forEach(load -> load.awaitAcknowledged(before, limit));
    }

    /** Waits until each has had some more writes acknowledged. */
    void awaitMore(Duration limit) {
        for (WriteLoad load : loads()) {
            load.awaitAcknowledged(load.history().ids().size() + AFTER, limit);
        }
    }

    /** Whether each has had a write acknowledged that it sent since then. */
    boolean workedSince(long nanos) {
        return loads().stream()
                .allMatch(load -> load.history().acknowledgements().stream().anyMatch(a -> a.sentNanos() - nanos > 0));
    }

    /** What all saw acknowledged. */
    List<Acknowledgement> acknowledgements() {
        return loads().stream()
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
        return loads().stream()
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

    private List<WriteLoad> loads() {
        return writing.stream().map(Writing::load).toList();
    }

    /** What they lived with, for the evidence. */
    List<String> failures() {
        List<String> failures = new ArrayList<>();
        writing.forEach(w ->
                w.load().failures().forEach((what, count) -> failures.add(w.name() + ": " + count + " x " + what)));
        reading.forEach((site, load) -> failures.add(site + ": last failed read: " + load.lastFailure()));
        return failures;
    }

    /** Stops them; what they saw stays. */
    @Override
    public void close() {
        Collection<ReadLoad> readers = reading.values();
        loads().forEach(WriteLoad::close);
        readers.forEach(ReadLoad::close);
    }
}
