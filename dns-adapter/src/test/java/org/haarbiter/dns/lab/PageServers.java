package org.haarbiter.dns.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;

/**
 * A primary and a secondary that are set up by the words of {@code docs/dns.md}, with no more changed than what this machine is: paths,
 * addresses, ports and the secret.
 */
public final class PageServers extends DnsServers {

    /** As the page calls it. */
    public static final String PAGES_ZONE = "db.example.";

    private static final Path PAGE = Path.of("..", "docs", "dns.md");

    private PageServers(Path directory) throws IOException {
        super(directory);
    }

    public static PageServers bind(Path directory) throws IOException {
        PageServers servers = new PageServers(directory);
        List<String> blocks = blocks("## BIND");
        servers.open(() -> {
            servers.bind("primary", servers.primary(), blocks.get(0));
            servers.awaitZone(servers.primary());
            String key = blocks.get(0).lines().findFirst().orElseThrow();
            servers.bind("secondary", servers.secondary(), key + "\noptions { directory \".\"; };\n" + blocks.get(1));
            servers.awaitZone(servers.secondary());
        });
        return servers;
    }

    /** BIND whose zone file includes another file, with a secondary. */
    public static PageServers bindWithFile(Path directory, Path names) throws IOException {
        PageServers servers = new PageServers(directory);
        String zone = blocks("## A file").get(0).replaceAll("(?m)^ +", "");
        List<String> blocks = blocks("## BIND");
        servers.open(() -> {
            Files.writeString(
                    servers.home("primary").resolve("db.example"),
                    zone.replace("/var/lib/ha-arbiter/names/db.example", names.toString())
                            .replace("10.0.9.53", "127.0.0.1"));
            // Without updates, which would make the file BIND's own.
            servers.bindIn("primary", servers.primary(), blocks.get(0).replaceAll("update-policy [^\\n]*", ""));
            servers.awaitZone(servers.primary());
            String key = blocks.get(0).lines().findFirst().orElseThrow();
            servers.bindIn("secondary", servers.secondary(), key + "\noptions { directory \".\"; };\n" + blocks.get(1));
            servers.awaitZone(servers.secondary());
        });
        return servers;
    }

    private void bind(String name, Endpoint endpoint, String block) throws IOException {
        zoneFile(name);
        bindIn(name, endpoint, block);
    }

    private void bindIn(String name, Endpoint endpoint, String block) throws IOException {
        Path home = home(name);
        String listen = "pid-file none; session-keyfile \"" + home + "/session.key\"; listen-on port " + endpoint.port()
                + " { 127.0.0.1; }; listen-on-v6 { none; };";
        Path conf = home.resolve("named.conf");
        Files.writeString(
                conf,
                "controls { };\n"
                        + block.replace("\"...\"", "\"" + SECRET + "\"")
                                .replaceFirst("directory \"[^\"]*\";", "directory \"" + home + "\"; " + listen)
                                .replace(
                                        "10.0.9.54;",
                                        "127.0.0.1 port " + secondary().port() + ";")
                                .replace(
                                        "10.0.9.53 key",
                                        "127.0.0.1 port " + primary().port() + " key"));
        start(name, List.of(program("named", "HA_NAMED", "bind"), "-g", "-4", "-n", "1", "-c", conf.toString()));
    }

    public static PageServers knot(Path directory) throws IOException {
        PageServers servers = new PageServers(directory);
        List<String> blocks = blocks("## Knot");
        String key = blocks.get(0).substring(0, blocks.get(0).indexOf("remote:"));
        servers.open(() -> {
            servers.knot("primary", servers.primary(), blocks.get(0));
            servers.awaitZone(servers.primary());
            servers.knot("secondary", servers.secondary(), key + blocks.get(1));
            servers.awaitZone(servers.secondary());
        });
        return servers;
    }

    private void knot(String name, Endpoint endpoint, String block) throws IOException {
        Path home = zoneFile(name);
        Files.createDirectories(home.resolve("database"));
        Files.createDirectories(home.resolve("run"));
        Path conf = home.resolve("knot.conf");
        Files.writeString(
                conf,
                "server:\n    rundir: " + home + "/run\n    listen: 127.0.0.1@" + endpoint.port()
                        + "\ndatabase:\n    storage: " + home + "/database\ntemplate:\n  - id: default\n    storage: "
                        + home + "\n"
                        + block.replace("secret: ...", "secret: " + SECRET)
                                .replace(
                                        "10.0.9.54@53",
                                        "127.0.0.1@" + secondary().port())
                                .replace(
                                        "10.0.9.53@53", "127.0.0.1@" + primary().port())
                                .replace("10.0.9.53", "127.0.0.1"));
        start(name, List.of(program("knotd", "HA_KNOTD", "knot"), "-c", conf.toString()));
    }

    public static PageServers powerDns(Path directory) throws IOException {
        PageServers servers = new PageServers(directory);
        List<String> blocks = blocks("## PowerDNS, signed updates");
        servers.open(() -> {
            List<String> commands =
                    new ArrayList<>(blocks.get(1).strip().lines().toList());
            commands.add("pdnsutil set-meta db.example ALSO-NOTIFY " + servers.secondary());
            servers.powerDns("primary", servers.primary(), blocks.get(0), true, commands);
            servers.awaitZone(servers.primary());
            servers.powerDns(
                    "secondary",
                    servers.secondary(),
                    blocks.get(0).replace("primary=yes\n", "secondary=yes\n"),
                    false,
                    blocks.get(2).strip().lines().toList());
            servers.awaitZone(servers.secondary());
        });
        return servers;
    }

    private void powerDns(String name, Endpoint endpoint, String settings, boolean loaded, List<String> commands)
            throws IOException {
        Path home = zoneFile(name);
        PowerDnsServers.database(home, "");
        Files.writeString(home.resolve("pdns.conf"), PowerDnsServers.settings(home, endpoint) + settings + "\n");
        if (loaded) {
            run(List.of("pdnsutil", "--config-dir=" + home, "load-zone", "db.example", home + "/db.example"));
        }
        for (String command : commands) {
            List<String> words = new ArrayList<>(List.of(command.strip()
                    .replace("SECRET", SECRET)
                    .replace("10.0.1.0/24 10.0.2.0/24", "127.0.0.0/8")
                    .replace("10.0.9.53", primary().toString())
                    .split(" ", -1)));
            words.add(1, "--config-dir=" + home);
            run(words);
        }
        PowerDnsServers.start(this, name, home);
    }

    private Path zoneFile(String name) throws IOException {
        Path home = home(name);
        if (name.equals("primary")) {
            Files.writeString(home.resolve("db.example"), ZONE_FILE);
        }
        return home;
    }

    private void awaitZone(Endpoint server) {
        await("the zone", () -> serial(server, PAGES_ZONE) > 0);
    }

    /** The indented blocks below a heading, in their order. */
    private static List<String> blocks(String heading) throws IOException {
        List<String> blocks = new ArrayList<>();
        StringBuilder block = new StringBuilder();
        boolean below = false;
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("#")) {
                below = line.equals(heading);
            } else if (below && line.startsWith("    ")) {
                block.append(line.substring(4)).append('\n');
            } else if (below && !line.isBlank() && !block.isEmpty()) {
                blocks.add(block.toString());
                block.setLength(0);
            } else if (below && line.isBlank() && !block.isEmpty()) {
                block.append('\n');
            }
        }
        if (!block.isEmpty()) {
            blocks.add(block.toString());
        }
        return blocks;
    }
}
