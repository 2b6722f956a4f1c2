package org.haarbiter.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.HistoryCheck.Read;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/**
 * A client that reads through the primary's name all the time: the newest number of each writer, in one look. It keeps its
 * connection until that breaks, as a pool does, and resolves the name anew for each connection.
 *
 * <p>Threads: one of its own; every method may be called from any.
 */
public final class ReadLoad implements AutoCloseable {

    private static final Duration DNS_TIMEOUT = Duration.ofMillis(50);
    private static final int CONNECT_MILLIS = 500;
    private static final int ANSWER_MILLIS = 1_000;
    private static final long END_LIMIT_MILLIS = 3_000;

    private final WriteLoad.DnsName target;
    private final DataClient client;
    private final List<Writer> writers;
    private final long pauseNanos;
    private final ConcurrentLinkedQueue<Read> reads = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean running = true;
    private volatile String lastFailure = "";
    private @Nullable Endpoint server;
    private DataClient.@Nullable Session session;

    private ReadLoad(WriteLoad.DnsName target, DataClient client, List<Writer> writers, int readsPerSecond, Host host) {
        this.target = target;
        this.client = client;
        this.writers = List.copyOf(writers);
        this.pauseNanos = 1_000_000_000L / readsPerSecond;
        this.thread = host.threads("read-load").newThread(this::run);
    }

    /**
     * Starts reading; returns at once.
     *
     * @param client how it speaks with the servers
     * @param writers whose numbers are read
     * @param readsPerSecond at most; 1 or more
     * @param host where the client runs
     */
    public static ReadLoad start(
            WriteLoad.DnsName target, DataClient client, List<Writer> writers, int readsPerSecond, Host host) {
        ReadLoad load = new ReadLoad(target, client, writers, readsPerSecond, host);
        load.thread.start();
        return load;
    }

    private void run() {
        try (NameLookup lookup = new NameLookup(target.dns(), Name.fromString(target.name(), Name.root), DNS_TIMEOUT)) {
            while (running) {
                long due = System.nanoTime() + pauseNanos;
                try {
                    if (session == null) {
                        connect(lookup);
                    }
                    readOnce();
                } catch (DataClient.Failure | IOException e) {
                    lastFailure = String.valueOf(e.getMessage());
                    drop();
                }
                LockSupport.parkNanos(due - System.nanoTime());
            }
        } catch (TextParseException e) {
            throw new IllegalArgumentException("'" + target.name() + "' is not a DNS name", e);
        } catch (IOException e) {
            lastFailure = String.valueOf(e.getMessage());
        } finally {
            drop();
        }
    }

    private void connect(NameLookup lookup) throws IOException, DataClient.Failure {
        Optional<String> address = lookup.address();
        if (address.isEmpty()) {
            throw new IOException(target.name() + " has no address");
        }
        Endpoint found = new Endpoint(address.get(), target.port());
        session = client.connect(found, CONNECT_MILLIS, ANSWER_MILLIS);
        server = found;
    }

    private void readOnce() throws DataClient.Failure {
        DataClient.Session asking = session;
        Endpoint asked = server;
        if (asking == null || asked == null) {
            return;
        }
        long sent = System.nanoTime();
        List<Long> newest = asking.newest(writers);
        reads.add(new Read(asked, newest, sent, System.nanoTime()));
    }

    private void drop() {
        DataClient.Session dropped = session;
        session = null;
        if (dropped != null) {
            try {
                dropped.abort();
            } catch (DataClient.Failure e) {
                lastFailure = String.valueOf(e.getMessage());
            }
        }
    }

    /** What was answered so far. */
    public List<Read> reads() {
        return List.copyOf(reads);
    }

    /** Why the last read failed; empty when none did. */
    public String lastFailure() {
        return lastFailure;
    }

    /** Stops reading; what was read stays. */
    @Override
    public void close() {
        running = false;
        LockSupport.unpark(thread);
        try {
            thread.join(END_LIMIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
