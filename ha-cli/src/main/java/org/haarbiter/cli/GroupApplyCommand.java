package org.haarbiter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.settings.SettingsException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "apply",
        description = {
            "Makes groups what files say of them, and says what changes. What a file doesn't say stays, and so do groups that it doesn't"
                    + " name. All mistakes of all files are reported at once; with any, nothing is changed."
        })
final class GroupApplyCommand extends ArbiterCommand {
    private static final String ENDING = ".yaml";

    /**
     * What became of a group.
     *
     * @param name the group
     * @param changes what differs from the files
     * @param refused why the masters took a change, or a part of it, no further; empty where they did, or weren't asked
     */
    record Applied(String name, List<GroupDifference.Line> changes, String refused) {}

    /**
     * Of all files.
     *
     * @param groups by name
     * @param applied whether the masters were asked to change anything
     */
    record Outcome(List<Applied> groups, boolean applied) {}

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "FILE",
            description = "Groups in YAML, or a directory of such files, whose names end with .yaml; may be repeated.")
    private List<Path> files = List.of();

    @Option(names = "--dry-run", description = "Only say what would change.")
    private boolean dryRun;

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            description = "Why; it is written into the switch log. Needed unless --dry-run is given.")
    private @Nullable String reason;

    @Override
    int run(AdminClient client) throws CliException {
        String why = reason == null ? "" : reason.strip();
        if (!dryRun && why.isEmpty()) {
            throw new CliException(
                    ExitCode.USAGE, "--reason: missing (must say why, for the switch log; or give --dry-run)");
        }
        SortedMap<String, GroupSettings> wanted;
        try {
            wanted = GroupFile.read(filesOf(files));
        } catch (SettingsException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
        }
        List<Applied> groups = new ArrayList<>();
        boolean refused = false;
        for (Map.Entry<String, GroupDifference> each :
                differences(client, wanted).entrySet()) {
            String problem = dryRun ? "" : apply(client, each.getKey(), each.getValue(), why);
            refused |= !problem.isEmpty();
            Applied applied = new Applied(each.getKey(), each.getValue().lines(), problem);
            groups.add(applied);
            if (!hactl().forMachines()) {
                print(applied);
            }
        }
        if (hactl().forMachines()) {
            hactl().print(json(new Outcome(groups, !dryRun)));
        } else {
            summary(groups);
        }
        return refused ? ExitCode.REFUSED : ExitCode.OK;
    }

    private static List<Path> filesOf(List<Path> given) throws CliException {
        List<Path> found = new ArrayList<>();
        for (Path path : given) {
            if (!Files.isDirectory(path)) {
                found.add(path);
                continue;
            }
            int before = found.size();
            try (Stream<Path> entries = Files.list(path)) {
                entries.filter(entry -> entry.toString().endsWith(ENDING))
                        .sorted()
                        .forEach(found::add);
            } catch (IOException e) {
                throw new CliException(ExitCode.USAGE, path + ": can't be listed: " + e);
            }
            if (found.size() == before) {
                throw new CliException(
                        ExitCode.USAGE, path + ": no file in it ends with " + ENDING + " (must be one at least)");
            }
        }
        return found;
    }

    /** Of each group, all looked at before anything is changed. */
    private static SortedMap<String, GroupDifference> differences(
            AdminClient client, SortedMap<String, GroupSettings> wanted) throws CliException {
        TreeMap<String, GroupDifference> differences = new TreeMap<>();
        List<String> problems = new ArrayList<>();
        int code = ExitCode.USAGE;
        for (Map.Entry<String, GroupSettings> each : wanted.entrySet()) {
            String name = each.getKey();
            GroupView view;
            try {
                view = client.read(client.get("/v1/groups/" + segment(name)), GroupView.class);
            } catch (CliException e) {
                if (e.exitCode() != ExitCode.NOT_FOUND) {
                    throw e;
                }
                problems.add(String.valueOf(e.getMessage()));
                code = ExitCode.NOT_FOUND;
                continue;
            }
            GroupSettings now = view.settings();
            if (now == null) {
                problems.add("group '" + name + "' isn't adopted yet (hactl group show " + name
                        + " says what it waits for)");
            } else {
                differences.put(name, GroupDifference.of(now, each.getValue()));
            }
        }
        if (!problems.isEmpty()) {
            throw new CliException(code, String.join("\n", problems) + "\nnothing was changed");
        }
        return differences;
    }

    /** Up to the first refusal, which is handed back; empty where there was none. */
    private String apply(AdminClient client, String group, GroupDifference difference, String why) throws CliException {
        List<CommandRequest> requests = new ArrayList<>();
        String user = hactl().surroundings().user();
        if (!difference.policy().equals(PolicyChange.NONE)) {
            requests.add(new CommandRequest("set-policy", group, "", false, "", difference.policy(), user, why));
        }
        // Those that go first: a group may have no room for both.
        for (String name : difference.removed()) {
            requests.add(ofClass("remove-class", group, new ClassChange(name, "", List.of(), ""), user, why));
        }
        for (ClassChange change : difference.set()) {
            requests.add(ofClass("set-class", group, change, user, why));
        }
        for (CommandRequest request : requests) {
            Judged judged = judge(client, request);
            if (!judged.result().accepted()) {
                return judged.result().sentence();
            }
        }
        return "";
    }

    private static CommandRequest ofClass(String action, String group, ClassChange change, String user, String why) {
        return new CommandRequest(action, group, "", false, "", null, null, change, null, null, user, why);
    }

    private void print(Applied group) {
        Paint paint = hactl().paint();
        if (!group.changes().isEmpty()) {
            out().println(paint.bold("Group " + group.name()));
            group.changes().forEach(line -> out().println("  " + line));
        }
        if (!group.refused().isEmpty()) {
            out().println("  ! " + paint.problem("refused: " + group.refused()));
        }
    }

    private void summary(List<Applied> groups) {
        long changing = groups.stream().filter(g -> !g.changes().isEmpty()).count();
        long refused = groups.stream().filter(g -> !g.refused().isEmpty()).count();
        out().println(groups.size() + " group(s): " + (changing - refused) + (dryRun ? " would change, " : " changed, ")
                + (groups.size() - changing) + " were so already"
                + (refused > 0
                        ? ", " + refused + " refused (the others stand as they are; mend the file and apply it again)"
                        : "")
                + (dryRun ? "; nothing was changed" : ""));
    }

    private static String json(Outcome outcome) throws CliException {
        try {
            return new ObjectMapper().writeValueAsString(outcome);
        } catch (JsonProcessingException e) {
            throw new CliException(ExitCode.USAGE, "can't be written as JSON: " + e.getOriginalMessage());
        }
    }
}
