package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.DnsView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.RecordsChange;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "dns",
        description = {
            "The zone: each authoritative server with what it doesn't show as it should, each name with its addresses, and records that were"
                    + " set by hand. With a group: its names only."
        },
        subcommands = {DnsCommand.Diff.class, DnsCommand.Repair.class, DnsCommand.Set.class, DnsCommand.Remove.class})
final class DnsCommand extends ArbiterCommand {

    private static final String GROUP = "Of this group only.";
    private static final String NAME = "The name, relative to the zone.";
    private static final String TYPE = "A, AAAA, CNAME, SRV or TXT.";
    private static final String REGION = "For the clients of this region only, instead of the answer for all others.";
    private static final long POLL_MILLIS = 200;

    @Parameters(paramLabel = "GROUP", arity = "0..1", description = GROUP)
    private @Nullable String group;

    @Override
    int run(AdminClient client) throws CliException {
        return show(client, path(group, false), DnsView.class, this::print);
    }

    private void print(DnsView view) {
        Paint paint = hactl().paint();
        if (view.zone().isEmpty()) {
            out().println("These masters keep no DNS (section 'dns' of their settings).");
            return;
        }
        out().println(paint.bold("Zone " + view.zone()) + ", kept by " + view.kept());
        printServers(view, paint);
        out().println();
        List<List<String>> rows = new ArrayList<>();
        for (DnsView.GroupNames of : view.groups()) {
            for (NamesView.Name name : of.names().wanted()) {
                rows.add(List.of(
                        name.name(),
                        name.addresses().isEmpty() ? "-" : String.join(", ", name.addresses()),
                        name.ttlSeconds() + " s",
                        of.group(),
                        Long.toString(of.names().epoch()),
                        of.names().state() + (name.rule().isEmpty() ? "" : ", " + name.rule())));
            }
        }
        for (DnsView.Records records : view.records()) {
            rows.add(List.of(
                    records.name(),
                    records.type() + " " + String.join(", ", records.values()),
                    records.ttlSeconds() + " s",
                    "-",
                    "-",
                    "by hand" + (records.region().isEmpty() ? "" : ", region " + records.region())));
        }
        out().print(paint.table(List.of("NAME", "HOLDS", "TTL", "GROUP", "EPOCH", "STATE"), rows));
    }

    private void printServers(DnsView view, Paint paint) {
        TreeMap<String, List<String>> wrong = new TreeMap<>();
        for (DnsView.GroupNames group : view.groups()) {
            for (NamesView.Server server : group.names().servers()) {
                List<String> sentences = wrong.computeIfAbsent(server.server(), s -> new ArrayList<>());
                if (!server.state().equals("matches")) {
                    sentences.add(group.group() + ": " + server.state() + ": " + server.detail());
                }
            }
        }
        wrong.forEach((server, sentences) -> {
            out().println("  " + server + "  "
                    + (sentences.isEmpty()
                            ? "shows everything as it should be"
                            : paint.problem("is wrong for " + sentences.size() + " of "
                                    + view.groups().size() + " groups")));
            sentences.forEach(sentence -> out().println("    ! " + sentence));
        });
    }

    private static String path(@Nullable String group, boolean readNow) {
        List<String> query = new ArrayList<>();
        if (group != null) {
            query.add("group=" + ArbiterCommand.segment(group));
        }
        if (readNow) {
            query.add("read=now");
        }
        return "/v1/dns" + (query.isEmpty() ? "" : "?" + String.join("&", query));
    }

    /** What is wrong with one server's answers. */
    private static List<String> differences(DnsView view) {
        List<String> lines = new ArrayList<>();
        for (DnsView.GroupNames group : view.groups()) {
            for (NamesView.Server server : group.names().servers()) {
                if (server.state().equals("unreachable")) {
                    lines.add(group.group() + "  " + server.server() + "  unreachable: " + server.detail());
                }
                for (NamesView.Difference difference : server.differences()) {
                    lines.add(group.group() + "  " + server.server() + "  " + difference.name() + "  wanted: "
                            + difference.wanted() + "  served: " + difference.served());
                }
            }
            if (group.names().servers().isEmpty() && !group.names().detail().isEmpty()) {
                lines.add(group.group() + "  " + group.names().detail());
            }
        }
        return lines;
    }

    @Command(
            name = "diff",
            description = {
                "Asks every authoritative server now, and prints what it serves beside what is wanted, a line for each name that differs."
                        + " Ends with 1 where one does, or where a server can't be asked."
            })
    static final class Diff extends ArbiterCommand {
        @Parameters(paramLabel = "GROUP", arity = "0..1", description = GROUP)
        private @Nullable String group;

        @Override
        int run(AdminClient client) throws CliException {
            String body = client.get(path(group, true));
            List<String> lines = differences(client.read(body, DnsView.class));
            if (hactl().forMachines()) {
                hactl().print(body);
            } else if (lines.isEmpty()) {
                out().println("no difference");
            } else {
                lines.forEach(out()::println);
            }
            return lines.isEmpty() ? ExitCode.OK : ExitCode.REFUSED;
        }
    }

    @Command(
            name = "repair",
            description = {
                "Sends the names of all groups to the DNS again, whatever it showed last, and waits until every server serves them."
            })
    static final class Repair extends ActCommand {
        @Parameters(paramLabel = "GROUP", arity = "0..1", description = GROUP)
        private @Nullable String group;

        @Option(names = "--wait", paramLabel = "SECONDS", description = "How long to wait for that (if not given: 30).")
        private int waitSeconds = 30;

        @Override
        int run(AdminClient client) throws CliException {
            if (waitSeconds < 1 || waitSeconds > 3_600) {
                throw new CliException(ExitCode.USAGE, "--wait: " + waitSeconds + " (must be 1 to 3600 seconds)");
            }
            CommandResult sent = send(client, "repair-dns", group == null ? "" : group, "", false);
            long end = System.nanoTime() + waitSeconds * 1_000_000_000L;
            List<String> left = left(client);
            while (!left.isEmpty()) {
                if (System.nanoTime() - end > 0) {
                    throw new CliException(
                            ExitCode.INCOMPLETE,
                            "sent, and not served everywhere within " + waitSeconds + " s:\n"
                                    + String.join("\n", left));
                }
                pause(POLL_MILLIS, sent.sentence());
                left = left(client);
            }
            if (!hactl().forMachines()) {
                out().println("served by every server");
            }
            return ExitCode.OK;
        }

        private List<String> left(AdminClient client) throws CliException {
            DnsView view = client.read(client.get(path(group, true)), DnsView.class);
            return differences(view);
        }
    }

    @Command(
            name = "set",
            description = {
                "Puts records into the zone that the masters serve themselves, instead of those that the name has of this type. Records of"
                        + " groups and of traffic classes come by themselves."
            })
    static final class Set extends ActCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = NAME)
        private String name = "";

        @Parameters(index = "1", paramLabel = "TYPE", description = TYPE)
        private String type = "";

        @Parameters(
                index = "2..*",
                paramLabel = "VALUE",
                arity = "1..*",
                description =
                        "As in a zone file: an address; a host name; for SRV 'PRIORITY WEIGHT PORT HOST'; for TXT the text itself.")
        private List<String> values = new ArrayList<>();

        @Option(
                names = "--ttl",
                paramLabel = "SECONDS",
                description = "For how long resolvers may keep them (if not given: 60).")
        private int ttlSeconds = 60;

        @Option(names = "--region", paramLabel = "REGION", description = REGION)
        private String region = "";

        @Override
        int run(AdminClient client) throws CliException {
            send(client, "set-records", new RecordsChange(name, type, region, ttlSeconds, values));
            return ExitCode.OK;
        }
    }

    @Command(name = "remove", description = "Takes records out of the zone that were set by hand.")
    static final class Remove extends ActCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = NAME)
        private String name = "";

        @Parameters(index = "1", paramLabel = "TYPE", description = TYPE)
        private String type = "";

        @Option(names = "--region", paramLabel = "REGION", description = REGION)
        private String region = "";

        @Override
        int run(AdminClient client) throws CliException {
            send(client, "remove-records", new RecordsChange(name, type, region, 0, List.of()));
            return ExitCode.OK;
        }
    }
}
