package org.haarbiter.dns.powerdns;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zone.AuthoritativeServers;
import org.haarbiter.dns.zone.NegativeTtl;
import org.haarbiter.dns.zone.Reading;
import org.haarbiter.dns.zone.ZoneRecords;
import org.haarbiter.dns.zone.ZoneRecords.AddressRecords;
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.haarbiter.dns.zone.ZoneRecords.RecordSet;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Tokenizer;
import org.xbill.DNS.Type;

/**
 * A zone of PowerDNS, by its HTTP API; see the package for what the API can't promise. A group's record sets change together or not at
 * all. The read-back asks DNS servers, not the API: what counts is what resolvers get.
 *
 * <p>Thread-safe. Calls block the caller for at most their limit.
 */
public final class PowerDnsApiProvider implements DnsProvider {

    private static final int EPOCH_TTL_SECONDS = 1;
    private static final Set<Integer> READ_TYPES = Set.of(Type.A, Type.AAAA, Type.TXT, Type.CNAME, Type.SOA);
    private static final Set<String> KINDS_WITH_SECONDARIES = Set.of("Master", "Primary", "Producer");

    private final PowerDnsApiSettings settings;
    private final Name zone;
    private final PowerDnsApi api;
    private final AuthoritativeServers servers;

    /** The zone has changed, and the secondaries couldn't be told. */
    private final AtomicBoolean notifyDue = new AtomicBoolean();

    private volatile boolean closed;

    /**
     * Asks nobody yet.
     *
     * @throws org.haarbiter.settings.SettingsException where the certificates can't be used
     */
    public PowerDnsApiProvider(PowerDnsApiSettings settings) {
        this.settings = settings;
        try {
            this.zone = Name.fromString(settings.zone(), Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException("the settings were checked, yet: " + e.getMessage(), e);
        }
        this.api = new PowerDnsApi(settings);
        this.servers = new AuthoritativeServers(zone, settings.authoritativeServers(), EPOCH_TTL_SECONDS);
    }

    @Override
    public String name() {
        return "powerdns-api " + settings.zone() + " at " + settings.server();
    }

    @Override
    public PublishOutcome publish(WantedNames wanted, Duration limit) {
        return publish(List.of(wanted), limit).get(0);
    }

    /** What the API says of some names. */
    private record Standing(Map<RecordSet, List<Record>> records, boolean secondaries) {
        Reading reading(ZoneRecords wanted) {
            return Reading.of(wanted, set -> {
                List<Record> found = records.getOrDefault(set, List.of());
                // As a DNS server would answer.
                return found.isEmpty() ? records.getOrDefault(new RecordSet(set.name(), Type.CNAME), List.of()) : found;
            });
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>An epoch that is newer when it is looked at stops a group; one that is written between that look and the change doesn't.
     */
    @Override
    public List<PublishOutcome> publish(List<WantedNames> wanted, Duration limit) {
        if (closed) {
            PublishOutcome stopping =
                    new PublishOutcome(Result.UNKNOWN, name() + " is closed: this process is stopping");
            return Collections.nCopies(wanted.size(), stopping);
        }
        long deadline = System.nanoTime() + limit.toNanos();
        List<Part> parts = wanted.stream().map(this::part).toList();
        try {
            List<Part> open = open(parts);
            if (!open.isEmpty()) {
                Standing standing = standing(open, deadline);
                open.forEach(part -> settle(part, standing.reading(part.records())));
                replace(open(parts), standing.secondaries(), deadline);
            }
            tellSecondaries(deadline);
        } catch (ApiProblem e) {
            PublishOutcome outcome = outcome(e);
            for (Part part : parts) {
                // Where the names are in, only the secondaries weren't told.
                if (part.outcome == null || part.outcome.result() == Result.PUBLISHED) {
                    part.outcome = outcome;
                }
            }
        }
        return parts.stream().map(Part::outcome).toList();
    }

    /** One group on its way. */
    private static final class Part {
        final WantedNames wanted;
        final @Nullable ZoneRecords records;
        Set<RecordSet> absent = Set.of();

        @Nullable
        PublishOutcome outcome;

        Part(WantedNames wanted, @Nullable ZoneRecords records) {
            this.wanted = wanted;
            this.records = records;
        }

        ZoneRecords records() {
            if (records == null) {
                throw new IllegalStateException("what can't stand in the zone has its outcome");
            }
            return records;
        }

        PublishOutcome outcome() {
            if (outcome == null) {
                throw new IllegalStateException("neither written nor refused: " + wanted.group());
            }
            return outcome;
        }
    }

    private Part part(WantedNames wanted) {
        try {
            return new Part(wanted, new ZoneRecords(zone, wanted, EPOCH_TTL_SECONDS));
        } catch (IllegalArgumentException e) {
            Part wrong = new Part(wanted, null);
            wrong.outcome = new PublishOutcome(Result.REFUSED, String.valueOf(e.getMessage()));
            return wrong;
        }
    }

    private static List<Part> open(List<Part> parts) {
        return parts.stream().filter(part -> part.outcome == null).toList();
    }

    private static PublishOutcome outcome(ApiProblem problem) {
        return new PublishOutcome(
                problem.kind() == ApiProblem.Kind.UNKNOWN ? Result.UNKNOWN : Result.REFUSED, problem.sentence());
    }

    private Standing standing(List<Part> parts, long deadline) throws ApiProblem {
        Set<Name> names = new TreeSet<>();
        parts.forEach(part -> names.addAll(part.records().allNames()));
        return standing(names, deadline);
    }

    private Standing standing(Set<Name> names, long deadline) throws ApiProblem {
        Map<RecordSet, List<Record>> records = new HashMap<>();
        boolean secondaries = false;
        for (JsonNode answer : api.records(names, deadline)) {
            secondaries |= KINDS_WITH_SECONDARIES.contains(answer.path("kind").asText());
            for (JsonNode set : answer.path("rrsets")) {
                int type = Type.value(set.path("type").asText());
                if (READ_TYPES.contains(type)) {
                    Name name = name(set.path("name").asText());
                    records.put(new RecordSet(name, type), records(name, type, set));
                }
            }
        }
        return new Standing(records, secondaries);
    }

    private Name name(String text) throws ApiProblem {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw unreadable("name '" + text + "'", e);
        }
    }

    private List<Record> records(Name name, int type, JsonNode set) throws ApiProblem {
        List<Record> records = new ArrayList<>();
        for (JsonNode record : set.path("records")) {
            String content = record.path("content").asText();
            if (record.path("disabled").asBoolean()) {
                continue; // isn't served
            }
            try {
                records.add(Record.fromString(
                        name, type, DClass.IN, set.path("ttl").asLong(), new Tokenizer(content), Name.root));
            } catch (IOException e) {
                throw unreadable(Type.string(type) + " record of " + name + ", '" + content + "'", e);
            }
        }
        return records;
    }

    private ApiProblem unreadable(String what, IOException why) {
        return new ApiProblem(
                ApiProblem.Kind.REFUSED,
                settings.server() + ": " + what + " can't be read: " + why.getMessage() + " (correct it in PowerDNS)");
    }

    private void settle(Part part, Reading reading) {
        ZoneRecords records = part.records();
        Held held = reading.held();
        if (held == null) {
            part.outcome = new PublishOutcome(Result.REFUSED, settings.server() + ": " + reading.detail());
        } else if (held.newerThan(records.epoch())) {
            part.outcome = new PublishOutcome(
                    Result.NEWER_EPOCH,
                    records.epochName() + " holds epoch " + held.epoch() + ", newer than " + records.epoch()
                            + " of group " + part.wanted.group() + ": another leader has switched it since. Nothing"
                            + " was changed");
        } else if (reading.state() == ServerReading.State.MATCHES) {
            part.outcome = new PublishOutcome(Result.PUBLISHED, "");
        } else {
            part.absent = held.absent();
        }
    }

    /** All in one request. Where it is refused, halves go on their own, so that one group holds up no other. */
    private void replace(List<Part> parts, boolean secondaries, long deadline) {
        if (parts.isEmpty()) {
            return;
        }
        try {
            api.patch(change(parts), deadline);
            parts.forEach(part -> part.outcome = new PublishOutcome(Result.PUBLISHED, ""));
            if (secondaries) {
                notifyDue.set(true);
            }
        } catch (ApiProblem e) {
            int half = parts.size() / 2;
            if (e.kind() == ApiProblem.Kind.REFUSED_CONTENT && half > 0) {
                replace(parts.subList(0, half), secondaries, deadline);
                replace(parts.subList(half, parts.size()), secondaries, deadline);
                return;
            }
            PublishOutcome outcome = e.kind() == ApiProblem.Kind.UNKNOWN
                    ? new PublishOutcome(
                            Result.UNKNOWN,
                            e.sentence() + ". The change may yet be applied; where it takes back a newer one, the next"
                                    + " regular read-back puts that right")
                    : outcome(e);
            parts.forEach(part -> part.outcome = outcome);
        }
    }

    private static JsonNode change(List<Part> parts) {
        ObjectNode change = JsonNodeFactory.instance.objectNode();
        ArrayNode sets = change.putArray("rrsets");
        for (Part part : parts) {
            ZoneRecords records = part.records();
            for (AddressRecords name : records.names()) {
                for (int type : ZoneRecords.addressTypes()) {
                    if (!name.of(type).isEmpty()) {
                        set(sets, name.name(), type, name.ttlSeconds(), name.of(type));
                    } else if (!part.absent.contains(new RecordSet(name.name(), type))) {
                        set(sets, name.name(), type, name.ttlSeconds(), Set.of());
                    }
                }
            }
            set(sets, records.epochName(), Type.TXT, EPOCH_TTL_SECONDS, Set.of("\"" + records.epoch() + "\""));
        }
        return change;
    }

    private static void set(ArrayNode sets, Name name, int type, int ttlSeconds, Collection<String> contents) {
        ObjectNode set = sets.addObject()
                .put("name", name.toString())
                .put("type", Type.string(type))
                .put("changetype", contents.isEmpty() ? "DELETE" : "REPLACE");
        if (!contents.isEmpty()) {
            set.put("ttl", ttlSeconds);
            ArrayNode records = set.putArray("records");
            contents.forEach(
                    content -> records.addObject().put("content", content).put("disabled", false));
        }
    }

    private void tellSecondaries(long deadline) throws ApiProblem {
        if (!notifyDue.getAndSet(false)) {
            return;
        }
        try {
            api.notifySecondaries(deadline);
        } catch (ApiProblem e) {
            notifyDue.set(true);
            throw new ApiProblem(
                    e.kind(), "the zone has changed, and its secondaries couldn't be told: " + e.sentence());
        }
    }

    @Override
    public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        return readBack(List.of(wanted), limit).get(0);
    }

    @Override
    public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
        return servers.readBack(wanted, limit, (server, epochName, held) -> {});
    }

    /** Whether the API answers to this key for this zone, and what in the zone's settings keeps changes from being seen. */
    @Override
    public List<String> warnings(WantedNames wanted, Duration limit) {
        if (closed) {
            return List.of(name() + " is closed");
        }
        long deadline = System.nanoTime() + limit.toNanos();
        List<String> warnings = new ArrayList<>();
        try {
            JsonNode settled = api.zone(deadline);
            String serial = settled.path("soa_edit_api").asText();
            if (KINDS_WITH_SECONDARIES.contains(settled.path("kind").asText())
                    && (serial.isEmpty() || serial.equals("OFF"))) {
                warnings.add(
                        "zone " + zone + ": SOA-EDIT-API is '" + serial + "' (should be DEFAULT or INCREASE), so its"
                                + " serial number doesn't grow and secondaries copy nothing. Run: pdnsutil set-meta "
                                + zone.toString(true) + " SOA-EDIT-API INCREASE");
            }
            for (Record record :
                    standing(Set.of(zone), deadline).records().getOrDefault(new RecordSet(zone, Type.SOA), List.of())) {
                String warning = record instanceof SOARecord soa ? NegativeTtl.warning(zone, soa) : null;
                if (warning != null) {
                    warnings.add(warning);
                }
            }
        } catch (ApiProblem e) {
            warnings.add(e.sentence());
        }
        return warnings;
    }

    /** The zone stays as it is. */
    @Override
    public void close() {
        closed = true;
        servers.close();
    }
}
