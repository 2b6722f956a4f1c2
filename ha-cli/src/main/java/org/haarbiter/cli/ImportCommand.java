package org.haarbiter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.settings.Credentials;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description = "Takes groups over from somewhere else.",
        subcommands = {ImportCommand.FromSentinel.class})
final class ImportCommand extends CommandOfCommands {

    ImportCommand() {
        super("from where? hactl import sentinel HOST:PORT");
    }

    @Command(
            name = "sentinel",
            description = {
                "Reads the groups of a Redis Sentinel and says what becomes of them here, what is wrong, and how to move over. With"
                        + " --apply the masters expect them: each is adopted once the agents of all its servers report. Without it"
                        + " nothing is changed, and no master is needed. The Sentinel is only read in either case."
            })
    static final class FromSentinel extends HactlCommand {
        @Parameters(paramLabel = "HOST:PORT", description = "A Sentinel; the others are found by it.")
        private String sentinel = "";

        @Option(names = "--apply", description = "Have the masters expect the groups.")
        private boolean apply;

        @Option(
                names = "--group",
                paramLabel = "NAME,...",
                split = ",",
                description = "Only these groups; may be given more than once.")
        private List<String> names = new ArrayList<>();

        @Mixin
        private PolicyOptions policy = new PolicyOptions();

        @Option(
                names = "--credentials-file",
                paramLabel = "FILE",
                description = {
                    "'user:' and 'password:' of the Sentinels, readable by its owner only; the user of requirepass is 'default'."
                })
        private @Nullable Path credentialsFile;

        @Option(
                names = "--agents",
                paramLabel = "DIR",
                description =
                        "Write the settings of each server's agent to DIR/GROUP/HOST-PORT/ha-agent.yaml; none may be there.")
        private @Nullable Path agents;

        @Option(
                names = "--profile",
                paramLabel = "WORD",
                description = "With --agents: the masters' timing profile, where it isn't the one that fits best.")
        private @Nullable String profile;

        @Option(
                names = "--site",
                paramLabel = "NAME",
                defaultValue = "main",
                description = "With --agents: the servers' data centre (default: ${DEFAULT-VALUE}).")
        private String site = "main";

        @Option(
                names = "--reason",
                paramLabel = "TEXT",
                description =
                        "With --apply: why; it is written into the switch log (default: that they were imported).")
        private @Nullable String reason;

        @Override
        public Integer call() throws CliException {
            Endpoint asked = asked();
            checkWords();
            Credentials login = login();
            List<WatchedGroup> watched =
                    chosen(asked, new SentinelReader(asked, login, hactl().limitMillis()).groups());
            List<ImportedGroup> groups = watched.stream()
                    .map(group -> ImportedGroup.of(group, watched, asked, policy.change()))
                    .toList();
            String fitting = profile != null ? profile : fitting(groups);
            List<ImportedGroup> importable =
                    groups.stream().filter(ImportedGroup::importable).toList();
            // Before anything is changed: a file that is in the way is found now.
            AgentFiles planned = agents == null ? null : new AgentFiles(agents, importable, masters(), fitting, site);
            SentinelImport found = new SentinelImport(
                    asked.toString(),
                    fitting,
                    groups,
                    SentinelImport.steps(asked.toString(), fitting, importable),
                    List.of(),
                    List.of(),
                    List.of());
            if (!hactl().forMachines()) {
                print(found);
            }
            List<String> applied = new ArrayList<>();
            List<String> refused = new ArrayList<>();
            if (apply) {
                announce(groups, applied, refused);
            }
            List<String> written = planned == null ? List.of() : planned.write(refused);
            if (hactl().forMachines()) {
                hactl().print(json(new SentinelImport(
                        found.sentinel(), fitting, groups, found.steps(), applied, refused, written)));
            } else {
                written.forEach(file -> out().println("written: " + file));
                if (!apply) {
                    out().println("Nothing was changed. --apply announces the groups to the masters.");
                }
            }
            if (!refused.isEmpty()) {
                throw new CliException(
                        ExitCode.REFUSED,
                        "refused: " + String.join(", ", refused) + " (" + (groups.size() - refused.size()) + " of "
                                + groups.size() + " groups are expected by the masters now)");
            }
            return ExitCode.OK;
        }

        private Endpoint asked() throws CliException {
            try {
                return Endpoint.parse(sentinel);
            } catch (IllegalArgumentException e) {
                throw new CliException(ExitCode.USAGE, "the Sentinel's address: " + e.getMessage());
            }
        }

        private void checkWords() throws CliException {
            List<String> profiles = List.of("fast", "normal", "wide");
            if (profile != null && !profiles.contains(profile)) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--profile: '" + profile + "' (must be one of " + String.join(", ", profiles) + ")");
            }
            if (!Section.NAME.matcher(site).matches()) {
                throw new CliException(
                        ExitCode.USAGE, "--site: '" + site + "' (must be letters, digits, '.', '_' or '-')");
            }
            if (reason != null && reason.isBlank()) {
                throw new CliException(ExitCode.USAGE, "--reason: empty (must say why, for the switch log)");
            }
        }

        private @Nullable Credentials login() throws CliException {
            if (credentialsFile == null) {
                return null;
            }
            try {
                return Credentials.read(credentialsFile);
            } catch (SettingsException e) {
                throw new CliException(ExitCode.USAGE, "--credentials-file: " + e.getMessage());
            }
        }

        private List<WatchedGroup> chosen(Endpoint asked, List<WatchedGroup> all) throws CliException {
            List<String> known = all.stream().map(WatchedGroup::name).toList();
            Set<String> wanted = new LinkedHashSet<>(names);
            for (String name : wanted) {
                if (!known.contains(name)) {
                    throw new CliException(
                            ExitCode.NOT_FOUND,
                            "--group: the Sentinel " + asked + " watches no group '" + name + "' ("
                                    + (known.isEmpty() ? "it watches none" : "known: " + String.join(", ", known))
                                    + ")");
                }
            }
            if (known.isEmpty()) {
                throw new CliException(
                        ExitCode.NOT_FOUND, "the Sentinel " + asked + " watches no group (see SENTINEL MASTERS)");
            }
            return all.stream()
                    .filter(group -> wanted.isEmpty() || wanted.contains(group.name()))
                    .toList();
        }

        /** One profile goes for all groups: the one for the least patient. */
        private static String fitting(List<ImportedGroup> groups) {
            return groups.stream()
                    .map(group -> Timing.Profile.valueOf(group.profile().toUpperCase(Locale.ROOT)))
                    .min(Comparator.naturalOrder())
                    .map(ImportedGroup::word)
                    .orElse("normal");
        }

        /** Where the masters listen for agents; empty, and said so, where that isn't known. */
        private List<String> masters() throws CliException {
            List<MasterView> known;
            try {
                AdminClient client = hactl().client();
                known = client.read(client.get("/v1/masters?local=true"), MastersView.class)
                        .masters();
            } catch (CliException e) {
                if (apply) {
                    throw e;
                }
                hactl().surroundings()
                        .err()
                        .println(
                                "hactl: 'masters' is left empty in the agents' settings, since the masters weren't asked: "
                                        + e.getMessage());
                return List.of();
            }
            return known.stream()
                    .map(MasterView::agents)
                    .filter(address -> !address.isEmpty())
                    .toList();
        }

        private void announce(List<ImportedGroup> groups, List<String> applied, List<String> refused)
                throws CliException {
            AdminClient client = hactl().client();
            String why = reason == null ? "imported from the Redis Sentinel " + sentinel : reason.strip();
            for (ImportedGroup group : groups) {
                String sentence;
                boolean accepted = false;
                if (group.importable()) {
                    Judged judged = judge(
                            client,
                            new CommandRequest(
                                    "expect-group",
                                    group.name(),
                                    "",
                                    false,
                                    "",
                                    group.policy(),
                                    group.expected(),
                                    null,
                                    null,
                                    null,
                                    hactl().surroundings().user(),
                                    why));
                    sentence = judged.result().sentence();
                    accepted = judged.result().accepted();
                } else {
                    sentence = group.problems().get(0);
                }
                applied.add(sentence);
                if (!accepted) {
                    refused.add(group.name());
                }
                if (!hactl().forMachines()) {
                    out().println((accepted ? "applied: " : "refused: " + group.name() + ": ") + sentence);
                }
            }
        }

        private static String json(SentinelImport found) throws CliException {
            try {
                return new ObjectMapper().writeValueAsString(found);
            } catch (JsonProcessingException e) {
                throw new CliException(ExitCode.USAGE, "can't be written as JSON: " + e.getOriginalMessage());
            }
        }

        // For people

        private void print(SentinelImport found) {
            Paint paint = hactl().paint();
            out().println("Read from the Sentinel " + found.sentinel() + ": "
                    + String.join(
                            ", ",
                            found.groups().stream().map(ImportedGroup::name).toList()));
            for (ImportedGroup group : found.groups()) {
                print(paint, group);
            }
            out().println();
            out().println(paint.bold("MOVING OVER"));
            int number = 0;
            for (String step : found.steps()) {
                out().println(step.startsWith(" ") ? "   " + step : ++number + ". " + step);
            }
            out().println();
        }

        private void print(Paint paint, ImportedGroup group) {
            out().println();
            out().println(paint.bold("Group " + group.name()) + ": primary " + group.primary());
            if (!group.problems().isEmpty()) {
                out().println(paint.bold("PROBLEMS"));
                group.problems().forEach(problem -> out().println("  ! " + paint.problem(problem)));
            }
            List<List<String>> rows = new ArrayList<>();
            for (ImportedGroup.MemberOfSentinel member : group.members()) {
                rows.add(List.of(
                        member.address(),
                        member.role(),
                        member.state(),
                        member.priority() < 0
                                ? "-"
                                : member.priority() == 0 ? "0 (never promoted)" : Long.toString(member.priority())));
            }
            out().print(paint.table(List.of("ADDRESS", "ROLE", "STATE", "PRIORITY"), rows));
            out().println("Sentinel's settings become:");
            group.settings()
                    .forEach(setting ->
                            out().println("  " + setting.setting() + " " + setting.value() + ": " + setting.here()));
            out().println("Group settings:");
            group.yaml().lines().forEach(line -> out().println("  " + line));
        }
    }
}
