package org.haarbiter.dns.zonefile;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.dns.zone.Reading;
import org.haarbiter.dns.zone.ZoneRecords;
import org.haarbiter.dns.zone.ZoneRecords.AddressRecords;
import org.haarbiter.dns.zone.ZoneRecords.RecordSet;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Address;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/** What stands in the arbiter's block of a file. Hosts files know no TTL: there every name has the one that is wanted. For one thread. */
final class Names {

    private static final String EPOCH = "# epoch ";

    /** RFC 1035 section 3.3.13, for secondaries and for how long "no such name" is kept. */
    private static final int REFRESH_SECONDS = 3_600;

    private static final int RETRY_SECONDS = 600;
    private static final int EXPIRE_SECONDS = 86_400;
    private static final int NEGATIVE_SECONDS = 2;
    private static final int SOA_TTL_SECONDS = 60;

    private final Format format;
    private final Name zone;
    private final TreeMap<Name, TreeMap<Integer, List<Record>>> records = new TreeMap<>();
    private long serial;

    private Names(Format format, Name zone) {
        this.format = format;
        this.zone = zone;
    }

    /**
     * Reads a block.
     *
     * @throws IOException naming the line that isn't of this format
     */
    static Names parse(Format format, Name zone, List<String> lines) throws IOException {
        Names names = new Names(format, zone);
        for (String line : lines) {
            try {
                if (format == Format.HOSTS) {
                    names.parseHosts(line);
                } else {
                    names.parseRecord(line);
                }
            } catch (IOException | IllegalArgumentException e) {
                throw new IOException("the line '" + line + "' isn't the arbiter's (" + e.getMessage() + ")", e);
            }
        }
        return names;
    }

    private void parseHosts(String line) throws IOException {
        if (line.startsWith(EPOCH)) {
            String[] words = line.substring(EPOCH.length()).split(" ", -1);
            if (words.length != 2) {
                throw new IOException("must be '" + EPOCH + "NAME NUMBER'");
            }
            add(new TXTRecord(absolute(words[0]), DClass.IN, 0, words[1]));
        } else if (!line.isBlank() && !line.startsWith("#")) {
            String[] words = line.split("\\s+", -1);
            if (words.length != 2) {
                throw new IOException("must be 'ADDRESS NAME'");
            }
            add(addressRecord(absolute(words[1]), 0, Address.getByAddress(words[0])));
        }
    }

    private void parseRecord(String line) throws IOException {
        Master master = new Master(new ByteArrayInputStream(line.getBytes(StandardCharsets.ISO_8859_1)), zone);
        for (Record record = master.nextRecord(); record != null; record = master.nextRecord()) {
            if (record instanceof SOARecord soa) {
                serial = soa.getSerial();
            } else {
                add(record);
            }
        }
    }

    private static Name absolute(String name) throws TextParseException {
        return Name.fromString(name, Name.root);
    }

    private void add(Record record) {
        records.computeIfAbsent(record.getName(), name -> new TreeMap<>())
                .computeIfAbsent(record.getType(), type -> new ArrayList<>())
                .add(record);
    }

    /** What stands here of a group, compared with what is wanted of it. */
    Reading reading(ZoneRecords wanted) {
        return Reading.of(wanted, set -> standing(set, wanted));
    }

    private List<Record> standing(RecordSet set, ZoneRecords wanted) {
        TreeMap<Integer, List<Record>> types = records.get(set.name());
        List<Record> standing = types == null ? List.of() : types.getOrDefault(set.type(), List.of());
        if (format == Format.ZONE) {
            return standing;
        }
        List<Record> withTtl = new ArrayList<>();
        for (Record record : standing) {
            long ttlSeconds = wanted.names().stream()
                    .filter(name -> name.name().equals(set.name()))
                    .mapToLong(AddressRecords::ttlSeconds)
                    .findAny()
                    .orElse(0);
            withTtl.add(Record.newRecord(
                    record.getName(), record.getType(), DClass.IN, ttlSeconds, record.rdataToWireCanonical()));
        }
        return withTtl;
    }

    /** Puts a group's names in the place of what stands here. */
    void put(ZoneRecords wanted) {
        wanted.allNames().forEach(records::remove);
        add(new TXTRecord(wanted.epochName(), DClass.IN, wanted.epochTtlSeconds(), Long.toString(wanted.epoch())));
        for (AddressRecords name : wanted.names()) {
            for (int type : ZoneRecords.addressTypes()) {
                for (String address : name.of(type)) {
                    try {
                        add(addressRecord(name.name(), name.ttlSeconds(), Address.getByAddress(address)));
                    } catch (UnknownHostException e) {
                        throw new IllegalArgumentException("address of " + name.name() + ": " + address, e);
                    }
                }
            }
        }
    }

    private static Record addressRecord(Name name, long ttlSeconds, InetAddress address) {
        return address.getAddress().length == 4
                ? new ARecord(name, DClass.IN, ttlSeconds, address)
                : new AAAARecord(name, DClass.IN, ttlSeconds, address);
    }

    /**
     * The block's lines, in the order of the names.
     *
     * @param soa primary name server and hostmaster; null for no SOA record
     */
    List<String> lines(@Nullable String soa, Clock clock) throws TextParseException {
        List<String> lines = new ArrayList<>();
        if (soa != null) {
            String[] names = soa.strip().split("\\s+", -1);
            // The clock makes it grow also where the file was lost; secondaries keep to the higher one (RFC 1982).
            serial = Math.max(serial + 1, clock.instant().getEpochSecond()) & 0xffff_ffffL;
            lines.add(new SOARecord(
                            zone,
                            DClass.IN,
                            SOA_TTL_SECONDS,
                            absolute(names[0]),
                            absolute(names[1]),
                            serial,
                            REFRESH_SECONDS,
                            RETRY_SECONDS,
                            EXPIRE_SECONDS,
                            NEGATIVE_SECONDS)
                    .toString());
        }
        for (TreeMap<Integer, List<Record>> types : records.values()) {
            for (List<Record> ofType : types.values()) {
                ofType.forEach(record -> lines.add(line(record)));
            }
        }
        return lines;
    }

    private String line(Record record) {
        if (format == Format.ZONE) {
            return record.toString();
        }
        String name = record.getName().toString(true);
        return record.getType() == Type.TXT
                ? EPOCH + name + " " + ((TXTRecord) record).getStrings().get(0)
                : record.rdataToString() + "\t" + name;
    }
}
