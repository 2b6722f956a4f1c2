package org.haarbiter.dns.rfc2136;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.Difference;
import org.haarbiter.dns.rfc2136.ZoneRecords.AddressRecords;
import org.haarbiter.dns.rfc2136.ZoneRecords.Held;
import org.haarbiter.dns.rfc2136.ZoneRecords.RecordSet;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/** Asks one server what it says, and compares. Any thread. */
final class ZoneReader {

    /** The size that passes everywhere without being cut (DNS Flag Day 2020). */
    private static final int EDNS_BYTES = 1_232;

    /** Sent at once; each needs a random number of its own, of 65,536. */
    private static final int MOST_QUERIES = 20_000;

    private static final SecureRandom RANDOM = new SecureRandom();

    /**
     * What one server says.
     *
     * @param state as for the operator
     * @param detail empty when it matches
     * @param differences name by name
     * @param held the epoch; null where the server gave no usable answer to that question
     * @param failed the reply that made the reading unusable; null where there was none
     */
    record Reading(
            ServerReading.State state,
            String detail,
            List<Difference> differences,
            @Nullable Held held,
            @Nullable Reply failed) {}

    private ZoneReader() {}

    /** The epochs and all names of groups, one reading a group in their order; as few round trips as can be. */
    static List<Reading> readAll(Endpoint server, List<ZoneRecords> groups, @Nullable TSIG key, long deadlineNanos) {
        List<Reading> readings = new ArrayList<>();
        int from = 0;
        while (from < groups.size()) {
            int to = from;
            int queries = 0;
            while (to < groups.size() && (to == from || queries + queries(groups.get(to)) <= MOST_QUERIES)) {
                queries += queries(groups.get(to++));
            }
            readings.addAll(readTogether(server, groups.subList(from, to), key, deadlineNanos));
            from = to;
        }
        return readings;
    }

    private static int queries(ZoneRecords group) {
        return 1 + group.names().size() * ZoneRecords.ADDRESS_TYPES.length;
    }

    private static List<Reading> readTogether(
            Endpoint server, List<ZoneRecords> groups, @Nullable TSIG key, long deadlineNanos) {
        Set<Integer> numbers = new HashSet<>();
        List<Outgoing> queries = new ArrayList<>();
        for (ZoneRecords group : groups) {
            queries.add(query(group.epochName(), Type.TXT, numbers, key));
            for (AddressRecords name : group.names()) {
                for (int type : ZoneRecords.ADDRESS_TYPES) {
                    queries.add(query(name.name(), type, numbers, key));
                }
            }
        }
        List<Reply> replies = Exchange.query(server, queries, deadlineNanos);
        List<Reading> readings = new ArrayList<>();
        int from = 0;
        for (ZoneRecords group : groups) {
            int to = from + queries(group);
            readings.add(reading(group, queries.subList(from, to), replies.subList(from, to)));
            from = to;
        }
        return readings;
    }

    /** A query to an authoritative server: no recursion asked for, so a resolver that stands there by mistake shows itself. */
    static Outgoing query(Name name, int type, Set<Integer> numbers, @Nullable TSIG key) {
        Message query = Message.newQuery(Record.newRecord(name, type, DClass.IN));
        query.getHeader().unsetFlag(Flags.RD);
        // Random, so that a forger must guess; and no two alike on one socket.
        int number;
        do {
            number = RANDOM.nextInt(65_536);
        } while (!numbers.add(number));
        query.getHeader().setID(number);
        query.addRecord(new OPTRecord(EDNS_BYTES, 0, 0), Section.ADDITIONAL);
        return key == null ? Outgoing.unsigned(query) : Outgoing.signed(query, key);
    }

    private static Reading reading(ZoneRecords wanted, List<Outgoing> queries, List<Reply> replies) {
        for (int i = 0; i < replies.size(); i++) {
            String unusable = unusable(replies.get(i), queries.get(i).message().getQuestion());
            if (unusable != null) {
                return new Reading(ServerReading.State.UNREACHABLE, unusable, List.of(), null, replies.get(i));
            }
        }

        List<Difference> differences = new ArrayList<>();
        List<Difference> ofNames = new ArrayList<>();
        Set<RecordSet> absent = new HashSet<>();
        int at = 1;
        for (AddressRecords name : wanted.names()) {
            for (int type : ZoneRecords.ADDRESS_TYPES) {
                List<Record> found = answers(replies.get(at++), name.name());
                if (found.isEmpty()) {
                    absent.add(new RecordSet(name.name(), type));
                }
                compare(found, name, type, ofNames);
            }
        }
        Held held = held(answers(replies.get(0), wanted.epochName()), wanted, absent, differences);
        differences.addAll(ofNames);
        ServerReading.State state = differences.isEmpty() ? ServerReading.State.MATCHES : ServerReading.State.DIFFERS;
        return new Reading(state, ServerReading.words(differences), differences, held, null);
    }

    /** Why a reply tells nothing about the zone; null where it does. */
    private static @Nullable String unusable(Reply reply, Record question) {
        Message message = reply.message();
        if (message == null) {
            return reply.detail();
        }
        String asked = question.getName() + " " + Type.string(question.getType());
        int rcode = message.getRcode();
        if (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) {
            return "answered " + Rcode.string(rcode) + " for " + asked
                    + ": see that it serves the zone, and to this machine"
                    + (message.getTSIG() == null ? "" : ", also for queries signed with the key");
        }
        if (reply.kind() == Reply.Kind.UNVERIFIED) {
            return "answered " + asked + " without a valid signature: check key name, algorithm and secret";
        }
        if (!message.getHeader().getFlag(Flags.AA)) {
            return "answered " + asked + " without authority: it must hold the zone itself, not ask others for it,"
                    + " and its copy must not have expired";
        }
        return null;
    }

    private static List<Record> answers(Reply reply, Name name) {
        List<Record> answers = new ArrayList<>();
        Message message = reply.message();
        if (message != null) {
            for (Record record : message.getSection(Section.ANSWER)) {
                if (record.getName().equals(name)) {
                    answers.add(record);
                }
            }
        }
        return answers;
    }

    private static @Nullable Held held(
            List<Record> answers, ZoneRecords wanted, Set<RecordSet> absent, List<Difference> differences) {
        if (answers.isEmpty()) {
            differences.add(new Difference(wanted.epochName() + " TXT", Long.toString(wanted.epoch()), "none"));
            return new Held(null, 0, absent);
        }
        if (answers.size() == 1
                && answers.get(0) instanceof TXTRecord txt
                && txt.getStrings().size() == 1) {
            String text = txt.getStrings().get(0);
            Held held = Held.parse(text, absent);
            if (held != null && held.epoch() == wanted.epoch()) {
                return held;
            }
            if (held != null) {
                differences.add(new Difference(wanted.epochName() + " TXT", Long.toString(wanted.epoch()), text));
                return held;
            }
        }
        List<String> texts = new ArrayList<>();
        for (Record answer : answers) {
            texts.add(
                    answer instanceof TXTRecord txt
                            ? "TXT \"" + String.join("\" \"", txt.getStrings()) + "\""
                            : Type.string(answer.getType()) + " " + answer.rdataToString());
        }
        differences.add(new Difference(
                wanted.epochName().toString(),
                "one TXT record with one decimal number",
                String.join(", ", texts),
                "Somebody else wrote there: see which epoch the group has, then delete what stands at this name; the next"
                        + " update writes it anew"));
        return null;
    }

    private static void compare(List<Record> answers, AddressRecords name, int type, List<Difference> differences) {
        TreeSet<String> found = new TreeSet<>();
        long otherTtl = name.ttlSeconds();
        for (Record answer : answers) {
            if (answer.getType() == type) {
                found.add(answer.rdataToString());
                if (answer.getTTL() != name.ttlSeconds()) {
                    otherTtl = answer.getTTL();
                }
            } else if (answer.getType() == Type.CNAME) {
                // BIND and Knot answer NOERROR to an update beside a CNAME, and leave the record out.
                Difference difference = new Difference(
                        name.name().toString(),
                        "address records",
                        "CNAME " + answer.rdataToString(),
                        "Delete the CNAME: servers leave out what is added beside it");
                if (!differences.contains(difference)) {
                    differences.add(difference);
                }
                return;
            }
        }
        TreeSet<String> must = name.of(type);
        if (!found.equals(must)) {
            differences.add(new Difference(name.name() + " " + Type.string(type), words(must), words(found)));
        } else if (otherTtl != name.ttlSeconds()) {
            differences.add(new Difference(
                    name.name() + " " + Type.string(type) + " TTL",
                    Integer.toString(name.ttlSeconds()),
                    Long.toString(otherTtl)));
        }
    }

    private static String words(TreeSet<String> addresses) {
        return addresses.isEmpty() ? "none" : String.join(", ", addresses);
    }
}
