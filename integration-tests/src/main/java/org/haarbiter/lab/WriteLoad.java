package org.haarbiter.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/**
 * A client that writes all the time, and the checker of what it was told. Each write inserts one number that was never used
 * before; what became of a write that wasn't answered stays open, so it is never counted
 * as acknowledged.
 *
 * <p>Besides the connections that carry the load, scouts look for the first server that takes a write: during silence they
 * ask whom the client asks every few milliseconds and try each address that is named at once, one attempt at a time for an
 * address, so that a connection that hangs on a dead server hides nothing. With {@link AnyMember} a scout tries each member all the
 * time, so that two servers that take writes at once are seen.
 *
 * <p>Threads: the load has its own; every method may be called from any.
 */
public final class WriteLoad implements AutoCloseable {

    private static final Duration LOOKUP_TIMEOUT = Duration.ofMillis(50);
    private static final int LONGEST_ATTEMPTS_BEHIND = 10;
    /** Three members that refuse a write every 2 ms would take more of a small machine than the load itself. */
    private static final int SCOUT_PAUSE_MILLIS = 20;

    private static final int REHEARSALS = 20;

    /** A client that asks more often takes the processor from the servers that it waits for: both are on this machine. */
    private static final int RETRY_MILLIS = 5;

    /** Between two looks of a caller that waits; what it waits for is timed by the writers. */
    private static final long AWAIT_NANOS = 10_000_000L;
    /** A load connection without the scouts' word tries again by itself after this long. */
    private static final long OWN_RETRY_NANOS = 20_000_000L;

    /** Where a client looks for the primary. */
    public sealed interface Target permits DnsName, Sentinels, AnyMember {}

    /**
     * By a name, asked of one DNS server at each connect; nothing else is known.
     *
     * @param dns the server to ask
     * @param name the name of the writable server
     * @param port the database's port
     */
    public record DnsName(Endpoint dns, String name, int port) implements Target {}

    /**
     * By asking Redis Sentinels, or what answers like them; nothing else is known.
     *
     * @param addresses one is asked as long as it answers, then the next
     * @param group as they call it
     */
    public record Sentinels(List<Endpoint> addresses, String group) implements Target {
        /** Copies the list. */
        public Sentinels {
            addresses = List.copyOf(addresses);
        }
    }

    /**
     * By trying every member.
     *
     * @param members their addresses
     */
    public record AnyMember(List<Endpoint> members) implements Target {
        /** Copies the list. */
        public AnyMember {
            members = List.copyOf(members);
        }
    }

    /**
     * How the client behaves.
     *
     * @param connections connections that carry the load; 1 to 64
     * @param writesPerSecond over all of them; 1 to 20 000
     * @param connectTimeoutMillis at least 1
     * @param socketTimeoutMillis after which a connection without answer is given up; at least 1
     * @param retryMillis pause between two attempts; at least 1
     * @param firstId first number written
     * @param warm servers to which one more connection is held open, as an application's readers would: MySQL's logins are
     *     quick only for an account that it has seen since its start (1 ms, else 6 ms)
     * @param host where the client runs
     * @param client how it speaks with the servers
     */
    public record Behaviour(
            int connections,
            int writesPerSecond,
            int connectTimeoutMillis,
            int socketTimeoutMillis,
            int retryMillis,
            long firstId,
            List<Endpoint> warm,
            Host host,
            DataClient client) {

        /** Checks the ranges. */
        public Behaviour {
            check("connections", connections, 1, 64);
            check("writesPerSecond", writesPerSecond, 1, 20_000);
            check("connectTimeoutMillis", connectTimeoutMillis, 1, 600_000);
            check("socketTimeoutMillis", socketTimeoutMillis, 1, 600_000);
            check("retryMillis", retryMillis, 1, 1_000);
            warm = List.copyOf(warm);
        }

        private static void check(String what, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(what + ": " + value + " (must be " + least + " to " + most + ")");
            }
        }

        /** By JDBC, limits of 500 ms to connect and 1 s to answer, 5 ms between attempts, from number 1, on this machine. */
        public static Behaviour of(int connections, int writesPerSecond) {
            return new Behaviour(
                    connections,
                    writesPerSecond,
                    500,
                    1_000,
                    RETRY_MILLIS,
                    1,
                    List.of(),
                    Host.here(),
                    DataClient.jdbc());
        }

        /** The same, holding a connection to each of these servers. */
        public Behaviour warming(List<Endpoint> servers) {
            return new Behaviour(
                    connections,
                    writesPerSecond,
                    connectTimeoutMillis,
                    socketTimeoutMillis,
                    retryMillis,
                    firstId,
                    servers,
                    host,
                    client);
        }

        /** The same from another first number. */
        public Behaviour startingAt(long id) {
            return new Behaviour(
                    connections,
                    writesPerSecond,
                    connectTimeoutMillis,
                    socketTimeoutMillis,
                    retryMillis,
                    id,
                    warm,
                    host,
                    client);
        }

        /** The same on another host. */
        public Behaviour on(Host elsewhere) {
            return new Behaviour(
                    connections,
                    writesPerSecond,
                    connectTimeoutMillis,
                    socketTimeoutMillis,
                    retryMillis,
                    firstId,
                    warm,
                    elsewhere,
                    client);
        }

        /** The same in another way of speaking with the servers. */
        public Behaviour by(DataClient other) {
            return new Behaviour(
                    connections,
                    writesPerSecond,
                    connectTimeoutMillis,
                    socketTimeoutMillis,
                    retryMillis,
                    firstId,
                    warm,
                    host,
                    other);
        }
    }

    /** A connection that knows where it goes. */
    private record Link(Endpoint server, DataClient.Session session, long connectedNanos) {}

    private final Target target;
    private final Behaviour behaviour;
    private final AtomicLong nextId;
    private final ConcurrentLinkedQueue<WriteHistory.Acknowledgement> acknowledged = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicLong> failures = new ConcurrentHashMap<>();
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final Set<Endpoint> underTrial = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads;
    private final long scoutAfterNanos;
    private volatile boolean running = true;
    private volatile boolean rehearsed;
    private volatile long lastAckedNanos = System.nanoTime();
    private volatile @Nullable Endpoint lastServer;

    private WriteLoad(Target target, Behaviour behaviour) {
        this.target = target;
        this.behaviour = behaviour;
        this.nextId = new AtomicLong(behaviour.firstId());
        this.threads = Executors.newCachedThreadPool(behaviour.host().threads("write-load"));
        // A pause of some writes is ordinary at a low rate; below 10 ms it says nothing on a busy machine.
        this.scoutAfterNanos = Math.max(10_000_000L, 4_000_000_000L / behaviour.writesPerSecond());
    }

    /** Starts writing; returns at once, also when no server takes a write yet. */
    public static WriteLoad start(Target target, Behaviour behaviour) {
        WriteLoad load = new WriteLoad(target, behaviour);
        load.startThreads();
        return load;
    }

    private void startThreads() {
        loadErrorClasses();
        spawn(this::rehearse);
        for (Endpoint server : behaviour.warm()) {
            spawn(() -> keepWarm(server));
        }
        for (int i = 0; i < behaviour.connections(); i++) {
            int number = i;
            spawn(() -> carryLoad(number));
        }
        if (target instanceof AnyMember any) {
            for (Endpoint member : any.members()) {
                spawn(() -> scoutMember(member));
            }
        } else {
            spawn(this::scoutByAsking);
        }
    }

    /**
     * Does what an outage will ask for, before there is one. The driver loads its classes for a server's error at the
     * first such error, and a first connect runs uncompiled: 20 ms each that would be counted as outage.
     */
    private void rehearse() {
        Endpoint server = lastServer;
        while (running && server == null) {
            LockSupport.parkNanos(1_000_000L);
            server = lastServer;
        }
        try (Resolver resolver = new Resolver()) {
            for (int i = 0; i < REHEARSALS && running && server != null; i++) {
                resolver.current();
                Link link = connect(server);
                if (link != null) {
                    expectRefusal(link);
                    drop(link);
                }
            }
        } catch (IOException e) {
            note("rehearsal", e);
        } finally {
            rehearsed = true;
        }
    }

    private void expectRefusal(Link link) {
        try {
            link.session().rehearseRefusal();
        } catch (DataClient.Failure e) {
            note("rehearsal", e);
        }
    }

    private void loadErrorClasses() {
        try {
            DataClient.Session session = behaviour.client().connect(new Endpoint("127.0.0.1", 1), 1_000, 1_000);
            note("warming up", new IOException("connected to a port that should be closed: " + session));
            session.abort();
        } catch (DataClient.Failure e) {
            note("warming up", e);
        }
    }

    private void spawn(Runnable work) {
        try {
            threads.execute(work);
        } catch (RejectedExecutionException e) {
            if (running) {
                throw e;
            }
        }
    }

    // ---- the load ----

    private void carryLoad(int number) {
        long everyNanos = 1_000_000_000L * behaviour.connections() / behaviour.writesPerSecond();
        long due = System.nanoTime() + everyNanos * number / behaviour.connections();
        Link link = null;
        long brokenNanos = due - everyNanos;
        long triedNanos = due - OWN_RETRY_NANOS;
        try (Resolver resolver = new Resolver()) {
            while (running) {
                long wait = due - System.nanoTime();
                if (wait > 0) {
                    LockSupport.parkNanos(wait);
                    continue;
                }
                // A load that was stopped for a second doesn't send that second's writes all at once.
                due = wait < -LONGEST_ATTEMPTS_BEHIND * everyNanos ? System.nanoTime() : due + everyNanos;
                Outcome outcome = Outcome.BROKEN;
                if (link == null && mayTry(brokenNanos, triedNanos)) {
                    triedNanos = System.nanoTime();
                    link = open(resolver);
                }
                if (link != null) {
                    outcome = write(link);
                }
                if (outcome == Outcome.ACKNOWLEDGED) {
                    continue;
                }
                if (link != null && (outcome == Outcome.BROKEN || !resolver.stillNames(link.server()))) {
                    drop(link);
                    link = null;
                    brokenNanos = System.nanoTime();
                }
                due = System.nanoTime() + behaviour.retryMillis() * 1_000_000L;
            }
        } catch (IOException e) {
            note("client", e);
        } finally {
            drop(link);
        }
    }

    /**
     * All connections of the load break at once, and on few processors their retries would delay the one that counts: so
     * they wait for a scout's success, and who has somebody to ask also tries by itself now and then. Without that only
     * the scouts know where to go.
     */
    private boolean mayTry(long brokenNanos, long triedNanos) {
        return lastAckedNanos - brokenNanos > 0
                || (!(target instanceof AnyMember) && System.nanoTime() - triedNanos >= OWN_RETRY_NANOS);
    }

    private @Nullable Link open(Resolver resolver) {
        Endpoint server = resolver.current();
        return server == null ? null : connect(server);
    }

    /** What the target says now. Belongs to one thread. */
    private final class Resolver implements AutoCloseable {
        private final @Nullable Lookup lookup;

        Resolver() throws IOException {
            lookup = lookup();
        }

        @Nullable
        Endpoint current() {
            if (lookup == null) {
                return lastServer;
            }
            try {
                return lookup.primary().orElse(null);
            } catch (IOException e) {
                note("lookup", e);
                return null;
            }
        }

        /** Whether a server that refuses writes is still the one to ask; an unanswered question changes nothing. */
        boolean stillNames(Endpoint server) {
            Endpoint now = current();
            return now == null || now.equals(server);
        }

        @Override
        public void close() {
            if (lookup != null) {
                lookup.close();
            }
        }
    }

    /** Whom this client asks; null where it tries everybody. */
    private @Nullable Lookup lookup() throws IOException {
        if (target instanceof DnsName name) {
            return new ByName(new NameLookup(name.dns(), parse(name.name()), LOOKUP_TIMEOUT), name.port());
        }
        return target instanceof Sentinels sentinels
                ? new SentinelLookup(sentinels.addresses(), sentinels.group(), LOOKUP_TIMEOUT)
                : null;
    }

    private record ByName(NameLookup lookup, int port) implements Lookup {
        @Override
        public Optional<Endpoint> primary() throws IOException {
            return lookup.address().map(address -> new Endpoint(address, port));
        }

        @Override
        public void close() {
            lookup.close();
        }
    }

    private static Name parse(String name) throws IOException {
        try {
            return Name.fromString(name, Name.root);
        } catch (TextParseException e) {
            throw new IOException("'" + name + "' is not a DNS name", e);
        }
    }

    private enum Outcome {
        ACKNOWLEDGED,
        REFUSED,
        /** The server has it and may lose it: the client may neither count on it nor write it again. */
        UNKNOWN,
        BROKEN
    }

    private @Nullable Link connect(Endpoint server) {
        long began = System.nanoTime();
        try {
            DataClient.Session session = behaviour
                    .client()
                    .connect(server, behaviour.connectTimeoutMillis(), behaviour.socketTimeoutMillis());
            Link link = new Link(server, session, began);
            links.add(link);
            return link;
        } catch (DataClient.Failure e) {
            note("connect", e);
            return null;
        }
    }

    private Outcome write(Link link) {
        long id = nextId.getAndIncrement();
        long sent = System.nanoTime();
        try {
            link.session().write(id);
        } catch (DataClient.Failure e) {
            note("write", e);
            return switch (e.kind()) {
                case REFUSED -> Outcome.REFUSED;
                case UNKNOWN -> Outcome.UNKNOWN;
                case BROKEN -> Outcome.BROKEN;
            };
        }
        long acked = System.nanoTime();
        acknowledged.add(new WriteHistory.Acknowledgement(
                id, behaviour.client().member(link.server()), link.connectedNanos(), sent, acked));
        lastAckedNanos = acked;
        lastServer = link.server();
        return Outcome.ACKNOWLEDGED;
    }

    private void drop(@Nullable Link link) {
        if (link == null) {
            return;
        }
        links.remove(link);
        try {
            link.session().abort();
        } catch (DataClient.Failure e) {
            note("close", e);
        }
    }

    // ---- the scouts ----

    private void scoutByAsking() {
        try (Resolver resolver = new Resolver()) {
            while (running) {
                long silence = System.nanoTime() - lastAckedNanos;
                if (silence < scoutAfterNanos) {
                    LockSupport.parkNanos(Math.min(scoutAfterNanos - silence, 2_000_000L));
                    continue;
                }
                Endpoint server = resolver.current();
                if (server != null && underTrial.add(server)) {
                    spawn(() -> tryOnce(server));
                }
                LockSupport.parkNanos(behaviour.retryMillis() * 1_000_000L);
            }
        } catch (IOException e) {
            note("scout", e);
        }
    }

    /** One fresh connection; asked again and again while it is refused and everything else is silent. */
    private void tryOnce(Endpoint server) {
        try {
            Link link = connect(server);
            if (link == null) {
                return;
            }
            int refusals = 0;
            // An attempt lasts at most as long as an answer may: then the name is asked again.
            while (running && refusals * behaviour.retryMillis() < behaviour.socketTimeoutMillis() && isSilent()) {
                if (write(link) != Outcome.REFUSED) {
                    break;
                }
                refusals++;
                LockSupport.parkNanos(behaviour.retryMillis() * 1_000_000L);
            }
            drop(link);
        } finally {
            underTrial.remove(server);
        }
    }

    private boolean isSilent() {
        return System.nanoTime() - lastAckedNanos >= scoutAfterNanos;
    }

    private void scoutMember(Endpoint member) {
        Link link = null;
        Outcome before = Outcome.ACKNOWLEDGED;
        while (running) {
            if (link == null) {
                link = connect(member);
            }
            Outcome outcome = link == null ? Outcome.BROKEN : write(link);
            if (outcome == Outcome.BROKEN) {
                drop(link);
                link = null;
            }
            if (outcome == Outcome.ACKNOWLEDGED && before != Outcome.ACKNOWLEDGED) {
                // Open since a moment: how long does a client take that isn't connected yet?
                spawn(() -> writeOnce(member));
            }
            before = outcome;
            pauseScout();
        }
        drop(link);
    }

    /** Short while nothing is acknowledged: then this scout's next write may be the one that ends the outage. */
    private void pauseScout() {
        long until = System.nanoTime() + SCOUT_PAUSE_MILLIS * 1_000_000L;
        do {
            LockSupport.parkNanos(behaviour.retryMillis() * 1_000_000L);
        } while (running && !isSilent() && System.nanoTime() - until < 0);
    }

    private void writeOnce(Endpoint server) {
        Link link = connect(server);
        if (link != null) {
            write(link);
            drop(link);
        }
    }

    private void keepWarm(Endpoint server) {
        Link link = null;
        while (running) {
            try {
                if (link == null) {
                    link = connect(server);
                } else if (!link.session().answers()) {
                    drop(link);
                    link = null;
                }
            } catch (DataClient.Failure e) {
                note("warm", e);
                drop(link);
                link = null;
            }
            LockSupport.parkNanos(200_000_000L);
        }
        drop(link);
    }

    private void note(String doing, Exception e) {
        if (!running) {
            return;
        }
        failures.computeIfAbsent(doing + ": " + firstLine(e), key -> new AtomicLong())
                .incrementAndGet();
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage();
        return message == null ? e.toString() : message.lines().findFirst().orElse("");
    }

    // ---- what became of it ----

    /** What was acknowledged so far. */
    public WriteHistory history() {
        return new WriteHistory(List.copyOf(acknowledged));
    }

    /** How often each kind of failure was met so far, by its text. Failures are what a client lives with; this tells which. */
    public Map<String, Long> failures() {
        Map<String, Long> counts = new TreeMap<>();
        failures.forEach((text, count) -> counts.put(text, count.get()));
        return counts;
    }

    /** The server that acknowledged last; empty before the first acknowledgement. */
    public Optional<Endpoint> lastServer() {
        return Optional.ofNullable(lastServer);
    }

    /** The number that the next write will have; all smaller ones from the first on were tried. */
    public long nextId() {
        return nextId.get();
    }

    /** Waits until so many writes in all were acknowledged and the client is ready to be disturbed. */
    public void awaitAcknowledged(int writes, Duration limit) {
        await(writes + " acknowledged writes", limit, () -> rehearsed && acknowledged.size() >= writes);
    }

    /** Waits until that server acknowledged a write that was sent after this call. */
    public void awaitAcknowledgedBy(Endpoint server, Duration limit) {
        long from = System.nanoTime();
        await("a write acknowledged by " + server, limit, () -> {
            // lastServer first: it spares the walk through the history.
            return server.equals(lastServer)
                    && acknowledged.stream().anyMatch(a -> a.server().equals(server) && a.sentNanos() - from >= 0);
        });
    }

    /** Waits until the outage that a fault of {@code old} made is over, and tells of it. */
    public WriteHistory.Outage awaitOutageEnd(long faultNanos, Endpoint old, Duration limit) {
        await("a write acknowledged by another server than " + old, limit, () -> {
            Endpoint last = lastServer;
            return last != null
                    && !behaviour.client().member(last).equals(old)
                    && history().outage(faultNanos, old).isPresent();
        });
        return history().outage(faultNanos, old).orElseThrow();
    }

    private void await(String what, Duration limit, BooleanSupplier reached) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!reached.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(
                        "no " + what + " within " + limit.toMillis() + " ms; " + acknowledged.size()
                                + " acknowledged, the last by " + lastServer + "; failures: " + failures());
            }
            LockSupport.parkNanos(AWAIT_NANOS);
        }
    }

    /**
     * The acknowledged numbers that the server doesn't have: what was lost. Ask once the server has applied everything, and
     * best after {@link #close}.
     */
    public SortedSet<Long> verify(DatabaseServer server) throws IOException {
        // Taken before they are read: a write that is acknowledged meanwhile isn't missing.
        List<Long> expected = history().ids();
        Set<Long> present = behaviour.client().written(server, behaviour.firstId());
        SortedSet<Long> missing = new TreeSet<>(expected);
        missing.removeAll(present);
        return missing;
    }

    /** Stops writing; what was seen stays readable. */
    @Override
    public void close() {
        running = false;
        for (Link link : links) {
            drop(link);
        }
        threads.shutdownNow();
        try {
            // A thread that is inside a connect ends with the limit of the connect.
            threads.awaitTermination(behaviour.connectTimeoutMillis() + 1_000L, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
