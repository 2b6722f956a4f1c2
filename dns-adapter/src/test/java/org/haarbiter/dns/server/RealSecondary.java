package org.haarbiter.dns.server;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** A BIND or Knot on loopback, as a process of this test, that holds a copy of the zone. */
final class RealSecondary implements AutoCloseable {

    private final Endpoint address;
    private final Path log;
    private final Process process;

    private RealSecondary(Endpoint address, Path log, List<String> command) throws IOException {
        this.address = address;
        this.log = log;
        this.process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    static RealSecondary bind(Path home, Endpoint address, Endpoint primary, String secret) throws IOException {
        Path conf = Files.createDirectories(home).resolve("named.conf");
        Files.writeString(conf, """
                options {
                  directory "%s"; pid-file none; session-keyfile "%s/session.key";
                  listen-on port %d { %s; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; empty-zones-enable no; notify no; serial-query-rate 1000;
                };
                controls { };
                key k1 { algorithm hmac-sha256; secret "%s"; };
                zone "db.test" {
                  type secondary; file "db.copy"; primaries { %s port %d key k1; };
                };
                """.formatted(
                        home, home, address.port(), address.host(), secret, primary.host(), primary.port()));
        return new RealSecondary(
                address,
                home.resolve("log"),
                List.of(program("named", "bind"), "-g", "-4", "-n", "1", "-c", conf.toString()));
    }

    static RealSecondary knot(Path home, Endpoint address, Endpoint primary, String secret) throws IOException {
        Path conf = Files.createDirectories(home).resolve("knot.conf");
        Files.writeString(conf, """
                server:
                    listen: %s@%d
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
                    journal-db-max-size: 20M
                key:
                  - id: k1
                    algorithm: hmac-sha256
                    secret: %s
                remote:
                  - id: arbiter
                    address: %s@%d
                    key: k1
                acl:
                  - id: arbiter
                    address: 127.0.0.1
                    key: k1
                    action: notify
                zone:
                  - domain: db.test
                    storage: "%s"
                    master: arbiter
                    acl: arbiter
                """.formatted(
                        address.host(),
                        address.port(),
                        home,
                        System.getProperty("user.name"),
                        home,
                        secret,
                        primary.host(),
                        primary.port(),
                        home));
        return new RealSecondary(
                address, home.resolve("log"), List.of(program("knotd", "knot"), "-c", conf.toString()));
    }

    private static String program(String name, String packet) {
        List<String> candidates = new ArrayList<>();
        @Nullable String given = System.getenv(name.equals("named") ? "HA_NAMED" : "HA_KNOTD");
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
        throw new AssertionError(name + " is not on PATH: run scripts/install-servers.sh " + packet
                + ", or leave these tests out with -DexcludedGroups=servers");
    }

    Endpoint address() {
        return address;
    }

    /** The records that it answers with authority; empty where it doesn't, yet. */
    List<Record> records(String name, int type) {
        try {
            Message message =
                    new Message(Played.askTcp(address, Played.query(name, type).toWire()));
            return message.getHeader().getFlag(Flags.AA) ? message.getSection(Section.ANSWER) : List.of();
        } catch (IOException e) {
            return List.of(); // it starts: whoever waits asks again
        }
    }

    /** The serial number of its copy; -1 where it has none. */
    long serial() {
        for (Record record : records(Played.ZONE, Type.SOA)) {
            return ((SOARecord) record).getSerial();
        }
        return -1;
    }

    /** What it has said. */
    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                throw new AssertionError("secondary " + process.pid() + " didn't end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
