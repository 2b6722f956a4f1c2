package org.haarbiter.dns.rfc2136;

import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.spec.SecretKeySpec;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zone.AuthoritativeServers;
import org.haarbiter.dns.zone.Exchange;
import org.haarbiter.dns.zone.NegativeTtl;
import org.haarbiter.dns.zone.Outgoing;
import org.haarbiter.dns.zone.Reply;
import org.haarbiter.dns.zone.ZoneReader;
import org.haarbiter.dns.zone.ZoneRecords;
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

/**
 * A zone that takes signed dynamic updates. Each update is a compare-and-set on the TXT record that holds the group's epoch:
 * it is applied whole, or, where somebody else wrote in between, not at all. An update whose answer is lost may be applied
 * later (TSIG lets it in for 300 s); then its prerequisite fails unless nothing has changed since.
 *
 * <p>Thread-safe. Calls block the caller for at most their limit.
 */
public final class Rfc2136Provider implements DnsProvider {

    /** No number, so never written by us: a condition that can't hold. */
    private static final Held NEVER_HELD = new Held("trial", 0, Set.of());

    private static final int WARM_UP_ROUNDS = 20;
    private static final long WARM_UP_NANOS = 500_000_000L;

    private final Rfc2136Settings settings;
    private final Name zone;
    private final TSIG key;
    private final UpdateAnswer answers;

    /** What the zone was last seen to hold, by epoch name: a hint that saves the read. The server checks it. */
    private final ConcurrentHashMap<Name, Held> lastHeld = new ConcurrentHashMap<>();

    private final MessageSize messageSize = new MessageSize();
    private final AuthoritativeServers servers;
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
        this.servers = new AuthoritativeServers(zone, settings.authoritativeServers(), settings.epochTtlSeconds());
        this.warmUp = CompletableFuture.runAsync(this::warmUp, task -> {
            Thread thread = new Thread(task, "dns-warm-up");
            thread.setDaemon(true);
            thread.start();
        });
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
        return publish(List.of(wanted), limit).get(0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>They go in as few messages as can be, each applied whole or not at all: DNS allows 65,535 bytes, which is some 280 groups of two
     * short names. Several messages follow each other on one connection without a wait.
     */
    @Override
    public List<PublishOutcome> publish(List<WantedNames> wanted, Duration limit) {
        if (closed) {
            PublishOutcome stopping =
                    new PublishOutcome(Result.UNKNOWN, name() + " is closed: this process is stopping");
            return Collections.nCopies(wanted.size(), stopping);
        }
        return new Publication(settings, zone, key, answers, lastHeld, messageSize, limit).run(wanted);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Asks as a client would: unsigned, one query for each record, by UDP, by TCP where the answer is cut.
     */
    @Override
    public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        return readBack(List.of(wanted), limit).get(0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Asks as a client would, unsigned, one query for each record, all at once: a few by UDP, many by TCP.
     */
    @Override
    public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
        return servers.readBack(wanted, limit, (server, epochName, held) -> {
            if (server.equals(settings.updateServer())) {
                lastHeld.put(epochName, held);
            }
        });
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
        Update trial = new Update(zone);
        records.addTo(trial, NEVER_HELD);
        Reply probe = Exchange.update(settings.updateServer(), List.of(Outgoing.signed(trial, key)), false, deadline)
                .get(0);
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
                String warning = NegativeTtl.warning(zone, soa);
                return warning == null ? List.of() : List.of(warning);
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
            ZoneReader.readAll(settings.updateServer(), List.of(records), key, System.nanoTime() + WARM_UP_NANOS);
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
        servers.close();
    }
}
