package org.haarbiter.dns.memory;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.Difference;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;

/** A zone in this process: for tests, and for set-ups without DNS ({@code dns: memory}). Thread-safe; never blocks. */
public final class MemoryDns implements DnsProvider {

    /** How the zone answers. */
    public enum Manner {
        /** As it should. */
        ANSWERS,
        /** Not at all; nothing changes. */
        UNREACHABLE,
        /** It takes no update, but can be read. */
        REFUSES,
        /** It applies updates, and their answers get lost. */
        LOSES_ANSWERS
    }

    private final String zone;
    private final TreeMap<String, Long> epochs = new TreeMap<>();
    private final TreeMap<String, AddressName> names = new TreeMap<>();
    private Manner manner = Manner.ANSWERS;
    private long changes;

    /** An empty zone. */
    public MemoryDns(String zone) {
        this.zone = zone;
    }

    @Override
    public String name() {
        return "memory " + zone;
    }

    /** From now on the zone answers so. */
    public synchronized void behave(Manner manner) {
        this.manner = manner;
    }

    /** The addresses that a client gets; empty where the name doesn't exist. */
    public synchronized List<String> addresses(String name) {
        AddressName held = names.get(name);
        return held == null ? List.of() : held.addresses();
    }

    /** The epoch that the zone holds at the given name; 0 where it holds none. */
    public synchronized long epoch(String epochName) {
        return epochs.getOrDefault(epochName, 0L);
    }

    /** How many updates changed something, since the start. */
    public synchronized long changes() {
        return changes;
    }

    @Override
    public synchronized PublishOutcome publish(WantedNames wanted, Duration limit) {
        if (manner == Manner.UNREACHABLE) {
            return new PublishOutcome(Result.UNKNOWN, name() + ": no answer");
        }
        if (manner == Manner.REFUSES) {
            return new PublishOutcome(Result.REFUSED, name() + " was told to refuse updates");
        }
        Set<String> seen = new TreeSet<>();
        for (AddressName name : wanted.names()) {
            if (!seen.add(name.name()) || name.name().equals(wanted.epochName())) {
                return new PublishOutcome(
                        Result.REFUSED,
                        "name: " + name.name() + " (is listed twice for group " + wanted.group()
                                + "; must be listed once)");
            }
        }
        Long held = epochs.get(wanted.epochName());
        if (held != null && held > wanted.epoch()) {
            return new PublishOutcome(
                    Result.NEWER_EPOCH,
                    wanted.epochName() + " holds epoch " + held + ", newer than " + wanted.epoch() + " of group "
                            + wanted.group() + ". Nothing was changed");
        }
        if (!differences(wanted).isEmpty()) {
            changes++;
        }
        epochs.put(wanted.epochName(), wanted.epoch());
        for (AddressName name : wanted.names()) {
            if (name.addresses().isEmpty()) {
                names.remove(name.name());
            } else {
                names.put(name.name(), name);
            }
        }
        return manner == Manner.LOSES_ANSWERS
                ? new PublishOutcome(Result.UNKNOWN, name() + ": no answer")
                : new PublishOutcome(Result.PUBLISHED, "");
    }

    @Override
    public synchronized List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        if (manner == Manner.UNREACHABLE) {
            return List.of(new ServerReading(name(), ServerReading.State.UNREACHABLE, "no answer"));
        }
        return List.of(ServerReading.of(name(), differences(wanted)));
    }

    @Override
    public synchronized List<String> warnings(WantedNames wanted, Duration limit) {
        return switch (manner) {
            case UNREACHABLE -> List.of(name() + ": no answer");
            case REFUSES -> List.of(name() + " was told to refuse updates");
            case ANSWERS, LOSES_ANSWERS -> List.of();
        };
    }

    private List<Difference> differences(WantedNames wanted) {
        List<Difference> differences = new ArrayList<>();
        Long held = epochs.get(wanted.epochName());
        if (held == null || held != wanted.epoch()) {
            differences.add(new Difference(
                    wanted.epochName() + " TXT",
                    Long.toString(wanted.epoch()),
                    held == null ? "none" : Long.toString(held)));
        }
        for (AddressName name : wanted.names()) {
            AddressName now =
                    names.getOrDefault(name.name(), new AddressName(name.name(), List.of(), name.ttlSeconds()));
            if (!new TreeSet<>(now.addresses()).equals(new TreeSet<>(name.addresses()))) {
                differences.add(new Difference(name.name(), words(name.addresses()), words(now.addresses())));
            } else if (now.ttlSeconds() != name.ttlSeconds()) {
                differences.add(new Difference(
                        name.name() + " TTL", Integer.toString(name.ttlSeconds()), Integer.toString(now.ttlSeconds())));
            }
        }
        return differences;
    }

    private static String words(List<String> addresses) {
        return addresses.isEmpty() ? "none" : String.join(", ", addresses);
    }

    @Override
    public void close() {
        // holds nothing that needs closing
    }
}
