package org.haarbiter.dns.zone;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.Difference;
import org.haarbiter.dns.zone.ZoneRecords.AddressRecords;
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.haarbiter.dns.zone.ZoneRecords.RecordSet;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Record;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * What one server, or one file, says of a group.
 *
 * @param state as for the operator
 * @param detail a sentence; empty when it matches
 * @param differences name by name
 * @param held the epoch; null where there was no usable answer to that question
 * @param failed the reply that made the reading unusable; null where there was none
 */
public record Reading(
        ServerReading.State state,
        String detail,
        List<Difference> differences,
        @Nullable Held held,
        @Nullable Reply failed) {
    /** Copies the list. */
    public Reading {
        differences = List.copyOf(differences);
    }

    /** Nothing usable came back. */
    public static Reading failed(String detail, @Nullable Reply reply) {
        return new Reading(ServerReading.State.UNREACHABLE, detail, List.of(), null, reply);
    }

    /**
     * Compares what stands there with what is wanted.
     *
     * @param answers the records that stand at a name in answer to a type, a CNAME instead of them where there is one
     */
    public static Reading of(ZoneRecords wanted, Function<RecordSet, List<Record>> answers) {
        List<Difference> differences = new ArrayList<>();
        List<Difference> ofNames = new ArrayList<>();
        Set<RecordSet> absent = new HashSet<>();
        for (AddressRecords name : wanted.names()) {
            for (int type : ZoneRecords.addressTypes()) {
                RecordSet set = new RecordSet(name.name(), type);
                List<Record> found = answers.apply(set);
                if (found.isEmpty()) {
                    absent.add(set);
                }
                compare(found, name, type, ofNames);
            }
        }
        Held held = held(answers.apply(new RecordSet(wanted.epochName(), Type.TXT)), wanted, absent, differences);
        differences.addAll(ofNames);
        ServerReading.State state = differences.isEmpty() ? ServerReading.State.MATCHES : ServerReading.State.DIFFERS;
        return new Reading(state, ServerReading.words(differences), differences, held, null);
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
