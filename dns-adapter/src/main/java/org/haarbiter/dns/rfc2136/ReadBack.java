package org.haarbiter.dns.rfc2136;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.rfc2136.ZoneReader.Reading;
import org.haarbiter.dns.rfc2136.ZoneRecords.Held;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;

/** Asks all servers of a zone what they say, side by side, as a client would: unsigned. Any thread. */
final class ReadBack implements AutoCloseable {
    private static final Reading CLOSED = new Reading(
            ServerReading.State.UNREACHABLE, "the provider is closed: this process is stopping", List.of(), null, null);

    /** Told what a server holds of a group's epoch. */
    @FunctionalInterface
    interface Listener {
        /** On the thread that asked for the reading. */
        void held(Endpoint server, Name epochName, Held held);
    }

    private final Name zone;
    private final List<Endpoint> servers;
    private final int epochTtlSeconds;
    private final Listener listener;
    private final ExecutorService readers;
    private volatile boolean closed;

    ReadBack(Name zone, List<Endpoint> servers, int epochTtlSeconds, Listener listener) {
        this.zone = zone;
        this.servers = servers;
        this.epochTtlSeconds = epochTtlSeconds;
        this.listener = listener;
        AtomicInteger number = new AtomicInteger();
        this.readers = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "dns-reader-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** For whatever else is asked of servers; its threads end by themselves. */
    ExecutorService readers() {
        return readers;
    }

    /** One answer a server about each group, in their orders; ends at the limit. */
    List<List<ServerReading>> read(List<WantedNames> wanted, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<@Nullable ZoneRecords> records = new ArrayList<>();
        List<@Nullable String> mistakes = new ArrayList<>();
        for (WantedNames names : wanted) {
            try {
                records.add(new ZoneRecords(zone, names, epochTtlSeconds));
                mistakes.add(null);
            } catch (IllegalArgumentException e) {
                records.add(null);
                mistakes.add("can't hold this: " + e.getMessage());
            }
        }
        List<ZoneRecords> asked = records.stream().filter(Objects::nonNull).toList();
        List<CompletableFuture<List<Reading>>> answers = new ArrayList<>();
        for (Endpoint server : servers) {
            answers.add(
                    closed
                            ? CompletableFuture.completedFuture(Collections.nCopies(asked.size(), CLOSED))
                            : CompletableFuture.supplyAsync(
                                    () -> ZoneReader.readAll(server, asked, null, deadline), readers));
        }
        List<List<ServerReading>> readings = new ArrayList<>();
        for (int i = 0; i < wanted.size(); i++) {
            readings.add(new ArrayList<>());
        }
        for (int at = 0; at < answers.size(); at++) {
            Endpoint server = servers.get(at);
            Iterator<Reading> each = answers.get(at).join().iterator(); // ends by itself at the limit
            for (int i = 0; i < wanted.size(); i++) {
                ZoneRecords group = records.get(i);
                Reading reading = group == null ? impossible(mistakes.get(i)) : each.next();
                if (group != null && reading.held() != null) {
                    listener.held(server, group.epochName(), reading.held());
                }
                readings.get(i)
                        .add(new ServerReading(
                                server.toString(), reading.state(), reading.detail(), reading.differences()));
            }
        }
        return readings;
    }

    private static Reading impossible(@Nullable String mistake) {
        return new Reading(ServerReading.State.DIFFERS, String.valueOf(mistake), List.of(), null, null);
    }

    @Override
    public void close() {
        closed = true;
        readers.shutdown();
    }
}
