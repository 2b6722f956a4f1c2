package org.haarbiter.dns.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** PowerDNS, each with an SQLite file of its own, the primary with its HTTP API. Its secondary shows a change some 2.5 s later. */
public final class PowerDnsServers extends DnsServers {

    public static final String API_KEY = "only-for-tests";

    private static final List<String> SCHEMAS = List.of(
            "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
            "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql");

    private final Endpoint api = freeEndpoint();

    public PowerDnsServers(Path directory) throws IOException {
        super(directory);
        open(() -> {
            start("primary", primary(), primarySettings(), primarySql());
            await("the primary's zone", () -> serial(primary()) > 0);
            start("secondary", secondary(), "secondary=yes\n", secondarySql());
            await("the secondary's copy", () -> serial(secondary()) > 0);
        });
    }

    /** Of the primary. */
    public Endpoint api() {
        return api;
    }

    private String primarySettings() {
        return """
                primary=yes
                dnsupdate=yes
                allow-dnsupdate-from=
                webserver=yes
                webserver-address=127.0.0.1
                webserver-port=%d
                webserver-allow-from=127.0.0.1
                api=yes
                api-key=%s
                """.formatted(api.port(), API_KEY);
    }

    private void start(String name, Endpoint endpoint, String settings, String sql) throws IOException {
        Path home = home(name);
        // The caches are off: for 20 s and more they would answer with what was there before the update.
        Files.writeString(home.resolve("pdns.conf"), settings(home, endpoint) + """
                cache-ttl=0
                query-cache-ttl=0
                negquery-cache-ttl=0
                """ + settings);
        database(home, sql);
        start(this, name, home);
    }

    /** What this machine is. */
    static String settings(Path home, Endpoint endpoint) {
        return """
                launch=gsqlite3
                gsqlite3-database=%1$s/pdns.sqlite3
                local-address=127.0.0.1
                local-port=%2$d
                socket-dir=%1$s
                zone-cache-refresh-interval=0
                security-poll-suffix=
                """.formatted(home, endpoint.port());
    }

    /** An empty database, and what is done to it. */
    static void database(Path home, String sql) throws IOException {
        Path script = home.resolve("zones.sql");
        Files.writeString(script, sql);
        run(List.of(
                program("sqlite3", "HA_SQLITE3", "powerdns"),
                "-bail",
                home.resolve("pdns.sqlite3").toString(),
                ".read " + schema(),
                ".read " + script));
    }

    static void start(DnsServers servers, String name, Path home) throws IOException {
        String server = program("pdns_server", "HA_PDNS_SERVER", "powerdns");
        servers.start(name, List.of(server, "--config-dir=" + home, "--daemon=no", "--guardian=no", "--write-pid=no"));
    }

    private static String schema() {
        for (String schema : SCHEMAS) {
            if (Files.isReadable(Path.of(schema))) {
                return schema;
            }
        }
        throw new AssertionError("no schema of the SQLite backend at " + String.join(" or ", SCHEMAS)
                + ": run scripts/install-servers.sh powerdns, or leave these tests out with -DexcludedGroups=servers");
    }

    private String primarySql() {
        List<String> lines = new ArrayList<>();
        lines.add("INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k1', 'hmac-sha256', '" + SECRET + "');");
        lines.add("INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k2', 'hmac-sha256', '"
                + SECRET_WITHOUT_RIGHTS + "');");
        int id = 0;
        for (String zone : List.of("db.test", "closed.test")) {
            id++;
            lines.add("INSERT INTO domains (id, name, type) VALUES (" + id + ", '" + zone + "', 'MASTER');");
            lines.add(record(id, zone, "SOA", "ns." + zone + " hostmaster." + zone + " 1 3600 600 86400 2"));
            lines.add(record(id, zone, "NS", "ns." + zone));
            lines.add(record(id, "ns." + zone, "A", "127.0.0.1"));
            lines.add(record(id, "alias." + zone, "CNAME", "ns." + zone));
        }
        // By zone: with the global setting, a zone that names no key would take updates without any.
        lines.add(metadata("ALLOW-DNSUPDATE-FROM", "127.0.0.0/8"));
        lines.add(metadata("TSIG-ALLOW-DNSUPDATE", "k1"));
        lines.add(metadata("TSIG-ALLOW-AXFR", "k1"));
        lines.add(metadata("NOTIFY-DNSUPDATE", "1"));
        lines.add(metadata("SOA-EDIT-DNSUPDATE", "INCREASE"));
        lines.add(metadata("SOA-EDIT-API", "INCREASE"));
        lines.add(metadata("ALSO-NOTIFY", secondary().toString()));
        return String.join("\n", lines);
    }

    private String secondarySql() {
        return String.join(
                "\n",
                "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k1', 'hmac-sha256', '" + SECRET + "');",
                "INSERT INTO domains (id, name, type, master) VALUES (1, 'db.test', 'SLAVE', '" + primary() + "');",
                metadata("AXFR-MASTER-TSIG", "k1"));
    }

    private static String record(int zone, String name, String type, String content) {
        return "INSERT INTO records (domain_id, name, type, content, ttl) VALUES (" + zone + ", '" + name + "', '"
                + type + "', '" + content + "', 60);";
    }

    private static String metadata(String kind, String content) {
        return "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, '" + kind + "', '" + content + "');";
    }
}
