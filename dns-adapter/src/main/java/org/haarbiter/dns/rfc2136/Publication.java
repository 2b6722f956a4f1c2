package org.haarbiter.dns.rfc2136;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zone.Exchange;
import org.haarbiter.dns.zone.Outgoing;
import org.haarbiter.dns.zone.Reading;
import org.haarbiter.dns.zone.Reply;
import org.haarbiter.dns.zone.ZoneReader;
import org.haarbiter.dns.zone.ZoneRecords;
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Update;

/**
 * Brings some groups' names into the zone, in rounds: look at what isn't known, send what is left in as few messages as can be, judge
 * the replies. A message that holds several groups is applied whole or not at all. Where one group's epoch makes it fail, the look of
 * the next round tells which; where the server refuses it and doesn't say for which group, it is halved until the culprit stands alone.
 * For one thread, once.
 */
final class Publication {

    /** Each lost race means that another won; and a message of 65,535 bytes is halved ten times at most. */
    private static final int MOST_ROUNDS = 16;

    private static final long LEAST_TRY_NANOS = 100_000_000L;

    /** One group on its way. */
    private static final class Part {
        final WantedNames wanted;
        final @Nullable ZoneRecords records;

        @Nullable
        Held held;

        /** How many groups its message may hold. */
        int mostTogether = Integer.MAX_VALUE;

        /** What to say of an update of ours that may yet be applied. */
        @Nullable
        PublishOutcome open;

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

        Held held() {
            if (held == null) {
                throw new IllegalStateException("looked at, and yet it isn't known what the zone holds");
            }
            return held;
        }
    }

    private final Rfc2136Settings settings;
    private final Endpoint server;
    private final Name zone;
    private final TSIG key;
    private final UpdateAnswer answers;
    private final Map<Name, Held> lastHeld;
    private final MessageSize size;
    private final long started = System.nanoTime();
    private final Duration limit;
    private final long deadline;
    private final List<Part> parts = new ArrayList<>();

    /**
     * Knows nothing of the zone yet but what is remembered.
     *
     * @param lastHeld what the zone was last seen to hold; kept up to date
     */
    Publication(
            Rfc2136Settings settings,
            Name zone,
            TSIG key,
            UpdateAnswer answers,
            Map<Name, Held> lastHeld,
            MessageSize size,
            Duration limit) {
        this.settings = settings;
        this.server = settings.updateServer();
        this.zone = zone;
        this.key = key;
        this.answers = answers;
        this.lastHeld = lastHeld;
        this.size = size;
        this.limit = limit;
        this.deadline = started + limit.toNanos();
    }

    /** One outcome a group, in their order. */
    List<PublishOutcome> run(List<WantedNames> all) {
        for (WantedNames wanted : all) {
            try {
                Part part = new Part(wanted, new ZoneRecords(zone, wanted, settings.epochTtlSeconds()));
                part.held = lastHeld.get(part.records().epochName());
                parts.add(part);
            } catch (IllegalArgumentException e) {
                Part wrong = new Part(wanted, null);
                wrong.outcome = new PublishOutcome(Result.REFUSED, String.valueOf(e.getMessage()));
                parts.add(wrong);
            }
        }
        for (int round = 1; round <= MOST_ROUNDS; round++) {
            look();
            List<List<Part>> messages = messages();
            if (messages.isEmpty()) {
                break;
            }
            send(messages);
            if (deadline - System.nanoTime() <= 0) {
                break;
            }
        }
        return parts.stream().map(this::outcome).toList();
    }

    /** Nobody is refused on a memory: a person may have reset the zone. */
    private void look() {
        List<Part> unsure = new ArrayList<>();
        for (Part part : parts) {
            // Where the epoch stands there already, mostly all else does: PowerDNS would count the same records once
            // more
            // as a change, and hand the zone out.
            if (part.outcome == null
                    && (part.held == null || part.held.epoch() >= part.records().epoch())) {
                unsure.add(part);
            }
        }
        List<Reading> readings =
                ZoneReader.readAll(server, unsure.stream().map(Part::records).toList(), key, deadline);
        for (int i = 0; i < unsure.size(); i++) {
            settle(unsure.get(i), readings.get(i));
        }
    }

    private void settle(Part part, Reading reading) {
        ZoneRecords records = part.records();
        Held held = reading.held();
        if (reading.failed() != null) {
            part.outcome = part.open != null ? part.open : failedRead(reading.failed(), reading.detail());
        } else if (held == null) {
            part.outcome = new PublishOutcome(Result.REFUSED, server + ": " + reading.detail());
        } else {
            part.held = held;
            lastHeld.put(records.epochName(), held);
            if (held.newerThan(records.epoch())) {
                part.outcome = new PublishOutcome(
                        Result.NEWER_EPOCH,
                        records.epochName() + " holds epoch " + held.epoch() + ", newer than " + records.epoch()
                                + " of group " + part.wanted.group() + ": another leader has switched it since. Nothing"
                                + " was changed");
            } else if (reading.state() == ServerReading.State.MATCHES) {
                part.outcome = new PublishOutcome(Result.PUBLISHED, ""); // also where only the answer was lost
            }
        }
    }

    private PublishOutcome failedRead(Reply reply, String detail) {
        Message message = reply.message();
        if (message == null || UpdateAnswer.isTaken(reply) || UpdateAnswer.isPrerequisiteFailure(reply)) {
            // Silence, or an answer that isn't a refusal but can't be used (no authority).
            return new PublishOutcome(Result.UNKNOWN, server + ": " + detail);
        }
        return answers.outcome(reply);
    }

    /** What is left, in messages that are small enough, in order. */
    private List<List<Part>> messages() {
        List<List<Part>> messages = new ArrayList<>();
        List<Part> message = new ArrayList<>();
        Set<Name> names = new HashSet<>();
        int bytes = 0;
        int most = Integer.MAX_VALUE;
        for (Part part : parts) {
            if (part.outcome != null) {
                continue;
            }
            ZoneRecords records = part.records();
            int more = records.updateBytes(part.held());
            most = Math.min(most, part.mostTogether);
            if (!message.isEmpty()
                    && (message.size() >= most || bytes + more > size.bytes() || records.sharesNames(names))) {
                messages.add(message);
                message = new ArrayList<>();
                names.clear();
                bytes = 0;
                most = part.mostTogether;
            }
            message.add(part);
            names.addAll(records.allNames());
            bytes += more;
        }
        if (!message.isEmpty()) {
            messages.add(message);
        }
        return messages;
    }

    private void send(List<List<Part>> messages) {
        List<Outgoing> updates = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (List<Part> message : messages) {
            Update update = new Update(zone);
            while (!numbers.add(update.getHeader().getID())) {
                update.getHeader().setID((update.getHeader().getID() + 1) & 0xffff);
            }
            for (Part part : message) {
                part.records().addTo(update, part.held());
            }
            updates.add(Outgoing.signed(update, key));
        }
        boolean alone = parts.size() == 1;
        boolean again = parts.stream().anyMatch(part -> part.open != null);
        List<Reply> replies = Exchange.update(server, updates, again, alone ? tryUntil() : deadline);
        for (int i = 0; i < messages.size(); i++) {
            judge(messages.get(i), replies.get(i));
        }
    }

    /** A third for each try, so that one lost datagram leaves time for a look and another. */
    private long tryUntil() {
        long now = System.nanoTime();
        return Math.min(deadline - now, Math.max(limit.toNanos() / 3, LEAST_TRY_NANOS)) + now;
    }

    private void judge(List<Part> message, Reply reply) {
        if (UpdateAnswer.isTaken(reply)) {
            size.taken();
            for (Part part : message) {
                lastHeld.put(part.records().epochName(), part.records().applied());
                part.outcome = new PublishOutcome(Result.PUBLISHED, "");
            }
            return;
        }
        for (Part part : message) {
            lastHeld.remove(part.records().epochName());
            part.held = null;
        }
        if (UpdateAnswer.isOpen(reply)) {
            if (message.size() > 1) {
                size.unanswered();
            }
            PublishOutcome open = stillOpen(reply, System.nanoTime() - started);
            message.forEach(part -> part.open = open);
        } else if (UpdateAnswer.isPrerequisiteFailure(reply)) {
            return; // the next look tells whose
        } else if (message.size() > 1 && answers.mayConcernOneGroup(reply)) {
            message.forEach(part -> part.mostTogether = (message.size() + 1) / 2);
        } else {
            PublishOutcome refused = answers.outcome(reply);
            message.forEach(part -> part.outcome = refused);
        }
    }

    private PublishOutcome stillOpen(Reply reply, long nanos) {
        String silence = reply.kind() == Reply.Kind.SILENT ? " within " + nanos / 1_000_000 + " ms" : "";
        return new PublishOutcome(
                Result.UNKNOWN,
                answers.outcome(reply).detail() + silence
                        + ". The update may yet be applied, which harms nothing: it applies only to the epoch it was made"
                        + " for. See that the server runs and isn't overloaded");
    }

    private PublishOutcome outcome(Part part) {
        if (part.outcome != null) {
            return part.outcome;
        }
        if (part.open != null) {
            return part.open;
        }
        if (part.mostTogether < Integer.MAX_VALUE) {
            return new PublishOutcome(
                    Result.UNKNOWN,
                    server + " refused an update of several groups, and " + limit.toMillis()
                            + " ms were too short to find out for which of them. It is tried again");
        }
        return new PublishOutcome(
                Result.UNKNOWN,
                part.records().epochName()
                        + " was changed by others under each try. See that only one cluster of masters"
                        + " writes to zone " + settings.zone()
                        + ", and that update-server is one server, not several"
                        + " behind one address");
    }
}
