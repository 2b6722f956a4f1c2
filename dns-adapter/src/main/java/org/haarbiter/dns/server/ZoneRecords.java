package org.haarbiter.dns.server;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A zone, or its changes, as records for a transfer. Of each name, secondaries get the usual answer. For one thread. */
final class ZoneRecords {

    private record Line(RecordType type, int ttlSeconds, RecordData data) {}

    private final TransferWriter writer;
    private final ZoneContents contents;
    private final byte[] origin;

    ZoneRecords(TransferWriter writer, ZoneContents contents) {
        this.writer = writer;
        this.contents = contents;
        this.origin = WireName.of(contents.origin());
    }

    /** The SOA record as it was at this serial number. */
    void soa(long serial) throws IOException {
        byte[] data = ZoneSnapshot.soa(contents);
        Wire.putInt(data, data.length - 20, (int) serial);
        writer.record(origin, Wire.TYPE_SOA, contents.authority().ttlSeconds(), data);
    }

    /** Everything but the SOA record. */
    void all() throws IOException {
        for (String server : contents.nameServers()) {
            writer.record(
                    origin,
                    Wire.TYPE_NS,
                    contents.authority().ttlSeconds(),
                    WireName.of(WireName.absolute(server, contents.origin())));
        }
        for (Map.Entry<String, List<RecordSet>> name : contents.names().entrySet()) {
            lines(name.getKey(), lines(name.getValue()));
        }
    }

    /** RFC 1995 4: the old SOA record and what goes, the new one and what comes. */
    void step(ZoneHistory.Step step) throws IOException {
        soa(step.from());
        for (ZoneHistory.NameChange change : step.names()) {
            Set<Line> gone = lines(change.before());
            gone.removeAll(lines(change.after()));
            lines(change.name(), gone);
        }
        soa(step.to());
        for (ZoneHistory.NameChange change : step.names()) {
            Set<Line> come = lines(change.after());
            come.removeAll(lines(change.before()));
            lines(change.name(), come);
        }
    }

    private void lines(String name, Set<Line> lines) throws IOException {
        byte[] owner = WireName.of(WireName.absolute(name, contents.origin()));
        for (Line line : lines) {
            writer.record(
                    owner, line.type().code(), line.ttlSeconds(), EncodedSet.encode(line.data(), contents.origin()));
        }
    }

    private Set<Line> lines(List<RecordSet> sets) {
        Set<Line> lines = new LinkedHashSet<>();
        for (RecordSet set : sets) {
            for (RecordData data : set.usual()) {
                lines.add(new Line(set.type(), set.ttlSeconds(), data));
            }
        }
        return lines;
    }
}
