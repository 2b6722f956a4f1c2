package org.haarbiter.master.endpoints;

import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Masters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * While this master leads, asks itself and every other one what they find of the endpoints, each once at a time, and tells the
 * arbiter. {@link #tick} is the loop's; the rest is thread-safe.
 */
public final class EndpointRounds {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointRounds.class);

    /** What a master said counts for two silences: a lost answer or two must not make it forgotten. */
    private static final int ROUNDS_IN_A_SILENCE = 2;

    private final Masters masters;
    private final long everyNanos;
    private final Supplier<CompletableFuture<EndpointReport>> own;
    private final Function<String, CompletableFuture<EndpointReport>> others;
    private final Consumer<Consumer<Arbiter>> arbiterThread;
    private final ConcurrentSkipListSet<String> asking = new ConcurrentSkipListSet<>();
    private long askedNanos = Long.MIN_VALUE / 2;

    /**
     * Asks nobody yet.
     *
     * @param own what this master finds
     * @param others what the master of this name finds; fails where it can't be reached
     * @param arbiterThread carries something out there
     */
    public EndpointRounds(
            Masters masters,
            int silenceMillis,
            Supplier<CompletableFuture<EndpointReport>> own,
            Function<String, CompletableFuture<EndpointReport>> others,
            Consumer<Consumer<Arbiter>> arbiterThread) {
        this.masters = masters;
        this.everyNanos = TimeUnit.MILLISECONDS.toNanos(silenceMillis) / ROUNDS_IN_A_SILENCE;
        this.own = own;
        this.others = others;
        this.arbiterThread = arbiterThread;
    }

    /** A moment has passed. On the loop's thread; returns at once. */
    public void tick(Arbiter arbiter, long nowNanos) {
        if (!arbiter.leading() || arbiter.state().endpoints().isEmpty() || nowNanos - askedNanos < everyNanos) {
            return;
        }
        askedNanos = nowNanos;
        TreeSet<String> all = new TreeSet<>(masters.others());
        all.add(masters.self());
        for (String master : all) {
            if (asking.add(master)) {
                ask(master, nowNanos);
            }
        }
    }

    private void ask(String master, long nowNanos) {
        (master.equals(masters.self()) ? own.get() : others.apply(master)).whenComplete((report, failure) -> {
            asking.remove(master);
            if (failure == null) {
                arbiterThread.accept(arbiter -> arbiter.reportedEndpoints(master, report, nowNanos));
            } else {
                // It counts for neither side, and hactl endpoint show says so.
                LOG.debug("master {} doesn't say what it finds of the endpoints: {}", master, failure.toString());
            }
        });
    }
}
