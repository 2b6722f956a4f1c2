package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.DnsServerSettings;
import org.haarbiter.dns.server.RecordData;
import org.haarbiter.dns.server.RecordSet;
import org.haarbiter.dns.server.RecordType;
import org.haarbiter.dns.server.SigningKey;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.dns.server.ZoneContents;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.Servers;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** A real BIND and a real Knot copy the zone from the embedded server and follow its changes. */
final class DnsTransferTrial {

    private static final String SECRET = "aGEtYXJiaXRlciB0cmlhbHMgb25seSwgbm8gcmVhbCBrZXk=";
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final int CHANGES = 50;

    private record Secondary(String name, Endpoint address, ServerProcess process) {}

    private DnsTransferTrial() {}

    /** Tells each check's name and what went wrong, or null. */
    static void run(Path work, BiConsumer<String, @Nullable String> check) throws IOException {
        Endpoint primary = DnsContender.freeEndpoint();
        Endpoint bind = DnsContender.freeEndpoint();
        Endpoint knot = DnsContender.freeEndpoint();
        Endpoint powerDns = DnsContender.freeEndpoint();
        DnsServerSettings usual = DnsServerSettings.usual(primary, List.of(DnsTrialZone.ZONE));
        DnsServerSettings.Zone open = new DnsServerSettings.Zone(
                List.of("k1"),
                List.of(),
                List.of(
                        new DnsServerSettings.Secondary(bind, "k1"),
                        new DnsServerSettings.Secondary(knot, "k1"),
                        new DnsServerSettings.Secondary(powerDns, "k1")));
        DnsServerSettings settings = new DnsServerSettings(
                usual.listen(),
                1,
                "trial",
                new TreeMap<>(Map.of(DnsTrialZone.ZONE, open)),
                new TreeMap<>(Map.of("k1", new SigningKey("k1", "hmac-sha256", SECRET))),
                usual.rateLimit(),
                100,
                100,
                10_000,
                "",
                DnsTrialZone.REGIONS,
                Files.write(work.resolve("regions"), new DnsTrialZone(40).regionLines()),
                usual.clientSubnetFrom());
        List<Secondary> secondaries = new ArrayList<>();
        try (AuthoritativeServer server = new AuthoritativeServer(settings, () -> new StateAge(1, 0))) {
            server.start();
            ZoneContents contents = new DnsTrialZone(4_000).contents(1);
            server.serve(contents);
            secondaries.add(bind(work.resolve("bind-secondary"), bind, primary));
            secondaries.add(knot(work.resolve("knot-secondary"), knot, primary));
            for (Secondary secondary : secondaries) {
                secondary.process().start();
            }
            for (Secondary secondary : secondaries) {
                check.accept(
                        secondary.name() + " as a secondary copies the zone of 4,000 names, signed (AXFR, TSIG)",
                        await(() -> serial(secondary) == 1, secondary, 1));
            }
            long whole = server.metrics().fullTransfers();
            for (int i = 1; i <= CHANGES; i++) {
                contents = contents.next(1 + i)
                        .put("group00001-rw", addresses("10.252.0." + i))
                        .build();
                server.serve(contents);
            }
            long last = contents.serial();
            for (Secondary secondary : secondaries) {
                check.accept(
                        secondary.name() + " follows " + CHANGES + " changes (NOTIFY)",
                        await(() -> serial(secondary) == last, secondary, last));
            }
            long again = server.metrics().fullTransfers() - whole;
            check.accept(
                    "the changes went as changes (IXFR)",
                    again == 0 ? null : again + " whole zones were sent again (must be none)");
            // By itself, and last: it copies the whole zone at each change.
            Secondary slow = powerDns(work.resolve("powerdns-secondary"), powerDns, primary);
            secondaries.add(slow);
            slow.process().start();
            server.serve(contents.next(last + 1).build());
            check.accept(
                    "PowerDNS as a secondary copies the zone, signed (AXFR, TSIG)",
                    await(() -> serial(slow) == last + 1, slow, last + 1));
            server.serve(contents.next(last + 2).build());
            for (Secondary secondary : secondaries) {
                check.accept(
                        secondary.name() + " follows the last change (NOTIFY)",
                        await(() -> serial(secondary) == last + 2, secondary, last + 2));
            }
            check.accept(
                    "every notification was acknowledged",
                    awaitAll(() ->
                            server.secondaries().stream().allMatch(state -> state.acknowledgedSerial() == last + 2)));
        } finally {
            for (Secondary secondary : secondaries) {
                secondary.process().close();
            }
        }
    }

    private static RecordSet addresses(String address) {
        return new RecordSet(RecordType.A, 1, List.of(new RecordData.Host(address)));
    }

    private static @Nullable String await(BooleanSupplier condition, Secondary secondary, long serial) {
        return awaitAll(condition) == null
                ? null
                : "it has serial " + serial(secondary) + " after 30 s (must be " + serial + "); its log ends with:\n"
                        + secondary.process().lastWords();
    }

    private static @Nullable String awaitAll(BooleanSupplier condition) {
        long end = System.nanoTime() + LIMIT_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return "not after 30 s";
            }
            LockSupport.parkNanos(5_000_000);
        }
        return null;
    }

    private static long serial(Secondary secondary) {
        try {
            Message query =
                    Message.newQuery(Record.newRecord(Name.fromConstantString(DnsTrialZone.ZONE), Type.SOA, DClass.IN));
            Message answer = new Message(DnsExchange.tcp(secondary.address(), query.toWire()));
            for (Record record : answer.getSection(Section.ANSWER)) {
                if (record instanceof SOARecord soa) {
                    return soa.getSerial();
                }
            }
            return -1;
        } catch (IOException e) {
            return -1; // it starts: whoever waits asks again, and tells its log at the end
        }
    }

    private static Secondary bind(Path work, Endpoint address, Endpoint primary) throws IOException {
        Path conf = Files.createDirectories(work).resolve("named.conf");
        Files.writeString(conf, """
                options {
                  directory "%s"; pid-file none; session-keyfile "%s/session.key";
                  listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; empty-zones-enable no; notify no; serial-query-rate 1000;
                };
                controls { };
                key k1 { algorithm hmac-sha256; secret "%s"; };
                zone "%s" { type secondary; file "copy"; primaries { 127.0.0.1 port %d key k1; }; };
                """.formatted(work, work, address.port(), SECRET, DnsTrialZone.ZONE, primary.port()));
        List<String> command = List.of(Servers.bind().path().toString(), "-g", "-4", "-n", "1", "-c", conf.toString());
        return new Secondary("BIND", address, new ServerProcess("BIND", Host.here(), command, work.resolve("log")));
    }

    private static Secondary knot(Path work, Endpoint address, Endpoint primary) throws IOException {
        Path conf = Files.createDirectories(work).resolve("knot.conf");
        Files.writeString(conf, """
                server:
                    listen: 127.0.0.1@%1$d
                    rundir: "%2$s"
                    user: "%3$s"
                    udp-workers: 1
                    tcp-workers: 1
                    background-workers: 1
                log:
                  - target: stdout
                    any: info
                database:
                    storage: "%2$s"
                key:
                  - id: k1
                    algorithm: hmac-sha256
                    secret: %4$s
                remote:
                  - id: arbiter
                    address: 127.0.0.1@%5$d
                    key: k1
                acl:
                  - id: arbiter
                    address: 127.0.0.1
                    key: k1
                    action: notify
                zone:
                  - domain: %6$s
                    storage: "%2$s"
                    master: arbiter
                    acl: arbiter
                """.formatted(
                address.port(), work, System.getProperty("user.name"), SECRET, primary.port(), DnsTrialZone.ZONE));
        List<String> command = List.of(DnsContender.program("HA_KNOTD", "knotd"), "-c", conf.toString());
        return new Secondary("Knot", address, new ServerProcess("Knot", Host.here(), command, work.resolve("log")));
    }

    private static Secondary powerDns(Path work, Endpoint address, Endpoint primary) throws IOException {
        String zone = DnsTrialZone.ZONE.substring(0, DnsTrialZone.ZONE.length() - 1);
        DnsContender.powerDnsDatabase(Files.createDirectories(work), """
                INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k1', 'hmac-sha256', '%1$s');
                INSERT INTO domains (id, name, type, master) VALUES (1, '%2$s', 'SLAVE', '%3$s');
                INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, 'AXFR-MASTER-TSIG', 'k1');
                """.formatted(SECRET, zone, primary));
        Files.writeString(work.resolve("pdns.conf"), """
                launch=gsqlite3
                gsqlite3-database=%1$s/zone.sqlite3
                local-address=127.0.0.1
                local-port=%2$d
                socket-dir=%1$s
                secondary=yes
                cache-ttl=0
                query-cache-ttl=0
                negquery-cache-ttl=0
                security-poll-suffix=
                """.formatted(work, address.port()));
        return new Secondary(
                "PowerDNS",
                address,
                new ServerProcess("PowerDNS", Host.here(), DnsContender.powerDnsCommand(work), work.resolve("log")));
    }
}
