package org.haarbiter.trial;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.Servers;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** One DNS server with the zone of the trials, as a process of its own, on the first processor where there are several. */
final class DnsContender implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration ANSWER_LIMIT = Duration.ofMillis(200);
    private static final List<String> SQLITE_SCHEMAS = List.of(
            "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
            "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql");

    private final String name;
    private final Endpoint address;
    private final ServerProcess process;

    private DnsContender(String name, Endpoint address, List<String> command, Path work) {
        this.name = name;
        this.address = address;
        List<String> whole = new ArrayList<>(onProcessor(0));
        whole.addAll(command);
        this.process = new ServerProcess(name, Host.here(), whole, work.resolve("log"));
    }

    /** The beginning of a command that is to run on one processor; empty where there is only one. */
    static List<String> onProcessor(int processor) {
        return Runtime.getRuntime().availableProcessors() > 1
                ? List.of(Servers.onPath("taskset").toString(), "-c", Integer.toString(processor))
                : List.of();
    }

    static DnsContender embedded(Path work, int names, List<String> javaFlags) throws IOException {
        Endpoint address = freeEndpoint();
        Files.createDirectories(work);
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(javaFlags);
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                DnsTrialServer.class.getName(),
                "--port",
                Integer.toString(address.port()),
                "--names",
                Integer.toString(names),
                "--work",
                work.toString()));
        return new DnsContender("embedded", address, command, work);
    }

    static DnsContender bind(Path work, DnsTrialZone zone) throws IOException {
        Endpoint address = freeEndpoint();
        Path conf = Files.createDirectories(work).resolve("named.conf");
        Files.writeString(work.resolve("zone"), zone.zoneFile());
        Files.writeString(conf, """
                options {
                  directory "%s"; pid-file none; session-keyfile "%s/session.key";
                  listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; empty-zones-enable no; notify no; minimal-responses yes;
                  allow-transfer { none; };
                };
                controls { };
                zone "%s" { type primary; file "zone"; };
                """.formatted(work, work, address.port(), DnsTrialZone.ZONE));
        return new DnsContender(
                "BIND",
                address,
                List.of(Servers.bind().path().toString(), "-g", "-4", "-n", "1", "-c", conf.toString()),
                work);
    }

    static DnsContender knot(Path work, DnsTrialZone zone) throws IOException {
        Endpoint address = freeEndpoint();
        Path conf = Files.createDirectories(work).resolve("knot.conf");
        Files.writeString(work.resolve("zone"), zone.zoneFile());
        Files.writeString(conf, """
                server:
                    listen: 127.0.0.1@%d
                    rundir: "%s"
                    user: "%s"
                    udp-workers: 1
                    tcp-workers: 1
                    background-workers: 1
                log:
                  - target: stdout
                    any: info
                database:
                    storage: "%s"
                zone:
                  - domain: %s
                    storage: "%s"
                    file: zone
                """.formatted(
                        address.port(), work, System.getProperty("user.name"), work, DnsTrialZone.ZONE, work));
        return new DnsContender("Knot", address, List.of(program("HA_KNOTD", "knotd"), "-c", conf.toString()), work);
    }

    /** With its caches as they are by default: what it answers from them may be 20 s old. */
    static DnsContender powerDns(Path work, DnsTrialZone zone) throws IOException {
        Endpoint address = freeEndpoint();
        Files.createDirectories(work);
        powerDnsDatabase(work, zone.sql());
        Files.writeString(work.resolve("pdns.conf"), """
                launch=gsqlite3
                gsqlite3-database=%1$s/zone.sqlite3
                local-address=127.0.0.1
                local-port=%2$d
                socket-dir=%1$s
                receiver-threads=1
                distributor-threads=1
                security-poll-suffix=
                """.formatted(work, address.port()));
        return new DnsContender("PowerDNS", address, powerDnsCommand(work), work);
    }

    /** What starts a PowerDNS with the {@code pdns.conf} in a directory. */
    static List<String> powerDnsCommand(Path work) {
        return List.of(
                program("HA_PDNS_SERVER", "pdns_server"),
                "--config-dir=" + work,
                "--daemon=no",
                "--guardian=no",
                "--write-pid=no");
    }

    /** Makes {@code zone.sqlite3} of PowerDNS' schema and these rows. */
    static void powerDnsDatabase(Path work, String rows) throws IOException {
        Files.writeString(work.resolve("zone.sql"), rows);
        run(
                work,
                Servers.onPath("sqlite3").toString(),
                "-bail",
                work.resolve("zone.sqlite3").toString(),
                ".read " + schema(),
                ".read " + work.resolve("zone.sql"));
    }

    static String program(String variable, String name) {
        return Optional.ofNullable(System.getenv(variable))
                .filter(given -> !given.isEmpty())
                .orElseGet(() -> Servers.onPath(name).toString());
    }

    private static String schema() {
        for (String schema : SQLITE_SCHEMAS) {
            if (Files.isReadable(Path.of(schema))) {
                return schema;
            }
        }
        throw new IllegalStateException("no schema of PowerDNS' SQLite backend at " + SQLITE_SCHEMAS
                + ". Run scripts/install-servers.sh powerdns");
    }

    private static void run(Path work, String... command) throws IOException {
        Path said = work.resolve("said");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " failed: " + Files.readString(said));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    static Endpoint freeEndpoint() throws IOException {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        IOException taken = null;
        for (int draw = 0; draw < 50; draw++) {
            try (ServerSocket tcp = new ServerSocket(0, 1, loopback);
                    DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, tcp.getLocalPort()))) {
                return new Endpoint("127.0.0.1", udp.getLocalPort());
            } catch (IOException e) {
                taken = e; // in use for one of the two: draw another
            }
        }
        throw new IOException("no port is free for both UDP and TCP", taken);
    }

    String name() {
        return name;
    }

    Endpoint address() {
        return address;
    }

    long pid() {
        return process.pid();
    }

    /** Starts it, and waits until it answers. */
    void start() throws IOException {
        process.start();
        long end = System.nanoTime() + START_LIMIT.toNanos();
        while (!answers()) {
            if (!process.isAlive() || System.nanoTime() - end > 0) {
                throw new IOException(name + " doesn't answer for " + DnsTrialZone.ZONE + " at " + address
                        + ". Its log ends with:\n" + process.lastWords());
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    private boolean answers() {
        try {
            SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(address.host(), address.port()));
            resolver.setTimeout(ANSWER_LIMIT);
            Name server = Name.fromConstantString("ns1." + DnsTrialZone.ZONE);
            Message answer = resolver.send(Message.newQuery(Record.newRecord(server, Type.A, DClass.IN)));
            return !answer.getSection(Section.ANSWER).isEmpty();
        } catch (IOException e) {
            return false; // not yet: whoever waits asks again, and tells the server's log at the end
        }
    }

    @Override
    public void close() throws IOException {
        process.close();
    }
}
