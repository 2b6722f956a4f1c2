package org.haarbiter.dns.zone;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.haarbiter.dns.WantedNames;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Address;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

/** What the zone shall say of one group, as records: checked once, used for the update and for the comparison. */
public final class ZoneRecords {

    /** The types that belong to us at an address name; all others there are somebody else's and stay. */
    private static final List<Integer> ADDRESS_TYPES = List.of(Type.A, Type.AAAA);

    /** One address name. Each set holds addresses in the servers' own spelling. */
    public record AddressRecords(Name name, TreeSet<String> v4, TreeSet<String> v6, int ttlSeconds) {
        /** Those of one type. */
        public TreeSet<String> of(int type) {
            return type == Type.A ? v4 : v6;
        }
    }

    /** All records of one type at one name. */
    public record RecordSet(Name name, int type) {}

    /**
     * What a zone holds for a group.
     *
     * @param text of the epoch's record; null where there is none
     * @param absent which of the names' addresses were seen not to exist. Deleting them all the same costs BIND a third of the time
     *     of a large update. Whoever else adds some must either be at another epoch, which the update's condition excludes, or do it
     *     by hand, which the read-back shows
     */
    public record Held(@Nullable String text, long epoch, Set<RecordSet> absent) {
        /** Copies the set. */
        public Held {
            absent = Set.copyOf(absent);
        }

        /** Reads the text of the epoch's record; null where it isn't a decimal number. */
        public static @Nullable Held parse(String text, Set<RecordSet> absent) {
            // At most 19 digits, and a long: what is longer can't have come from us.
            if (!text.matches("[0-9]{1,19}")) {
                return null;
            }
            try {
                return new Held(text, Long.parseLong(text), absent);
            } catch (NumberFormatException e) {
                return null; // 19 digits beyond a long; the caller names the text
            }
        }

        /** There is an epoch, and it is newer than the other. */
        public boolean newerThan(long other) {
            return text != null && epoch > other;
        }
    }

    private final Name zone;
    private final Name epochName;
    private final long epoch;
    private final int epochTtlSeconds;
    private final List<AddressRecords> names;

    /**
     * Checks names and addresses.
     *
     * @param zone absolute
     * @param epochTtlSeconds of the record that holds the epoch
     * @throws IllegalArgumentException naming what can't stand in the zone
     */
    public ZoneRecords(Name zone, WantedNames wanted, int epochTtlSeconds) {
        this.zone = zone;
        this.epoch = wanted.epoch();
        this.epochTtlSeconds = epochTtlSeconds;
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch of " + wanted.group() + ": " + epoch + " (must be 0 or more)");
        }
        this.epochName = relative(wanted.epochName(), zone);
        Set<Name> seen = new HashSet<>();
        seen.add(epochName);
        List<AddressRecords> records = new ArrayList<>();
        for (WantedNames.AddressName wantedName : wanted.names()) {
            Name name = relative(wantedName.name(), zone);
            if (!seen.add(name)) {
                // The second would delete what the first added, in the same message.
                throw new IllegalArgumentException(
                        "name: " + name + " (is listed twice for group " + wanted.group() + "; must be listed once)");
            }
            if (wantedName.ttlSeconds() < 0) {
                throw new IllegalArgumentException(
                        "TTL of " + name + ": " + wantedName.ttlSeconds() + " (must be 0 or more seconds)");
            }
            TreeSet<String> v4 = new TreeSet<>();
            TreeSet<String> v6 = new TreeSet<>();
            for (String address : wantedName.addresses()) {
                Record record = addressRecord(name, wantedName.ttlSeconds(), address);
                (record.getType() == Type.A ? v4 : v6).add(record.rdataToString());
            }
            records.add(new AddressRecords(name, v4, v6, wantedName.ttlSeconds()));
        }
        this.names = List.copyOf(records);
    }

    private static Name relative(String name, Name zone) {
        Name full;
        try {
            full = Name.fromString(name, zone);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    "name: '" + name + "' (must be a domain name relative to " + zone + ": " + e.getMessage() + ")", e);
        }
        if (name.isEmpty() || name.endsWith(".") || full.equals(zone) || !full.subdomain(zone)) {
            throw new IllegalArgumentException("name: '" + name + "' (must be a name below " + zone
                    + ", written without the zone, e.g. orders-rw)");
        }
        return full;
    }

    private static Record addressRecord(Name name, int ttlSeconds, String address) {
        try {
            InetAddress parsed = Address.getByAddress(address);
            return parsed.getAddress().length == 4
                    ? new ARecord(name, DClass.IN, ttlSeconds, parsed)
                    : new AAAARecord(name, DClass.IN, ttlSeconds, parsed);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "address of " + name + ": '" + address + "' (must be an IPv4 or IPv6 address, not a host name)", e);
        }
    }

    /** The types that belong to us at an address name; all others there are somebody else's and stay. */
    public static List<Integer> addressTypes() {
        return ADDRESS_TYPES;
    }

    /** Where the epoch stands. */
    public Name epochName() {
        return epochName;
    }

    /** The wanted one. */
    public long epoch() {
        return epoch;
    }

    /** Of the record that holds the epoch. */
    public int epochTtlSeconds() {
        return epochTtlSeconds;
    }

    /** All address names, in the order of the wish. */
    public List<AddressRecords> names() {
        return names;
    }

    /**
     * Adds to a message what replaces everything at once, on the condition that the zone still holds the given epoch. Deleting
     * and adding stand in one message: a resolver that asks in between must never get, and keep, a "no such name".
     */
    public void addTo(Update update, Held held) {
        if (held.text() == null) {
            update.absent(epochName, Type.TXT);
        } else {
            // TTL 0: RFC 2136 2.4.2; servers answer FORMERR to any other.
            update.present(new TXTRecord(epochName, DClass.IN, 0, held.text()));
        }
        for (AddressRecords name : names) {
            for (int type : ADDRESS_TYPES) {
                if (!held.absent().contains(new RecordSet(name.name(), type))) {
                    update.delete(name.name(), type);
                }
                for (String address : name.of(type)) {
                    update.add(addressRecord(name.name(), name.ttlSeconds(), address));
                }
            }
        }
        update.delete(epochName, Type.TXT);
        update.add(new TXTRecord(epochName, DClass.IN, epochTtlSeconds, Long.toString(epoch)));
    }

    /** What the zone holds once the update was applied. */
    public Held applied() {
        Set<RecordSet> absent = new HashSet<>();
        for (AddressRecords name : names) {
            for (int type : ADDRESS_TYPES) {
                if (name.of(type).isEmpty()) {
                    absent.add(new RecordSet(name.name(), type));
                }
            }
        }
        return new Held(Long.toString(epoch), epoch, absent);
    }

    /** At most how many bytes {@link #addTo} adds. Only the zone's part of each name is sure to be a pointer. */
    public int updateBytes(Held held) {
        int owner = ownerBytes(epochName);
        int bytes = 3 * owner
                + (held.text() == null ? 0 : 1 + held.text().length())
                + 1
                + Long.toString(epoch).length();
        for (AddressRecords name : names) {
            int records = name.v4().size() + name.v6().size();
            for (int type : ADDRESS_TYPES) {
                records += held.absent().contains(new RecordSet(name.name(), type)) ? 0 : 1;
            }
            bytes += records * ownerBytes(name.name())
                    + 4 * name.v4().size()
                    + 16 * name.v6().size();
        }
        return bytes;
    }

    /** A record without its data: labels, pointer, type, class, TTL and length. */
    private int ownerBytes(Name name) {
        return name.length() - zone.length() + 2 + 10;
    }

    /** True where one message can't hold both: the second would delete what the first adds. */
    public boolean sharesNames(Set<Name> others) {
        return others.contains(epochName) || names.stream().anyMatch(name -> others.contains(name.name()));
    }

    /** All names, the epoch's too. */
    public Set<Name> allNames() {
        Set<Name> all = new HashSet<>();
        all.add(epochName);
        names.forEach(name -> all.add(name.name()));
        return all;
    }
}
