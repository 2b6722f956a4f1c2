package org.haarbiter.dns.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** Knot DNS. It tells its secondary of an update a second later; no setting changes that. */
public final class KnotServers extends DnsServers {

    private final String knotd = program("knotd", "HA_KNOTD", "knot");

    public KnotServers(Path directory) throws IOException {
        super(directory);
        open(() -> {
            start("primary", primary(), primaryZones());
            await("the primary's zone", () -> serial(primary()) > 0);
            start("secondary", secondary(), secondaryZone());
            await("the secondary's copy", () -> serial(secondary()) > 0);
        });
    }

    private void start(String name, Endpoint endpoint, String zones) throws IOException {
        Path home = home(name);
        Path conf = home.resolve("knot.conf");
        Files.createDirectories(home.resolve("run"));
        Files.createDirectories(
                home.resolve("database")); // Knot doesn't make it, and answers SERVFAIL to updates without it
        Files.writeString(conf, """
                server:
                    rundir: %1$s/run
                    listen: 127.0.0.1@%2$d
                    udp-workers: 1
                    tcp-workers: 1
                    background-workers: 1
                log:
                  - target: stderr
                    any: info
                database:
                    storage: %1$s/database
                key:
                  - id: k1
                    algorithm: hmac-sha256
                    secret: %3$s
                  - id: k2
                    algorithm: hmac-sha256
                    secret: %4$s
                remote:
                  - id: primary
                    address: 127.0.0.1@%5$d
                    key: k1
                  - id: secondary
                    address: 127.0.0.1@%6$d
                template:
                  - id: default
                    storage: %1$s
                %7$s
                """.formatted(
                        home,
                        endpoint.port(),
                        SECRET,
                        SECRET_WITHOUT_RIGHTS,
                        primary().port(),
                        secondary().port(),
                        zones));
        Files.writeString(home.resolve("db.zone"), ZONE_FILE);
        Files.writeString(home.resolve("closed.zone"), ZONE_FILE);
        start(name, List.of(knotd, "-c", conf.toString()));
    }

    private static String primaryZones() {
        return """
                acl:
                  - id: arbiter
                    key: k1
                    action: [update, transfer, query]
                zone:
                  - domain: db.test
                    file: db.zone
                    acl: arbiter
                    notify: secondary
                    zonefile-sync: -1
                    zonefile-load: difference-no-serial
                    journal-content: all
                  - domain: closed.test
                    file: closed.zone
                """;
    }

    private static String secondaryZone() {
        return """
                acl:
                  - id: primary
                    address: 127.0.0.1
                    action: notify
                zone:
                  - domain: db.test
                    file: db.copy
                    master: primary
                    acl: primary
                """;
    }
}
