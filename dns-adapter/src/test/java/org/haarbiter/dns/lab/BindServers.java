package org.haarbiter.dns.rfc2136;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * Three BIND servers of one zone on loopback, as processes of this test: the primary, a secondary that is told of changes,
 * and one that nobody tells, so that it keeps its first copy.
 */
final class BindServers implements AutoCloseable {

    static final String ZONE = "db.test.";
    static final String SECRET = "aGEtYXJiaXRlciB0ZXN0cyBvbmx5LCBubyByZWFsIGtleSE=";

    /** A key that the primary knows and allows nothing. */
    static final String SECRET_WITHOUT_RIGHTS = "YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzLCBubyByaWdodHM=";

    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Path directory;
    private final List<Process> processes = new ArrayList<>();
    private final Endpoint primary;
    private final Endpoint secondary;
    private final Endpoint untold;

    BindServers(Path directory) throws IOException {
        this.directory = directory;
        String named = named();
        this.primary = freeEndpoint();
        this.secondary = freeEndpoint();
        this.untold = freeEndpoint();
        try {
            start(named, "primary", primary, primaryZones());
            await("the primary's zone", () -> serial(primary) > 0);
            start(named, "secondary", secondary, secondaryZone());
            start(named, "untold", untold, secondaryZone());
            await("the secondaries' copies", () -> serial(secondary) > 0 && serial(untold) > 0);
        } catch (AssertionError e) {
            String logs = logs();
            close();
            throw new AssertionError(e.getMessage() + "; the servers said:\n" + logs, e);
        }
    }

    Endpoint primary() {
        return primary;
    }

    Endpoint secondary() {
        return secondary;
    }

    Endpoint untold() {
        return untold;
    }

    Process primaryProcess() {
        return processes.get(0);
    }

    /** How much waits unread at the primary's UDP port, in bytes as the kernel counts them. */
    long primaryQueueBytes() {
        String port = String.format(":%04X ", primary.port());
        try (Stream<String> lines = Files.lines(Path.of("/proc/net/udp"))) {
            return lines.map(line -> line.strip().split(" +"))
                    .filter(fields -> (fields[1] + " ").endsWith(port))
                    .mapToLong(fields -> Long.parseLong(fields[4].substring(fields[4].indexOf(':') + 1), 16))
                    .sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Signals a server, e.g. STOP or CONT. */
    static void signal(Process process, String signal) throws IOException {
        try {
            int code = new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (code != 0) {
                throw new IOException("kill -" + signal + " " + process.pid() + " ended with " + code);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + START_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited 60 s in vain for " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** The records that a server answers with authority; empty where it doesn't. */
    static List<Record> records(Endpoint server, String name, int type) {
        Reply reply = Exchange.query(
                        server,
                        List.of(ZoneReader.query(Name.fromConstantString(name), type, new HashSet<>(), null)),
                        System.nanoTime() + TimeUnit.SECONDS.toNanos(5))
                .get(0);
        Message message = reply.message();
        if (message == null || !message.getHeader().getFlag(Flags.AA)) {
            return List.of();
        }
        return message.getSection(Section.ANSWER);
    }

    static List<String> texts(Endpoint server, String name) {
        List<String> texts = new ArrayList<>();
        for (Record record : records(server, name + "." + ZONE, Type.TXT)) {
            texts.addAll(((TXTRecord) record).getStrings());
        }
        return texts;
    }

    static List<String> addresses(Endpoint server, String name) {
        List<String> addresses = new ArrayList<>();
        for (int type : ZoneRecords.ADDRESS_TYPES) {
            for (Record record : records(server, name + "." + ZONE, type)) {
                addresses.add(record.rdataToString().replaceFirst("^fd00(:0)+:", "fd00::"));
            }
        }
        return addresses;
    }

    /** The zone's serial number; 0 where the server doesn't serve it. */
    static long serial(Endpoint server) {
        for (Record record : records(server, ZONE, Type.SOA)) {
            return ((SOARecord) record).getSerial();
        }
        return 0;
    }

    private static String named() {
        List<String> candidates = new ArrayList<>();
        @Nullable String given = System.getenv("HA_NAMED");
        if (given != null) {
            candidates.add(given);
        }
        for (String folder : (System.getenv("PATH") + ":/usr/local/sbin:/usr/sbin").split(":", -1)) {
            candidates.add(folder + "/named");
        }
        for (String candidate : candidates) {
            if (new File(candidate).canExecute()) {
                return candidate;
            }
        }
        throw new AssertionError("named (BIND) is neither at HA_NAMED nor on PATH: run scripts/install-servers.sh bind,"
                + " or leave these tests out with -DexcludedGroups=servers");
    }

    private static Endpoint freeEndpoint() throws IOException {
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

    private void start(String named, String name, Endpoint endpoint, String zones) throws IOException {
        Path home = Files.createDirectory(directory.resolve(name));
        Path conf = home.resolve("named.conf");
        Files.writeString(conf, """
                options {
                  directory "%s";
                  pid-file none;
                  session-keyfile "%s/session.key";
                  listen-on port %d { 127.0.0.1; };
                  listen-on-v6 { none; };
                  recursion no;
                  dnssec-validation no;
                  empty-zones-enable no;
                  notify explicit;
                  notify-delay 0;
                  notify-rate 1000;
                  startup-notify-rate 1000;
                  serial-query-rate 1000;
                };
                controls { };
                key k1 { algorithm hmac-sha256; secret "%s"; };
                key k2 { algorithm hmac-sha256; secret "%s"; };
                %s
                """.formatted(home, home, endpoint.port(), SECRET, SECRET_WITHOUT_RIGHTS, zones));
        Files.writeString(home.resolve("db.zone"), """
                $TTL 60
                @ SOA ns hostmaster 1 3600 600 86400 2
                @ NS ns
                ns A 127.0.0.1
                """);
        Files.copy(home.resolve("db.zone"), home.resolve("closed.zone"));
        processes.add(new ProcessBuilder(named, "-g", "-4", "-n", "1", "-c", conf.toString())
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("named.log").toFile())
                .start());
    }

    private String primaryZones() {
        return """
                zone "db.test" {
                  type primary; file "db.zone";
                  update-policy { grant k1 zonesub A AAAA TXT; };
                  also-notify { 127.0.0.1 port %d; };
                  allow-transfer { key k1; };
                };
                zone "closed.test" { type primary; file "closed.zone"; };
                """.formatted(secondary.port());
    }

    private String secondaryZone() {
        return """
                zone "db.test" {
                  type secondary; file "db.copy"; primaries { 127.0.0.1 port %d key k1; };
                };
                """.formatted(primary.port());
    }

    /** The servers' logs, for a failed start. */
    String logs() throws IOException {
        StringBuilder logs = new StringBuilder();
        for (String name : List.of("primary", "secondary", "untold")) {
            Path log = directory.resolve(name).resolve("named.log");
            if (Files.exists(log)) {
                logs.append("--- ").append(name).append('\n').append(Files.readString(log));
            }
        }
        return logs.toString();
    }

    @Override
    public void close() throws IOException {
        for (Process process : processes) {
            process.destroyForcibly();
        }
        try {
            for (Process process : processes) {
                if (!process.waitFor(30, TimeUnit.SECONDS)) {
                    throw new IOException("named " + process.pid() + " didn't end");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
