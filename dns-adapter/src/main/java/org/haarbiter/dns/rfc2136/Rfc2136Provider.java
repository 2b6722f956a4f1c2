package org.haarbiter.dns.rfc2136;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.spec.SecretKeySpec;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.rfc2136.ZoneReader.Reading;
import org.haarbiter.dns.rfc2136.ZoneRecords.Held;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/**
 * A zone that takes signed dynamic updates. Each update is a compare-and-set on the TXT record that holds the group's epoch:
 * it is applied whole, or, where somebody else wrote in between, not at all. An update whose answer is lost may be applied
 * later (TSIG lets it in for 300 s); then its prerequisite fails unless nothing has changed since.
 *
 * <p>Thread-safe. Calls block the caller for at most their limit.
 */
public final class Rfc2136Provider implements DnsProvider {

    /** Each lost race means that another won, so this many are needed only while as many others write. */
    private static final int MAX_ATTEMPTS = 16;

    /** The zone's "no such name" should not outlive a switch by more than this, in s. */
    private static final long NEGATIVE_TTL_SECONDS = 5;

    /** No number, so never written by us: a condition that can't hold. */
    private static final Held NEVER_HELD = new Held("trial", 0);

    private static final int WARM_UP_ROUNDS = 20;
    private static final long WARM_UP_NANOS = 500_000_000L;

    private final Rfc2136Settings settings;
    private final Name zone;
    private final TSIG key;
    private final UpdateAnswer answers;

    /** What the zone was last seen to hold, by epoch name: a hint that saves the read. The server checks it. */
    private final ConcurrentHashMap<Name, Held> lastHeld = new ConcurrentHashMap<>();

    private final ExecutorService readers;
    private final CompletableFuture<Void> warmUp;
    private volatile boolean closed;

    /** Starts to warm up in the background; a process's first update would else take some 50 ms longer. */
    public Rfc2136Provider(Rfc2136Settings settings) {
        this(settings, Clock.systemUTC());
    }

    Rfc2136Provider(Rfc2136Settings settings, Clock clock) {
        this.settings = settings;
        try {
            this.zone = Name.fromString(settings.zone(), Name.root);
            this.key = new TSIG(
                    TSIG.algorithmToName(settings.algorithm()),
                    Name.fromString(settings.keyName(), Name.root),
                    new SecretKeySpec(
                            Base64.getDecoder().decode(settings.secret().strip()), settings.algorithm()),
                    clock);
        } catch (TextParseException e) {
            throw new IllegalArgumentException("the settings were checked, yet: " + e.getMessage(), e);
        }
        this.answers = new UpdateAnswer(settings, clock);
        AtomicInteger number = new AtomicInteger();
        this.readers = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "dns-reader-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        this.warmUp = CompletableFuture.runAsync(this::warmUp, readers);
    }

    @Override
    public String name() {
        return "rfc2136 " + settings.zone() + " at " + settings.updateServer();
    }

    /**
     * {@inheritDoc}
     *
     * <p>A name without addresses loses its A and AAAA records; records of other types there are not ours, and stay. A wrong
     * name or address gives {@link Result#REFUSED}. After {@link Result#UNKNOWN} ask again, or read back.
     */
    @Override
    public PublishOutcome publish(WantedNames wanted, Duration limit) {
        long started = System.nanoTime();
        long deadline = started + limit.toNanos();
        if (closed) {
            return new PublishOutcome(Result.UNKNOWN, name() + " is closed: this process is stopping");
        }
        ZoneRecords records;
        try {
            records = new ZoneRecords(zone, wanted, settings.epochTtlSeconds());
        } catch (IllegalArgumentException e) {
            return new PublishOutcome(Result.REFUSED, String.valueOf(e.getMessage()));
        }

        Held held = lastHeld.get(records.epochName());
        PublishOutcome open = null; // what to say of an update of ours that may yet be applied
        for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
            // Nobody is refused on a memory: a person may have reset the zone. And where the epoch stands there
            // already,
            // mostly all else does: PowerDNS would count the same records once more as a change, and hand the zone out.
            if (held == null || held.epoch() >= records.epoch()) {
                Reading reading = ZoneReader.readAll(settings.updateServer(), records, key, deadline);
                if (reading.failed() != null) {
                    return open == null ? failedRead(reading.failed(), reading.detail()) : open;
                }
                held = reading.held();
                if (held == null) {
                    return new PublishOutcome(Result.REFUSED, settings.updateServer() + ": " + reading.detail());
                }
                lastHeld.put(records.epochName(), held);
                if (held.newerThan(records.epoch())) {
                    return new PublishOutcome(
                            Result.NEWER_EPOCH,
                            records.epochName() + " holds epoch " + held.epoch() + ", newer than " + records.epoch()
                                    + " of group " + wanted.group() + ": another leader has switched it since. Nothing"
                                    + " was changed");
                }
                if (reading.state() == ServerReading.State.MATCHES) {
                    return new PublishOutcome(Result.PUBLISHED, ""); // also where only the answer was lost
                }
            }

            // A third for each try, so that one lost datagram leaves time for a look and another.
            long now = System.nanoTime();
            long tryUntil = Math.min(deadline - now, Math.max(limit.toNanos() / 3, 100_000_000L)) + now;
            Outgoing update = Outgoing.signed(records.update(held), key);
            Reply reply = Exchange.update(settings.updateServer(), update, open != null, tryUntil);
            if (UpdateAnswer.isTaken(reply)) {
                lastHeld.put(records.epochName(), new Held(Long.toString(records.epoch()), records.epoch()));
                return new PublishOutcome(Result.PUBLISHED, "");
            }
            lastHeld.remove(records.epochName());
            held = null;
            if (UpdateAnswer.isOpen(reply)) {
                open = stillOpen(reply, System.nanoTime() - started);
            } else if (!UpdateAnswer.isPrerequisiteFailure(reply)) {
                return answers.outcome(reply);
            }
            if (deadline - System.nanoTime() <= 0) {
                break;
            }
        }
        return open != null
                ? open
                : new PublishOutcome(
                        Result.UNKNOWN,
                        records.epochName()
                                + " was changed by others under each try. See that only one cluster of masters"
                                + " writes to zone " + settings.zone()
                                + ", and that update-server is one server, not several"
                                + " behind one address");
    }

    private PublishOutcome stillOpen(Reply reply, long nanos) {
        String silence = reply.kind() == Reply.Kind.SILENT ? " within " + nanos / 1_000_000 + " ms" : "";
        return new PublishOutcome(
                Result.UNKNOWN,
                answers.outcome(reply).detail() + silence
                        + ". The update may yet be applied, which harms nothing: it applies only to the epoch it was made"
                        + " for. See that the server runs and isn't overloaded");
    }

    private PublishOutcome failedRead(Reply reply, String detail) {
        Message message = reply.message();
        if (message == null || UpdateAnswer.isTaken(reply) || UpdateAnswer.isPrerequisiteFailure(reply)) {
            // Silence, or an answer that isn't a refusal but can't be used (no authority).
            return new PublishOutcome(Result.UNKNOWN, settings.updateServer() + ": " + detail);
        }
        return answers.outcome(reply);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Asks as a client would: unsigned, one query for each record, by UDP, by TCP where the answer is cut.
     */
    @Override
    public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<ServerReading> readings = new ArrayList<>();
        ZoneRecords records;
        try {
            records = new ZoneRecords(zone, wanted, settings.epochTtlSeconds());
        } catch (IllegalArgumentException e) {
            for (Endpoint server : settings.authoritativeServers()) {
                readings.add(new ServerReading(
                        server.toString(), ServerReading.State.DIFFERS, "can't hold this: " + e.getMessage()));
            }
            return readings;
        }
        if (closed) {
            for (Endpoint server : settings.authoritativeServers()) {
                readings.add(
                        new ServerReading(server.toString(), ServerReading.State.UNREACHABLE, name() + " is closed"));
            }
            return readings;
        }
        List<CompletableFuture<Reading>> asked = new ArrayList<>();
        for (Endpoint server : settings.authoritativeServers()) {
            asked.add(
                    CompletableFuture.supplyAsync(() -> ZoneReader.readAll(server, records, null, deadline), readers));
        }
        for (int i = 0; i < asked.size(); i++) {
            Endpoint server = settings.authoritativeServers().get(i);
            Reading reading = asked.get(i).join(); // ends by itself at the limit
            if (server.equals(settings.updateServer()) && reading.held() != null) {
                lastHeld.put(records.epochName(), reading.held());
            }
            readings.add(new ServerReading(server.toString(), reading.state(), reading.detail()));
        }
        return readings;
    }

    /**
     * What stands in the way of publishing these names, and what a read-back can't show of the zone, as sentences; empty where
     * all is well. For start-up and the regular check of served names. It sends the update with a condition that never holds,
     * so key, clock and zone are tried without changing anything, and with BIND the policy too (other servers may look at
     * theirs only when the condition holds).
     */
    @Override
    public List<String> warnings(WantedNames wanted, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        if (closed) {
            return List.of(name() + " is closed");
        }
        ZoneRecords records;
        try {
            records = new ZoneRecords(zone, wanted, settings.epochTtlSeconds());
        } catch (IllegalArgumentException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
        Reply probe = Exchange.update(
                settings.updateServer(), Outgoing.signed(records.update(NEVER_HELD), key), false, deadline);
        if (!UpdateAnswer.isPrerequisiteFailure(probe)) {
            return List.of(
                    UpdateAnswer.isTaken(probe)
                            ? settings.updateServer()
                                    + " took an update whose prerequisite doesn't hold: it doesn't fence"
                                    + " old epochs. Use another server"
                            : answers.outcome(probe).detail());
        }
        Reply reply = soa(deadline);
        Message message = reply.message();
        if (reply.kind() != Reply.Kind.ANSWERED || message == null) {
            return List.of(answers.outcome(reply).detail());
        }
        for (Record record : message.getSection(Section.ANSWER)) {
            if (record instanceof SOARecord soa) {
                // RFC 2308 5: the smaller of the two counts.
                long negative = Math.min(soa.getMinimum(), soa.getTTL());
                return negative <= NEGATIVE_TTL_SECONDS
                        ? List.of()
                        : List.of("zone " + settings.zone() + ": resolvers keep \"no such name\" for " + negative
                                + " s (should be at most " + NEGATIVE_TTL_SECONDS
                                + "). Lower the last number of its SOA record: a name that was asked for before it"
                                + " existed stays unknown that long");
            }
        }
        return List.of(settings.updateServer() + " has no SOA record for zone " + settings.zone()
                + ": see that it serves the zone");
    }

    private Reply soa(long deadlineNanos) {
        return Exchange.query(
                        settings.updateServer(),
                        List.of(ZoneReader.query(zone, Type.SOA, new HashSet<>(), key)),
                        deadlineNanos)
                .get(0);
    }

    /** Takes the first update's way, so that its classes, the HMAC and the sockets are ready. Changes nothing anywhere. */
    private void warmUp() {
        WantedNames example = new WantedNames(
                "warm-up",
                0,
                "_ha-epoch.warm-up",
                List.of(new WantedNames.AddressName("warm-up", List.of("127.0.0.1"), 1)));
        ZoneRecords records = new ZoneRecords(zone, example, settings.epochTtlSeconds());
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            ZoneReader.readAll(settings.updateServer(), records, key, System.nanoTime() + WARM_UP_NANOS);
            List<String> unusual = warnings(example, Duration.ofNanos(WARM_UP_NANOS));
            if (!unusual.isEmpty()) {
                return; // no use in going on; whoever publishes or checks is told
            }
        }
    }

    /** The warming-up that the constructor started has ended, whether or not the server answered. */
    boolean isWarm() {
        return warmUp.isDone();
    }

    @Override
    public void close() {
        closed = true;
        readers.shutdown();
    }
}
