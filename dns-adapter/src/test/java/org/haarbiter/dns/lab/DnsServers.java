package org.haarbiter.dns.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * A primary that takes updates of {@link #ZONE}, and a secondary behind it, on loopback. The primary knows two keys: {@code k1}
 * may change the zone, {@code k2} nothing. It also serves {@code closed.test.}, which nobody may change.
 */
public abstract class DnsServers implements AutoCloseable {

    public static final String ZONE = "db.test.";
    public static final String SECRET = "aGEtYXJiaXRlciB0ZXN0cyBvbmx5LCBubyByZWFsIGtleSE=";

    /** Of {@code k2}. */
    public static final String SECRET_WITHOUT_RIGHTS = "YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzLCBubyByaWdodHM=";

    static final String ZONE_FILE = """
            $TTL 60
            @ SOA ns hostmaster 1 3600 600 86400 2
            @ NS ns
            ns A 127.0.0.1
            """;

    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final Duration LOOKUP_LIMIT = Duration.ofSeconds(5);

    private final Path directory;
    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final Endpoint primary;
    private final Endpoint secondary;

    DnsServers(Path directory) throws IOException {
        this.directory = directory;
        this.primary = freeEndpoint();
        this.secondary = freeEndpoint();
    }

    interface Start {
        void run() throws IOException;
    }

    /** Runs the start of a kind's servers; where it fails, their logs are in the message, and none is left running. */
    final void open(Start start) throws IOException {
        boolean started = false;
        try {
            start.run();
            started = true;
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "; the servers said:\n" + logs(), e);
        } finally {
            if (!started) {
                close();
            }
        }
    }

    public final Endpoint primary() {
        return primary;
    }

    public final Endpoint secondary() {
        return secondary;
    }

    public final Process primaryProcess() {
        Process process = processes.get("primary");
        if (process == null) {
            throw new IllegalStateException("the primary wasn't started");
        }
        return process;
    }

    /** How much waits unread at the primary's UDP port, in bytes as the kernel counts them. */
    public final long primaryQueueBytes() {
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
    public static void signal(Process process, String signal) throws IOException {
        run(List.of("kill", "-" + signal, Long.toString(process.pid())));
    }

    public static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + START_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited 60 s in vain for " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** The records that a server answers with authority; empty where it doesn't. */
    public static List<Record> records(Endpoint server, String name, int type) {
        try {
            SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(server.host(), server.port()));
            resolver.setTimeout(LOOKUP_LIMIT);
            Message query = Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN));
            query.getHeader().unsetFlag(Flags.RD);
            Message answer = resolver.send(query);
            return answer.getHeader().getFlag(Flags.AA) ? answer.getSection(Section.ANSWER) : List.of();
        } catch (IOException e) {
            return List.of(); // not up yet, or stopped by the test: whoever waits asks again
        }
    }

    /** The texts of all TXT records at a name relative to {@link #ZONE}. */
    public static List<String> texts(Endpoint server, String name) {
        List<String> texts = new ArrayList<>();
        for (Record record : records(server, name + "." + ZONE, Type.TXT)) {
            texts.addAll(((TXTRecord) record).getStrings());
        }
        return texts;
    }

    /** The addresses at a name relative to {@link #ZONE}, IPv6 with {@code ::}. */
    public static List<String> addresses(Endpoint server, String name) {
        List<String> addresses = new ArrayList<>();
        for (int type : new int[] {Type.A, Type.AAAA}) {
            for (Record record : records(server, name + "." + ZONE, type)) {
                if (record instanceof ARecord || record instanceof AAAARecord) {
                    addresses.add(record.rdataToString().replaceFirst("^fd00(:0)+:", "fd00::"));
                }
            }
        }
        return addresses;
    }

    /** The zone's serial number; 0 where the server doesn't serve it. */
    public static long serial(Endpoint server) {
        return serial(server, ZONE);
    }

    static long serial(Endpoint server, String zone) {
        for (Record record : records(server, zone, Type.SOA)) {
            return ((SOARecord) record).getSerial();
        }
        return 0;
    }

    static String program(String name, String variable, String what) {
        List<String> candidates = new ArrayList<>();
        String given = System.getenv(variable);
        if (given != null) {
            candidates.add(given);
        }
        for (String folder : (System.getenv("PATH") + ":/usr/local/sbin:/usr/sbin").split(":", -1)) {
            candidates.add(folder + "/" + name);
        }
        for (String candidate : candidates) {
            if (new File(candidate).canExecute()) {
                return candidate;
            }
        }
        throw new AssertionError(name + " is neither at " + variable + " nor on PATH: run scripts/install-servers.sh "
                + what + ", or leave these tests out with -DexcludedGroups=servers");
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

    /** A server's own directory, empty at first. */
    final Path home(String name) throws IOException {
        return Files.createDirectories(directory.resolve(name));
    }

    private static Path log(Path home) {
        return home.resolve("log");
    }

    final void start(String name, List<String> command) throws IOException {
        processes.put(
                name,
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log(home(name)).toFile())
                        .start());
    }

    /** Runs a program to its end, which must be good. */
    static void run(List<String> command) throws IOException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0) {
                throw new IOException(String.join(" ", command) + " ended with " + code + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private String logs() throws IOException {
        StringBuilder logs = new StringBuilder();
        for (String name : processes.keySet()) {
            logs.append("--- ").append(name).append('\n').append(Files.readString(log(home(name))));
        }
        return logs.toString();
    }

    @Override
    public final void close() throws IOException {
        for (Process process : processes.values()) {
            process.destroyForcibly();
        }
        try {
            for (Map.Entry<String, Process> process : processes.entrySet()) {
                if (!process.getValue().waitFor(30, TimeUnit.SECONDS)) {
                    throw new IOException("the " + process.getKey() + ", pid "
                            + process.getValue().pid() + ", didn't end");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
