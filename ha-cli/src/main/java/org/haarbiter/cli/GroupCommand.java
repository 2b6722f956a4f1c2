package org.haarbiter.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.admin.ExpectedView;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.admin.StatusView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "group",
        description = "Lists groups, shows one, changes what one or many promise, or forgets one that was announced.",
        subcommands = {
            GroupCommand.ListAll.class,
            GroupCommand.Show.class,
            GroupCommand.Set.class,
            GroupApplyCommand.class,
            GroupEditCommand.class,
            GroupCommand.Forget.class
        })
final class GroupCommand extends CommandOfCommands {

    GroupCommand() {
        super(
                "which one? hactl group list, hactl group show GROUP, hactl group set GROUP, hactl group apply -f FILE, hactl group edit GROUP, or"
                        + " hactl group forget GROUP");
    }

    static String table(Paint paint, List<GroupSummary> groups) {
        List<List<String>> rows = new ArrayList<>();
        for (GroupSummary group : groups) {
            rows.add(List.of(
                    group.name(),
                    Paint.orDash(group.engine()),
                    group.state(),
                    Paint.orDash(group.primary()),
                    Paint.orDash(group.primaryAddress()),
                    Long.toString(group.epoch()),
                    group.healthyMembers() + "/" + group.members(),
                    Paint.duration(group.maxLagMillis()),
                    group.names()));
        }
        return rows.isEmpty()
                ? "No groups.\n"
                : paint.table(
                        List.of("GROUP", "ENGINE", "STATE", "PRIMARY", "ADDRESS", "EPOCH", "HEALTHY", "LAG", "DNS"),
                        rows);
    }

    @Command(name = "list", description = "One line a group.")
    static final class ListAll extends ArbiterCommand {
        @Override
        int run(AdminClient client) throws CliException {
            return show(client, "/v1/status", StatusView.class, status -> print(status.groups()));
        }

        private void print(List<GroupSummary> groups) {
            out().print(table(hactl().paint(), groups));
            for (GroupSummary group : groups) {
                if (!group.awaited().isEmpty()) {
                    out().println(group.name() + " is expected, and nothing is heard of the agents of "
                            + String.join(", ", group.awaited())
                            + " (start ha-agent beside these servers; hactl group show "
                            + group.name() + ")");
                }
            }
        }
    }

    @Command(
            name = "set",
            description = {
                "Changes what a group promises of acknowledged writes, and when it switches among many. What isn't given stays."
                        + " The arbiter brings the servers' settings in line."
            })
    static final class Set extends ActCommand {
        @Parameters(paramLabel = "GROUP", description = "The group's name.")
        private String group = "";

        @Mixin
        private PolicyOptions policy = new PolicyOptions();

        @Override
        int run(AdminClient client) throws CliException {
            PolicyChange change = policy.change();
            if (change.equals(PolicyChange.NONE)) {
                throw new CliException(
                        ExitCode.USAGE,
                        "nothing to change: give --durability, --max-lag-millis, --max-lag-transactions,"
                                + " --on-no-acknowledger or --priority");
            }
            send(client, "set-policy", group, "", false, "", change);
            return ExitCode.OK;
        }
    }

    @Command(
            name = "forget",
            description = {
                "Takes back what hactl import announced of a group that isn't adopted yet: it is adopted by what its agents report"
                        + " then. An adopted group can't be forgotten."
            })
    static final class Forget extends ActCommand {
        @Parameters(paramLabel = "GROUP", description = "The group's name.")
        private String group = "";

        @Override
        int run(AdminClient client) throws CliException {
            send(client, "forget-group", group, "", false);
            return ExitCode.OK;
        }
    }

    @Command(name = "show", description = "Everything of one group: members, positions, permission, DNS.")
    static final class Show extends ArbiterCommand {
        @Parameters(paramLabel = "GROUP", description = "The group's name.")
        private String group = "";

        @Option(names = "--positions", description = "Positions in full.")
        private boolean positions;

        @Override
        int run(AdminClient client) throws CliException {
            return show(
                    client, "/v1/groups/" + segment(group), GroupView.class, view -> print(hactl(), view, positions));
        }

        static void print(Hactl hactl, GroupView view, boolean positions) {
            PrintWriter out = hactl.surroundings().out();
            Paint paint = hactl.paint();
            out.println(paint.bold("Group " + view.name()) + ": " + paint.state(view.state())
                    + (view.primary().isEmpty()
                            ? ""
                            : ", primary " + view.primary() + ", epoch " + view.epoch() + ", " + view.durability()));
            if (!view.problems().isEmpty()) {
                out.println(paint.bold("PROBLEMS"));
                view.problems().forEach(problem -> out.println("  ! " + paint.problem(problem)));
            }
            ExpectedView expected = view.expected();
            if (expected != null) {
                out.println("Expected:        " + expected.engine() + " at " + String.join(", ", expected.members())
                        + ", to be " + expected.durability() + " (" + expected.by() + ": " + expected.reason() + ")");
                out.println("Missing agents:  "
                        + (expected.awaited().isEmpty()
                                ? "none"
                                : String.join(", ", expected.awaited()) + " (start ha-agent beside these servers)"));
            }
            if (!view.phase().equals("steady") && !view.phase().equals("none")) {
                out.println("Phase:           " + view.phase() + " for " + Paint.duration(view.phaseMillis()) + ": "
                        + view.phaseDetail());
            }
            if (!view.durability().isEmpty()) {
                out.println(
                        "Acknowledgement: " + view.acknowledgement() + " (wanted: " + view.acknowledgersWanted() + ")");
                out.println("Without masters: "
                        + (view.peers().isEmpty()
                                ? "the primary would be fenced"
                                : "the primary goes on while the agents of " + String.join(", ", view.peers())
                                        + " permit it"));
                out.println("Agent lost:      " + view.agentLost());
            }
            out.println();
            out.print(paint.table(
                    List.of(
                            "MEMBER",
                            "SITE",
                            "ADDRESS",
                            "ROLE",
                            "STATE",
                            "WRITES",
                            "LAG",
                            "BEHIND",
                            "TO APPLY",
                            "HEARD",
                            "PERMISSION"),
                    view.members().stream().map(m -> row(m, view.unit())).toList()));
            if (positions) {
                out.println();
                view.members()
                        .forEach(m -> out.println(m.name() + " holds " + Paint.orDash(m.received()) + ", applied "
                                + Paint.orDash(m.applied())));
            }
            print(out, paint, view.names());
        }

        private static List<String> row(MemberView m, String unit) {
            return List.of(
                    m.name(),
                    Paint.orDash(m.site()),
                    Paint.orDash(m.address()),
                    m.role(),
                    m.state(),
                    writes(m),
                    Paint.duration(m.lagMillis()),
                    counted(m.transactionsBehind(), unit),
                    counted(m.transactionsToApply(), unit),
                    m.heardMillisAgo() < 0 ? "never" : Paint.duration(m.heardMillisAgo()) + " ago",
                    m.leaseEndsMillis() > 0 ? "ends in " + Paint.duration(m.leaseEndsMillis()) : "-");
        }

        private static String counted(long count, String unit) {
            return count < 0
                    ? "-"
                    : count
                            + switch (unit) {
                                case "bytes" -> " B";
                                case "messages" -> " msg";
                                default -> " trx";
                            };
        }

        private static String writes(MemberView m) {
            if (m.state().equals("silent")) {
                return "?";
            }
            if (m.openEpoch() > 0) {
                return "open@" + m.openEpoch();
            }
            if (m.writable()) {
                return "WRITABLE";
            }
            if (m.sealedEpoch() > 0) {
                return "sealed@" + m.sealedEpoch();
            }
            return m.fencedEpoch() > 0 ? "fenced@" + m.fencedEpoch() : "read-only";
        }

        private static void print(PrintWriter out, Paint paint, NamesView names) {
            if (names.state().equals("none")) {
                return;
            }
            out.println();
            out.println("DNS: " + paint.state(names.state()) + ", epoch " + names.publishedEpoch() + " on every server"
                    + (names.detail().isEmpty() ? "" : ": " + names.detail()));
            for (NamesView.Name name : names.wanted()) {
                out.println("  " + name.name() + " -> "
                        + (name.addresses().isEmpty() ? "(no address)" : String.join(", ", name.addresses())) + " (ttl "
                        + name.ttlSeconds() + " s)"
                        + (name.rule().isEmpty() ? "" : ", " + name.rule()));
            }
            for (NamesView.Server server : names.servers()) {
                out.println("  " + server.server() + " " + paint.state(server.state())
                        + (server.detail().isEmpty() ? "" : ": " + server.detail()));
            }
        }
    }
}
