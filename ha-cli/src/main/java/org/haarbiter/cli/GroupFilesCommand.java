package org.haarbiter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.PolicyChange;

/** What makes groups that which is written of them. */
abstract class GroupFilesCommand extends ArbiterCommand {

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

    /**
     * Changes what differs, and says it.
     *
     * @param dryRun only says it
     * @return the exit code
     */
    final int change(AdminClient client, SortedMap<String, GroupSettings> wanted, boolean dryRun, String why)
            throws CliException {
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
            summary(groups, dryRun);
        }
        return refused ? ExitCode.REFUSED : ExitCode.OK;
    }

    /** Of each group, all looked at before anything is changed. */
    private static SortedMap<String, GroupDifference> differences(
            AdminClient client, SortedMap<String, GroupSettings> wanted) throws CliException {
        TreeMap<String, GroupDifference> differences = new TreeMap<>();
        List<String> problems = new ArrayList<>();
        for (Map.Entry<String, GroupSettings> each : wanted.entrySet()) {
            String name = each.getKey();
            try {
                differences.put(name, GroupDifference.of(settings(client, name), each.getValue()));
            } catch (CliException e) {
                if (e.exitCode() != ExitCode.NOT_FOUND) {
                    throw e;
                }
                problems.add(String.valueOf(e.getMessage()));
            }
        }
        if (!problems.isEmpty()) {
            throw new CliException(ExitCode.NOT_FOUND, String.join("\n", problems) + "\nnothing was changed");
        }
        return differences;
    }

    /** Of a group as it is; one that isn't adopted has none, and counts as not found. */
    static GroupSettings settings(AdminClient client, String name) throws CliException {
        GroupSettings settings = client.read(client.get("/v1/groups/" + segment(name)), GroupView.class)
                .settings();
        if (settings == null) {
            throw new CliException(
                    ExitCode.NOT_FOUND,
                    "group '" + name + "' isn't adopted yet (hactl group show " + name + " says what it waits for)");
        }
        return settings;
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

    private void summary(List<Applied> groups, boolean dryRun) {
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
