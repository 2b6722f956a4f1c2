package org.haarbiter.master.endpoints;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.time.Ticker;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks every endpoint that the log names, for as long as it does, on every master. One thread does it all; each endpoint is asked
 * once at a time, at moments of its own, and {@link #MOST_AT_ONCE} at the most are asked at once.
 */
public final class EndpointChecks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointChecks.class);

    /** So many connections at the most are open at once; whoever's turn comes then waits for one to end. */
    static final int MOST_AT_ONCE = 512;

    private static final int FIRST_WITHIN_MILLIS = 500;
    private static final int LASTING_INTERVALS = 3;

    private record Name(String group, String endpoint) implements Comparable<Name> {
        @Override
        public int compareTo(Name other) {
            int byGroup = group.compareTo(other.group);
            return byGroup != 0 ? byGroup : endpoint.compareTo(other.endpoint);
        }
    }

    private final MultiThreadIoEventLoopGroup threads = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("endpoint-checks", true), NioIoHandler.newFactory());
    private final EventLoop loop = threads.next();
    private final TlsClients tls = new TlsClients();
    private final Ticker ticker;
    private final RandomGenerator random;

    // These three are the loop's.
    private final TreeMap<Name, Watched> watched = new TreeMap<>();
    private final ArrayDeque<Watched> waiting = new ArrayDeque<>();
    private int asked;

    /**
     * Checks nothing yet, and starts no thread before {@link #want}.
     *
     * @param random when each endpoint is asked; used by one thread
     */
    public EndpointChecks(Ticker ticker, RandomGenerator random) {
        this.ticker = ticker;
        this.random = random;
    }

    /** What the log names now. Any thread; returns at once. What goes on being checked as it was keeps what is known of it. */
    public void want(SortedMap<String, EndpointGroup> groups) {
        loop.execute(() -> change(groups));
    }

    /** What this master finds now. Any thread; fails where it is closed. */
    public CompletableFuture<EndpointReport> report() {
        return CompletableFuture.supplyAsync(this::found, loop);
    }

    private void change(SortedMap<String, EndpointGroup> groups) {
        TreeMap<Name, Watched> before = new TreeMap<>(watched);
        watched.clear();
        for (EndpointGroup group : groups.values()) {
            for (Map.Entry<String, CheckedEndpoint> each : group.endpoints().entrySet()) {
                Name name = new Name(group.name(), each.getKey());
                String address = each.getValue().address();
                Watched present = before.get(name);
                if (present != null && present.address.equals(address) && present.check.equals(group.check())) {
                    before.remove(name);
                } else {
                    present = new Watched(name, address, group.check());
                    present.in(random.nextInt(
                            Math.min(FIRST_WITHIN_MILLIS, group.check().intervalMillis())));
                }
                present.setIndex = group.setIndex();
                watched.put(name, present);
            }
        }
        before.values().forEach(Watched::forget);
    }

    private EndpointReport found() {
        TreeMap<String, TreeMap<String, EndpointReport.Finding>> found = new TreeMap<>();
        TreeMap<String, Long> setIndexes = new TreeMap<>();
        watched.forEach((name, each) -> {
            setIndexes.put(name.group(), each.setIndex);
            EndpointReport.Finding finding = each.finding();
            if (finding != null) {
                found.computeIfAbsent(name.group(), g -> new TreeMap<>()).put(name.endpoint(), finding);
            }
        });
        TreeMap<String, EndpointReport.OfGroup> groups = new TreeMap<>();
        setIndexes.forEach((group, setIndex) ->
                groups.put(group, new EndpointReport.OfGroup(setIndex, found.getOrDefault(group, new TreeMap<>()))));
        return new EndpointReport(groups);
    }

    /** Ends the thread and every check; returns when that is done. */
    @Override
    public void close() {
        loop.submit(() -> change(new TreeMap<>())).awaitUninterruptibly();
        threads.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    /** One endpoint, and what is known of it. The loop's. */
    private final class Watched {
        private final Name name;
        private final String address;
        private final EndpointCheck check;
        private final RiseAndFall counts;
        private long setIndex;
        private long startedNanos;
        private long knownNanos;
        private String detail = "";
        private boolean forgotten;
        private @Nullable ScheduledFuture<?> next;
        private @Nullable EndpointProbe probe;

        Watched(Name name, String address, EndpointCheck check) {
            this.name = name;
            this.address = address;
            this.check = check;
            this.counts = new RiseAndFall(check.rise(), check.fall());
        }

        void in(long millis) {
            next = loop.schedule(this::turn, millis, TimeUnit.MILLISECONDS);
        }

        void forget() {
            forgotten = true;
            if (next != null) {
                next.cancel(false);
            }
            if (probe != null) {
                probe.abandon();
            }
        }

        private void turn() {
            if (asked < MOST_AT_ONCE) {
                ask();
            } else {
                waiting.add(this);
            }
        }

        private void ask() {
            asked++;
            startedNanos = ticker.nanos();
            EndpointProbe begun = new EndpointProbe(loop, tls, ticker, address, check, this::ended);
            probe = begun;
            try {
                begun.start();
            } catch (RuntimeException e) {
                // The fault is this master's, and the endpoint isn't to suffer from it.
                LOG.error("endpoint {} of {} can't be checked", name.endpoint(), name.group(), e);
                begun.abandon();
            }
        }

        private void ended(EndpointProbe.Outcome outcome) {
            asked--;
            probe = null;
            if (!forgotten) {
                learn(outcome);
                long usedMillis = TimeUnit.NANOSECONDS.toMillis(ticker.nanos() - startedNanos);
                int spread = Math.max(1, check.intervalMillis() / 10);
                in(Math.max(0, check.intervalMillis() - spread + random.nextInt(2 * spread) - usedMillis));
            }
            Watched first = waiting.poll();
            while (first != null && first.forgotten) {
                first = waiting.poll();
            }
            if (first != null) {
                first.ask();
            }
        }

        private void learn(EndpointProbe.Outcome outcome) {
            if (outcome.result() == EndpointProbe.Result.UNKNOWN) {
                LOG.warn("endpoint {} of {}: {}", name.endpoint(), name.group(), outcome.detail());
                return;
            }
            Boolean before = counts.healthy();
            counts.count(outcome.result() == EndpointProbe.Result.SUCCESS);
            knownNanos = ticker.nanos();
            detail = outcome.detail();
            if (before == null || !before.equals(counts.healthy())) {
                LOG.info(
                        "endpoint {} of {} ({} at {}) is {}: {}",
                        name.endpoint(),
                        name.group(),
                        check.words(),
                        address,
                        Boolean.TRUE.equals(counts.healthy()) ? "healthy" : "unhealthy",
                        detail);
            }
        }

        /** Null where nothing is known, or nothing that is new enough to act upon. */
        EndpointReport.@Nullable Finding finding() {
            Boolean healthy = counts.healthy();
            long lastingMillis = (long) LASTING_INTERVALS * check.intervalMillis() + check.timeoutMillis();
            if (healthy == null || ticker.nanos() - knownNanos > TimeUnit.MILLISECONDS.toNanos(lastingMillis)) {
                return null;
            }
            return new EndpointReport.Finding(
                    healthy,
                    counts.against() == 0
                            ? detail
                            : detail + " (" + counts.against() + " of " + (healthy ? check.fall() : check.rise())
                                    + " in a row)");
        }
    }
}
