package org.haarbiter.dns.rfc2136;

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
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

/** What the zone shall say of one group, as records: checked once, used for the update and for the comparison. */
final class ZoneRecords {

    /** The types that belong to us at an address name; all others there are somebody else's and stay. */
    static final int[] ADDRESS_TYPES = {Type.A, Type.AAAA};

    /** One address name. Each set holds addresses in the servers' own spelling. */
    record AddressRecords(Name name, TreeSet<String> v4, TreeSet<String> v6, int ttlSeconds) {
        TreeSet<String> of(int type) {
            return type == Type.A ? v4 : v6;
        }
    }

    /** The epoch that a zone holds for a group; {@code text} is null where there is none. */
    record Held(@Nullable String text, long epoch) {
        static final Held NONE = new Held(null, 0);

        /** Reads the record's text; null where it isn't a decimal number. */
        static @Nullable Held parse(String text) {
            // At most 19 digits, and a long: what is longer can't have come from us.
            if (!text.matches("[0-9]{1,19}")) {
                return null;
            }
            try {
                return new Held(text, Long.parseLong(text));
            } catch (NumberFormatException e) {
                return null; // 19 digits beyond a long; the caller names the text
            }
        }

        boolean newerThan(long other) {
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
     * @throws IllegalArgumentException naming what can't stand in the zone
     */
    ZoneRecords(Name zone, WantedNames wanted, int epochTtlSeconds) {
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

    Name zone() {
        return zone;
    }

    Name epochName() {
        return epochName;
    }

    long epoch() {
        return epoch;
    }

    List<AddressRecords> names() {
        return names;
    }

    /**
     * A new message that replaces everything at once, on the condition that the zone still holds the given epoch. Deleting
     * and adding stand in one message: a resolver that asks in between must never get, and keep, a "no such name".
     */
    Message update(Held held) {
        Update update = new Update(zone);
        if (held.text() == null) {
            update.absent(epochName, Type.TXT);
        } else {
            // TTL 0: RFC 2136 2.4.2; servers answer FORMERR to any other.
            update.present(new TXTRecord(epochName, DClass.IN, 0, held.text()));
        }
        for (AddressRecords name : names) {
            for (int type : ADDRESS_TYPES) {
                update.delete(name.name(), type);
                for (String address : name.of(type)) {
                    update.add(addressRecord(name.name(), name.ttlSeconds(), address));
                }
            }
        }
        update.delete(epochName, Type.TXT);
        update.add(new TXTRecord(epochName, DClass.IN, epochTtlSeconds, Long.toString(epoch)));
        return update;
    }

    /** The zone's own view of the update section, for sizes in messages to operators. */
    static int records(Message update) {
        return update.getSection(Section.UPDATE).size();
    }
}
