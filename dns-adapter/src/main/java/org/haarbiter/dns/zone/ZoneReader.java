package org.haarbiter.dns.zone;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.haarbiter.dns.zone.ZoneRecords.AddressRecords;
import org.haarbiter.dns.zone.ZoneRecords.RecordSet;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;

/** Asks one server what it says, and compares. Blocks the caller, within a limit; no state, any thread. */
public final class ZoneReader {

    /** The size that passes everywhere without being cut (DNS Flag Day 2020). */
    private static final int EDNS_BYTES = 1_232;

    /** Sent at once; each needs a random number of its own, of 65,536. */
    private static final int MOST_QUERIES = 20_000;

    /**
     * For local use (RFC 6891 9): a server of ours that has other answers for the clients of some regions gives the usual one, which its
     * secondaries hold. Other servers pass over it, as they must over any that they don't know (RFC 6891 6.1.2).
     */
    public static final int OPTION_USUAL_ANSWER = 65_001;

    private static final SecureRandom RANDOM = new SecureRandom();

    private ZoneReader() {}

    /**
     * The epochs and all names of groups, in as few round trips as can be.
     *
     * @param key signs the queries, and only replies signed with it count; null for none
     * @param deadlineNanos on {@link System#nanoTime}
     * @return one reading a group, in their order
     */
    public static List<Reading> readAll(
            Endpoint server, List<ZoneRecords> groups, @Nullable TSIG key, long deadlineNanos) {
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
        return 1 + group.names().size() * ZoneRecords.addressTypes().size();
    }

    private static List<Reading> readTogether(
            Endpoint server, List<ZoneRecords> groups, @Nullable TSIG key, long deadlineNanos) {
        Set<Integer> numbers = new HashSet<>();
        List<Outgoing> queries = new ArrayList<>();
        for (ZoneRecords group : groups) {
            queries.add(query(group.epochName(), Type.TXT, numbers, key));
            for (AddressRecords name : group.names()) {
                for (int type : ZoneRecords.addressTypes()) {
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

    /**
     * A query to an authoritative server: no recursion asked for, so a resolver that stands there by mistake shows itself.
     *
     * @param numbers of queries on the same way; this one gets another, and adds it
     */
    public static Outgoing query(Name name, int type, Set<Integer> numbers, @Nullable TSIG key) {
        Message query = Message.newQuery(Record.newRecord(name, type, DClass.IN));
        query.getHeader().unsetFlag(Flags.RD);
        // Random, so that a forger must guess; and no two alike on one socket.
        int number;
        do {
            number = RANDOM.nextInt(65_536);
        } while (!numbers.add(number));
        query.getHeader().setID(number);
        query.addRecord(
                new OPTRecord(EDNS_BYTES, 0, 0, 0, new GenericEDNSOption(OPTION_USUAL_ANSWER, new byte[0])),
                Section.ADDITIONAL);
        return key == null ? Outgoing.unsigned(query) : Outgoing.signed(query, key);
    }

    private static Reading reading(ZoneRecords wanted, List<Outgoing> queries, List<Reply> replies) {
        Map<RecordSet, List<Record>> answers = new HashMap<>();
        for (int i = 0; i < replies.size(); i++) {
            Record question = queries.get(i).message().getQuestion();
            String unusable = unusable(replies.get(i), question);
            if (unusable != null) {
                return Reading.failed(unusable, replies.get(i));
            }
            answers.put(
                    new RecordSet(question.getName(), question.getType()), answers(replies.get(i), question.getName()));
        }
        return Reading.of(wanted, set -> answers.getOrDefault(set, List.of()));
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
}
