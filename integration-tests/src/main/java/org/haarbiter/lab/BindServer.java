package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Name;

/**
 * A real BIND that serves one zone: a primary that takes signed updates, or a secondary of one. Each change is told to the
 * secondaries at once. Threads: any.
 */
public final class BindServer implements AutoCloseable {

    private static final Duration ANSWER_LIMIT = Duration.ofMillis(200);

    private final Endpoint address;
    private final String zone;
    private final Host host;
    private final Path directory;
    private final String configuration;
    private final String zoneFile;
    private final ServerProcess process;
    private boolean addressIsOurs;

    private BindServer(
            Path directory, Endpoint address, String zone, Host host, String configuration, String zoneFile) {
        this.directory = directory.toAbsolutePath();
        this.address = address;
        this.zone = zone.endsWith(".") ? zone.substring(0, zone.length() - 1) : zone;
        this.host = host;
        this.configuration = configuration;
        this.zoneFile = zoneFile;
        this.process = new ServerProcess(
                "named at " + address,
                host,
                List.of(
                        Servers.bind().path().toString(),
                        "-g",
                        "-4",
                        "-n",
                        "2",
                        "-c",
                        this.directory.resolve("named.conf").toString()),
                this.directory.resolve("named.log"));
    }

    /**
     * A primary.
     *
     * @param directory everything of the server goes there; it is made
     * @param address an address of 127.0.0.0/8 and a port; it is configured on this machine where it must be
     * @param zone such as {@code ha.test}
     * @param key signs updates and transfers
     * @param secondaries told of each change at once
     */
    public static BindServer primary(
            Path directory, Endpoint address, String zone, ZoneKey key, List<Endpoint> secondaries, Host host) {
        StringBuilder notified = new StringBuilder();
        for (Endpoint secondary : secondaries) {
            notified.append(secondary.host())
                    .append(" port ")
                    .append(secondary.port())
                    .append("; ");
        }
        String configuration = options(directory, address, key)
                + "zone \"" + zone + "\" {\n"
                + "  type primary; file \"zone.db\";\n"
                + "  update-policy { grant \"" + key.name() + "\" zonesub ANY; };\n"
                + "  allow-transfer { key \"" + key.name() + "\"; };\n"
                + (secondaries.isEmpty() ? "  notify no;\n" : "  notify explicit; also-notify { " + notified + "};\n")
                + "};\n";
        // A short negative TTL: a name that didn't exist a moment ago must not stay unknown to resolvers.
        String zoneFile =
                "$TTL 1\n" + "@ SOA ns1 hostmaster 1 60 5 86400 1\n" + "@ NS ns1\n" + "ns1 A " + address.host() + "\n";
        return new BindServer(directory, address, zone, host, configuration, zoneFile);
    }

    /** A secondary that fetches the zone from any of these. */
    public static BindServer secondary(
            Path directory, Endpoint address, String zone, ZoneKey key, List<Endpoint> primaries, Host host) {
        StringBuilder sources = new StringBuilder();
        for (Endpoint primary : primaries) {
            sources.append(primary.host()).append(" port ").append(primary.port());
            sources.append(" key \"").append(key.name()).append("\"; ");
        }
        String configuration = options(directory, address, key)
                + "zone \"" + zone + "\" {\n"
                + "  type secondary; file \"zone.db\";\n"
                + "  primaries { " + sources + "};\n"
                + "  allow-notify { 127.0.0.0/8; };\n"
                + "  allow-transfer { key \"" + key.name() + "\"; };\n"
                + "  notify no;\n"
                + "};\n";
        return new BindServer(directory, address, zone, host, configuration, "");
    }

    private static String options(Path directory, Endpoint address, ZoneKey key) {
        return key.asBindText()
                + "options {\n"
                + "  directory \"" + directory.toAbsolutePath() + "\";\n"
                + "  listen-on port " + address.port() + " { " + address.host() + "; };\n"
                + "  listen-on-v6 { none; };\n"
                + "  pid-file \"named.pid\"; session-keyfile \"session.key\"; lock-file none;\n"
                + "  recursion no; dnssec-validation no; notify-delay 0;\n"
                + "  notify-rate 1000; startup-notify-rate 1000; serial-query-rate 1000;\n"
                + "  allow-query { any; };\n"
                + "};\n"
                + "controls { };\n";
    }

    /** Where it answers. */
    public Endpoint address() {
        return address;
    }

    /** The zone that it serves, without the last dot. */
    public String zone() {
        return zone;
    }

    /** The pid of the server process. */
    public long pid() {
        return process.pid();
    }

    /** Its log. */
    public Path log() {
        return directory.resolve("named.log");
    }

    /** Starts it; its zone and journal of earlier runs are kept. */
    public void start() throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("named.conf"), configuration, StandardCharsets.UTF_8);
        if (!zoneFile.isEmpty() && !Files.exists(directory.resolve("zone.db"))) {
            Files.writeString(directory.resolve("zone.db"), zoneFile, StandardCharsets.UTF_8);
        }
        configureAddress();
        process.start();
    }

    /** BIND asks the kernel which addresses there are, and 127.0.0.1 is the only one of its network that is listed. */
    private void configureAddress() throws IOException {
        if (!host.ownsLoopback()
                || !address.host().startsWith("127.")
                || address.host().equals("127.0.0.1")) {
            return;
        }
        String ip = Servers.onPath("ip").toString();
        String listed = Commands.run(List.of(ip, "-o", "-4", "addr", "show", "dev", "lo"), "");
        if (!listed.contains(" " + address.host() + "/")) {
            Commands.run(List.of(ip, "addr", "add", address.host() + "/32", "dev", "lo"), "");
            addressIsOurs = true;
        }
    }

    /** Waits until it serves the zone; throws with the end of its log when the limit passes. */
    public void awaitReady(Duration limit) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            try {
                if (lookUp("ns1." + zone).isPresent()) {
                    return;
                }
            } catch (IOException e) {
                if (System.nanoTime() - deadline > 0 || !process.isAlive()) {
                    throw new IOException(
                            "named at " + address + " doesn't serve " + zone + ". Its log ends with:\n"
                                    + process.lastWords(),
                            e);
                }
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IOException(
                        "named at " + address + " has no ns1." + zone + " after " + limit.toMillis() + " ms");
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for named at " + address, e);
            }
        }
    }

    /** The address that this very server gives for a name; empty when it has none. */
    public Optional<String> lookUp(String name) throws IOException {
        try {
            return host.call(() -> {
                try (NameLookup lookup = new NameLookup(address, Name.fromString(name, Name.root), ANSWER_LIMIT)) {
                    return lookup.address();
                }
            });
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("can't ask named at " + address + " for " + name, e);
        }
    }

    /** Sends SIGSTOP and returns when every thread stands still. */
    public void freeze() {
        process.freeze();
    }

    /** Sends SIGCONT. */
    public void thaw() {
        process.thaw();
    }

    /** Sends SIGKILL and returns at once. */
    public void kill9() {
        process.kill9();
    }

    /** Ends it in order and waits. */
    public void stop() throws IOException {
        process.terminate();
        process.awaitEnd(Duration.ofSeconds(20));
    }

    /** Kills it, waits for its end and takes away the address that it brought. */
    @Override
    public void close() throws IOException {
        process.close();
        if (addressIsOurs) {
            addressIsOurs = false;
            Commands.run(
                    List.of(Servers.onPath("ip").toString(), "addr", "del", address.host() + "/32", "dev", "lo"), "");
        }
    }
}
