package org.haarbiter.dns.zone;

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
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;

/**
 * Every server that clients' resolvers may ask about a zone: asked as a resolver would, unsigned, all servers side by side. Thread-safe;
 * calls block the caller for at most their limit.
 */
public final class AuthoritativeServers implements AutoCloseable {

    private static final Reading CLOSED = Reading.failed("not asked: this process is stopping", null);

    /** Told what a server holds for a group. */
    @FunctionalInterface
    public interface Listener {
        /** On the thread of whoever reads back. */
        void held(Endpoint server, Name epochName, Held held);
    }

    private final Name zone;
    private final List<Endpoint> servers;
    private final int epochTtlSeconds;
    private final ExecutorService readers;
    private volatile boolean closed;

    /**
     * Asks nobody yet.
     *
     * @param zone absolute
     * @param servers by address, not by name
     * @param epochTtlSeconds that the epochs' records must have
     */
    public AuthoritativeServers(Name zone, List<Endpoint> servers, int epochTtlSeconds) {
        this.zone = zone;
        this.servers = List.copyOf(servers);
        this.epochTtlSeconds = epochTtlSeconds;
        AtomicInteger number = new AtomicInteger();
        this.readers = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "dns-reader-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** One answer a server in their order, for each group in their order; see {@link org.haarbiter.dns.DnsProvider#readBack}. */
    public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit, Listener listener) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<@Nullable ZoneRecords> records = new ArrayList<>();
        List<List<ServerReading>> readings = new ArrayList<>();
        List<String> mistakes = new ArrayList<>();
        for (WantedNames names : wanted) {
            readings.add(new ArrayList<>());
            try {
                records.add(new ZoneRecords(zone, names, epochTtlSeconds));
                mistakes.add("");
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
        for (int at = 0; at < servers.size(); at++) {
            Endpoint server = servers.get(at);
            Iterator<Reading> each = answers.get(at).join().iterator(); // ends by itself at the limit
            for (int i = 0; i < wanted.size(); i++) {
                ZoneRecords group = records.get(i);
                if (group == null) {
                    readings.get(i)
                            .add(new ServerReading(server.toString(), ServerReading.State.DIFFERS, mistakes.get(i)));
                    continue;
                }
                Reading reading = each.next();
                if (reading.held() != null) {
                    listener.held(server, group.epochName(), reading.held());
                }
                readings.get(i)
                        .add(new ServerReading(
                                server.toString(), reading.state(), reading.detail(), reading.differences()));
            }
        }
        return readings;
    }

    /** Asks nobody any more; what is under way ends at its limit. */
    @Override
    public void close() {
        closed = true;
        readers.shutdown();
    }
}
