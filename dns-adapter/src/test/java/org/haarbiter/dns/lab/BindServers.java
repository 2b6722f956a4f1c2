package org.haarbiter.dns.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** BIND, with a third server that nobody tells of changes, so that it keeps its first copy. */
public final class BindServers extends DnsServers {

    private final String named = program("named", "HA_NAMED", "bind");
    private final Endpoint untold = freeEndpoint();

    public BindServers(Path directory) throws IOException {
        super(directory);
        open(() -> {
            start("primary", primary(), primaryZones());
            await("the primary's zone", () -> serial(primary()) > 0);
            start("secondary", secondary(), secondaryZone());
            start("untold", untold, secondaryZone());
            await("the secondaries' copies", () -> serial(secondary()) > 0 && serial(untold) > 0);
        });
    }

    /** The third server. */
    public Endpoint untold() {
        return untold;
    }

    private void start(String name, Endpoint endpoint, String zones) throws IOException {
        Path home = home(name);
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
        Files.writeString(home.resolve("db.zone"), ZONE_FILE);
        Files.writeString(home.resolve("closed.zone"), ZONE_FILE);
        start(name, List.of(named, "-g", "-4", "-n", "1", "-c", conf.toString()));
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
                """.formatted(secondary().port());
    }

    private String secondaryZone() {
        return """
                zone "db.test" {
                  type secondary; file "db.copy"; primaries { 127.0.0.1 port %d key k1; };
                };
                """.formatted(primary().port());
    }
}
