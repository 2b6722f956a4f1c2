package org.haarbiter.master.names;

import java.io.IOException;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.ServeOutcome;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.RecordsByHand;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This master's own DNS server: it answers from what this master has applied, whether or not there is a leader. After a start it
 * answers SERVFAIL until this master has all that a quorum had committed by then, so that it never says less than it said before.
 */
public final class OwnServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OwnServer.class);
    private static final long RETRY_MILLIS = 100;

    private final AuthoritativeServer server;
    private final ZoneOfState zone;
    private final Supplier<CompletableFuture<Void>> catchUp;
    private final ScheduledExecutorService retries = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "dns-catch-up");
        thread.setDaemon(true);
        return thread;
    });
    private volatile SortedMap<String, String> problems;
    private long servedIndex = -1;

    /**
     * Answers nothing yet.
     *
     * @param catchUp completes once {@link #applied} was called with all that was committed before; fails where no quorum can be asked
     * @param age for whoever asks how old this master's knowledge is; any thread
     */
    public OwnServer(
            OwnZone settings,
            WantedNamesOfGroup wanted,
            Supplier<CompletableFuture<Void>> catchUp,
            Supplier<StateAge> age) {
        this.server = new AuthoritativeServer(settings.server(), age);
        this.zone = new ZoneOfState(settings.zone(), settings.nameServers(), wanted, settings.sitesByRegion());
        this.problems = zone.problems();
        this.catchUp = catchUp;
        server.serve(zone.of(ClusterState.empty()));
        server.notCaughtUp("this master was started and hasn't yet what the others have committed");
    }

    /** Opens the ports. */
    public void start() throws IOException {
        server.start();
        askToCatchUp();
    }

    private void askToCatchUp() {
        catchUp.get().whenComplete((nothing, failure) -> {
            if (failure == null) {
                server.caughtUp();
                LOG.info("dns server: caught up, and answers from serial {}", server.serials());
            } else if (!retries.isShutdown()) {
                retries.schedule(this::askToCatchUp, RETRY_MILLIS, TimeUnit.MILLISECONDS);
            }
        });
    }

    /** This master has applied this much; on one thread, in the order of the log. */
    public void applied(ClusterState state) {
        if (state.namesIndex() == servedIndex) {
            return;
        }
        servedIndex = state.namesIndex();
        ServeOutcome outcome = server.serve(zone.of(state));
        problems = zone.problems();
        if (outcome.result() == ServeOutcome.Result.OLDER) {
            LOG.error("dns server: {}", outcome.detail());
        }
    }

    /** By group, why its names can't be served. Any thread. */
    public SortedMap<String, String> problems() {
        return problems;
    }

    /** Why these records can't be put into the zone; null where they can. On the thread of {@link #applied}. */
    public @Nullable String problem(RecordsByHand records, ClusterState state) {
        return zone.problem(records, state);
    }

    /** What it counts, and what it knows of its secondaries. */
    public AuthoritativeServer server() {
        return server;
    }

    @Override
    public void close() {
        retries.shutdownNow();
        server.close();
    }
}
