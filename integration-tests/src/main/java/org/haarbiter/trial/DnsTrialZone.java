package org.haarbiter.trial;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.haarbiter.dns.server.RecordData;
import org.haarbiter.dns.server.RecordSet;
import org.haarbiter.dns.server.RecordType;
import org.haarbiter.dns.server.StartOfAuthority;
import org.haarbiter.dns.server.ZoneContents;

/** One zone for all servers that are compared: as contents, as a zone file, as rows of PowerDNS, and the queries for it. */
final class DnsTrialZone {

    static final String ZONE = "trial.test.";
    static final List<String> REGIONS = List.of("north", "central", "south", "overseas");

    private static final StartOfAuthority AUTHORITY =
            new StartOfAuthority("ns1", "hostmaster", 3_600, 600, 86_400, 1, 60);
    /** How many addresses the name {@code large} has. */
    static final int LARGE_RECORDS = 100;

    private static final int QUERIES = 50_000;
    private static final long SEED = 2026;

    private record Line(String name, RecordType type, String text, RecordData data) {}

    private final List<Line> lines = new ArrayList<>();
    private final List<String> queries = new ArrayList<>();

    /** @param names how many besides that of the server */
    DnsTrialZone(int names) {
        lines.add(new Line("ns1", RecordType.A, "127.0.0.1", new RecordData.Host("127.0.0.1")));
        for (int i = 0; i < names; i++) {
            lines.add(line(i));
        }
        addOddities();
        Random random = new Random(SEED);
        for (int i = 0; i < QUERIES; i++) {
            Line line = lines.get(1 + random.nextInt(names));
            int percent = random.nextInt(100);
            if (percent < 90) {
                queries.add(line.name() + "." + ZONE + " " + line.type());
            } else if (percent < 95) {
                queries.add(line.name() + "." + ZONE + (line.type() == RecordType.AAAA ? " A" : " AAAA"));
            } else {
                queries.add("missing" + random.nextInt(1_000_000) + "." + ZONE + " A");
            }
        }
    }

    /** What conformance is tried on: an alias, a wildcard, and a set that fits into no datagram. */
    private void addOddities() {
        lines.add(new Line("alias", RecordType.CNAME, "ns1." + ZONE, new RecordData.Alias("ns1")));
        lines.add(new Line("*.wild", RecordType.A, "10.254.0.1", new RecordData.Host("10.254.0.1")));
        for (int i = 1; i <= LARGE_RECORDS; i++) {
            String address = "10.253.0." + i;
            lines.add(new Line("large", RecordType.A, address, new RecordData.Host(address)));
        }
    }

    /** Of ten names, seven and a half have an IPv4 address. */
    private static Line line(int i) {
        String name = String.format(Locale.ROOT, "group%05d", i);
        if (i % 40 < 30) {
            String address = "10." + (20 + i / 62_500) + "." + i / 250 % 250 + "." + (1 + i % 250);
            return new Line(name + "-rw", RecordType.A, address, new RecordData.Host(address));
        }
        if (i % 40 < 34) {
            String address = "fd00:0:0:0:0:0:0:" + Integer.toHexString(1 + i % 65_535);
            return new Line(name + "-six", RecordType.AAAA, address, new RecordData.Host(address));
        }
        if (i % 40 < 37) {
            return new Line(
                    "_mysql._tcp." + name,
                    RecordType.SRV,
                    "1 1 3306 ns1." + ZONE,
                    new RecordData.Service(1, 1, 3_306, "ns1." + ZONE));
        }
        return new Line(name + "-text", RecordType.TXT, "\"epoch " + i + "\"", new RecordData.Text("epoch " + i));
    }

    /** With answers of their own for two regions at each IPv4 address. */
    ZoneContents contents(long serial) {
        ZoneContents.Builder builder = ZoneContents.of(ZONE, serial, AUTHORITY, List.of("ns1"));
        Map<String, List<RecordData>> all = new LinkedHashMap<>();
        lines.forEach(line ->
                all.computeIfAbsent(line.name(), name -> new ArrayList<>()).add(line.data()));
        all.forEach((name, usual) -> {
            RecordType type = usual.get(0).type();
            TreeMap<String, List<RecordData>> byRegion = new TreeMap<>();
            if (type == RecordType.A && usual.size() == 1) {
                byRegion.put("north", usual);
                byRegion.put("overseas", List.of(new RecordData.Host("10.255.0.1")));
            }
            builder.put(name, new RecordSet(type, 1, usual, byRegion));
        });
        return builder.build();
    }

    /** Networks of all regions, with that of the clients of a trial in the north. */
    List<String> regionLines() {
        List<String> networks = new ArrayList<>(List.of("127.0.0.0/8 north"));
        for (int i = 0; i < 1_000; i++) {
            networks.add("10." + i / 250 + "." + i % 250 + ".0/24 " + REGIONS.get(i % REGIONS.size()));
        }
        return networks;
    }

    /** As BIND and Knot read it. */
    String zoneFile() {
        StringBuilder text = new StringBuilder("$TTL 1\n@ 60 SOA ns1 hostmaster 1 3600 600 86400 1\n@ 60 NS ns1\n");
        for (Line line : lines) {
            text.append(line.name())
                    .append(' ')
                    .append(line.type())
                    .append(' ')
                    .append(line.text())
                    .append('\n');
        }
        return text.toString();
    }

    /** As PowerDNS has it in SQLite, behind its schema. */
    String sql() {
        String bare = bare(ZONE);
        StringBuilder text = new StringBuilder("BEGIN;\nINSERT INTO domains (id, name, type) VALUES (1, '")
                .append(bare)
                .append("', 'NATIVE');\n");
        row(text, bare, "SOA", "ns1." + bare + " hostmaster." + bare + " 1 3600 600 86400 1", 0, 60);
        row(text, bare, "NS", "ns1." + bare, 0, 60);
        for (Line line : lines) {
            boolean service = line.type() == RecordType.SRV;
            // Of a service, the priority stands in a column of its own.
            row(
                    text,
                    line.name() + "." + bare,
                    line.type().name(),
                    service ? "1 3306 ns1." + bare : line.type() == RecordType.CNAME ? "ns1." + bare : line.text(),
                    service ? 1 : 0,
                    1);
        }
        return text.append("COMMIT;\n").toString();
    }

    private static void row(StringBuilder text, String name, String type, String content, int priority, int ttl) {
        text.append("INSERT INTO records (domain_id, name, type, content, prio, ttl, auth) VALUES (1, '")
                .append(name)
                .append("', '")
                .append(type)
                .append("', '")
                .append(content)
                .append("', ")
                .append(priority)
                .append(", ")
                .append(ttl)
                .append(", 1);\n");
    }

    private static String bare(String name) {
        return name.substring(0, name.length() - 1);
    }

    /** As dnsperf reads them, in an order by chance. */
    List<String> queries() {
        return List.copyOf(queries);
    }
}
