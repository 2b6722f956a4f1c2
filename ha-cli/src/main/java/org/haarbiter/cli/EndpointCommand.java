package org.haarbiter.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.settings.SettingsException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "endpoint",
        description = {
            "Groups of endpoints: addresses of something that isn't a database, which the masters check, and a DNS name that holds those"
                    + " that can be used."
        },
        subcommands = {
            EndpointCommand.ListAll.class,
            EndpointCommand.Show.class,
            EndpointCommand.Set.class,
            EndpointCommand.Remove.class,
            EndpointCommand.Drain.class,
            EndpointCommand.Undrain.class,
            EndpointCommand.Hold.class,
            EndpointCommand.Release.class
        })
final class EndpointCommand extends CommandOfCommands {

    private static final String NAME = "The group of endpoints, and its name in the DNS, relative to the zone.";
    private static final String ENDPOINT = "The endpoint's name in its group.";

    EndpointCommand() {
        super("which one? hactl endpoint list, show, set, remove, drain, undrain, hold or release");
    }

    @Command(name = "list", description = "All groups of endpoints, with how many of each are healthy.")
    static final class ListAll extends ArbiterCommand {
        @Override
        int run(AdminClient client) throws CliException {
            return show(client, "/v1/endpoints", EndpointsView.class, this::print);
        }

        private void print(EndpointsView view) {
            Paint paint = hactl().paint();
            List<List<String>> rows = new ArrayList<>();
            for (EndpointGroupView group : view.groups()) {
                long healthy = group.endpoints().stream()
                        .filter(endpoint -> endpoint.health().equals("healthy"))
                        .count();
                rows.add(List.of(
                        group.name(),
                        healthy + "/" + group.endpoints().size(),
                        group.endpoints().stream()
                                .filter(EndpointGroupView.EndpointView::served)
                                .map(EndpointGroupView.EndpointView::name)
                                .collect(Collectors.joining(", ")),
                        group.settings().mode(),
                        words(group.settings().check()),
                        group.problems().isEmpty()
                                ? "-"
                                : Integer.toString(group.problems().size())));
            }
            if (rows.isEmpty()) {
                out().println("There are no groups of endpoints (hactl endpoint set makes one).");
            } else {
                out().print(paint.table(List.of("NAME", "HEALTHY", "SERVED", "MODE", "CHECK", "PROBLEMS"), rows));
            }
        }
    }

    @Command(
            name = "show",
            description =
                    "One group: each endpoint, whether clients are sent to it, what each master finds of it, and who shares the traffic.")
    static final class Show extends ArbiterCommand {
        @Parameters(paramLabel = "NAME", description = NAME)
        private String name = "";

        @Override
        int run(AdminClient client) throws CliException {
            return show(client, "/v1/endpoints/" + ArbiterCommand.segment(name), EndpointGroupView.class, this::print);
        }

        private void print(EndpointGroupView view) {
            Paint paint = hactl().paint();
            EndpointsChange settings = view.settings();
            out().println(paint.bold("Endpoints " + view.name()) + ", mode " + settings.mode() + ", min-healthy "
                    + settings.minHealthy() + ", TTL " + settings.ttlSeconds() + " s");
            out().println("Check: " + words(settings.check()) + ", every "
                    + settings.check().intervalMillis() + " ms for "
                    + settings.check().timeoutMillis() + " ms at the most, rise "
                    + settings.check().rise() + ", fall " + settings.check().fall());
            view.problems().forEach(problem -> out().println("  ! " + paint.problem(problem)));
            out().println();
            List<List<String>> rows = new ArrayList<>();
            for (EndpointGroupView.EndpointView endpoint : view.endpoints()) {
                rows.add(List.of(
                        endpoint.name(),
                        endpoint.address(),
                        endpoint.site().isEmpty() ? "-" : endpoint.site(),
                        paint.state(endpoint.health()),
                        Paint.duration(Math.max(0, System.currentTimeMillis() - endpoint.sinceMillis())),
                        endpoint.served() ? "in" : "out",
                        endpoint.byHand().isEmpty() ? "-" : endpoint.byHand(),
                        percent(endpoint.sharePerMille()),
                        findings(endpoint)));
            }
            out().print(paint.table(
                    List.of("ENDPOINT", "ADDRESS", "SITE", "HEALTH", "FOR", "DNS", "BY HAND", "SHARE", "CHECKERS"),
                    rows));
            for (EndpointGroupView.EndpointView endpoint : view.endpoints()) {
                if (!endpoint.byHand().isEmpty()) {
                    out().println(endpoint.name() + " is " + endpoint.byHand() + " by " + endpoint.by() + ": "
                            + endpoint.reason());
                }
                for (EndpointGroupView.Finding finding : endpoint.findings()) {
                    if (finding.says().equals("unhealthy")) {
                        out().println(endpoint.name() + ", as " + finding.master() + " finds it: " + finding.detail());
                    }
                }
            }
            if (view.shares().size() > 1) {
                out().println();
                List<List<String>> regions = new ArrayList<>();
                view.shares()
                        .forEach((region, shares) -> regions.add(List.of(
                                region.isEmpty() ? "(no region)" : region,
                                shares.entrySet().stream()
                                        .map(share -> share.getKey() + " " + percent(share.getValue()))
                                        .collect(Collectors.joining(", ")))));
                out().print(paint.table(List.of("CLIENTS OF", "ARE SENT TO"), regions));
            }
        }

        private static String findings(EndpointGroupView.EndpointView endpoint) {
            return endpoint.findings().isEmpty()
                    ? "-"
                    : endpoint.findings().stream()
                            .map(finding -> finding.master() + " " + finding.says())
                            .collect(Collectors.joining(", "));
        }

        private static String percent(int perMille) {
            return perMille == 0 ? "-" : String.format(Locale.ROOT, "%d.%d %%", perMille / 10, perMille % 10);
        }
    }

    private static String words(EndpointsChange.Check check) {
        String kind = check.kind().toUpperCase(Locale.ROOT) + " port " + check.port();
        if (check.path().isEmpty()) {
            return kind + (check.host().isEmpty() ? "" : " as " + check.host());
        }
        return kind + " " + check.path() + (check.host().isEmpty() ? "" : " of " + check.host()) + ", status "
                + (check.expectedStatus() == 0 ? "200 to 399" : check.expectedStatus())
                + (check.expectedBody().isEmpty() ? "" : ", body with '" + check.expectedBody() + "'");
    }

    @Command(
            name = "set",
            description = {
                "Says what endpoints a name leads to, and how they are checked, as a file has it (docs/endpoints.md). A group that is there"
                        + " becomes as the file says; what is known of endpoints that stay is kept."
            })
    static final class Set extends ActCommand {
        @Parameters(paramLabel = "NAME", description = NAME)
        private String name = "";

        @Option(names = "--file", required = true, paramLabel = "FILE", description = "The group, in YAML.")
        private @Nullable Path file;

        @Override
        int run(AdminClient client) throws CliException {
            Path given = file;
            if (given == null) {
                throw new CliException(ExitCode.USAGE, "--file: missing (must be the group's file)");
            }
            EndpointsChange change;
            try {
                change = EndpointFile.read(given);
            } catch (SettingsException e) {
                throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
            }
            send(client, name, change);
            return ExitCode.OK;
        }
    }

    @Command(name = "remove", description = "Forgets a group of endpoints: its name goes from the DNS.")
    static final class Remove extends ActCommand {
        @Parameters(paramLabel = "NAME", description = NAME)
        private String name = "";

        @Override
        int run(AdminClient client) throws CliException {
            send(client, "remove-endpoints", name, "", false);
            return ExitCode.OK;
        }
    }

    /** An order about one endpoint. */
    abstract static class Order extends ActCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = NAME)
        private String name = "";

        @Parameters(index = "1", paramLabel = "ENDPOINT", description = ENDPOINT)
        private String endpoint = "";

        /** What is asked of the masters. */
        abstract String action();

        @Override
        int run(AdminClient client) throws CliException {
            send(client, action(), name, endpoint, false);
            return ExitCode.OK;
        }
    }

    @Command(
            name = "drain",
            description =
                    "Takes an endpoint out of the DNS, however healthy it is, until it is undrained. Refused where no other one is healthy.")
    static final class Drain extends Order {
        @Override
        String action() {
            return "drain-endpoint";
        }
    }

    @Command(name = "undrain", description = "Ends a drain: the endpoint is in again once it is healthy.")
    static final class Undrain extends Order {
        @Override
        String action() {
            return "undrain-endpoint";
        }
    }

    @Command(
            name = "hold",
            description =
                    "Keeps an endpoint in the DNS or out of it, as it is now, whatever the checks find, until it is released.")
    static final class Hold extends Order {
        /** As it is now without either. */
        static final class Where {
            @Option(names = "--in", description = "In, even if it is out now.")
            private boolean in;

            @Option(names = "--out", description = "Out, even if it is in now. Refused where no other one is healthy.")
            private boolean out;
        }

        @ArgGroup
        private @Nullable Where where;

        @Override
        String action() {
            Where given = where;
            if (given == null) {
                return "hold-endpoint";
            }
            return given.in && !given.out ? "hold-endpoint-in" : "hold-endpoint-out";
        }
    }

    @Command(name = "release", description = "Ends a hold: the checks decide again.")
    static final class Release extends Order {
        @Override
        String action() {
            return "release-endpoint";
        }
    }
}
