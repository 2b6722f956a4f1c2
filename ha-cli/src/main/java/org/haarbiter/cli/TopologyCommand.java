package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "topology",
        description =
                "Who replicates from whom in a group, as a tree; below it who is configured to follow nobody of the group.")
final class TopologyCommand extends ArbiterCommand {
    private static final String STEP = "  ";

    @Parameters(paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Override
    int run(AdminClient client) throws CliException {
        return show(client, "/v1/groups/" + segment(group), GroupView.class, this::print);
    }

    private void print(GroupView view) {
        Paint paint = hactl().paint();
        out().println(paint.bold("Group " + view.name()) + ": " + paint.state(view.state())
                + (view.primary().isEmpty() ? "" : ", epoch " + view.epoch() + ", " + view.durability()));
        List<List<String>> rows = new ArrayList<>();
        TreeSet<String> shown = new TreeSet<>();
        for (MemberView member : view.members()) {
            if (member.name().equals(view.primary())) {
                add(view, member, 0, rows, shown);
            }
        }
        int attached = rows.size();
        // The heads of other trees, and then whoever follows in a ring.
        for (MemberView member : view.members()) {
            if (sourceOf(view, member) == null) {
                add(view, member, 0, rows, shown);
            }
        }
        for (MemberView member : view.members()) {
            add(view, member, 0, rows, shown);
        }
        out().print(paint.table(List.of("MEMBER", "SITE", "ADDRESS", "ROLE", "STATE", "FROM ITS SOURCE", "LAG"), rows));
        if (attached > 0 && attached < rows.size()) {
            out().println((rows.size() - attached) + " of " + rows.size() + " aren't in the tree of the primary, "
                    + view.primary());
        }
    }

    private static void add(
            GroupView view, MemberView member, int depth, List<List<String>> rows, TreeSet<String> shown) {
        if (!shown.add(member.name())) {
            return;
        }
        rows.add(List.of(
                (depth == 0 ? "" : STEP.repeat(depth - 1) + "+ ") + member.name(),
                Paint.orDash(member.site()),
                Paint.orDash(member.address()),
                member.role(),
                member.state(),
                replication(member),
                Paint.duration(member.lagMillis())));
        for (MemberView other : view.members()) {
            MemberView source = sourceOf(view, other);
            if (source != null && source.name().equals(member.name())) {
                add(view, other, depth + 1, rows, shown);
            }
        }
    }

    private static String replication(MemberView member) {
        if (member.source().isEmpty()) {
            return "-";
        }
        if (member.state().equals("silent")) {
            return "?";
        }
        return member.receiving()
                ? member.applying() ? "receives, applies" : "receives, doesn't apply"
                : member.applying() ? "doesn't receive, applies" : "stopped";
    }

    private static @org.jspecify.annotations.Nullable MemberView sourceOf(GroupView view, MemberView member) {
        return view.members().stream()
                .filter(other -> !member.source().isEmpty()
                        && !other.name().equals(member.name())
                        && (other.address().equals(member.source())
                                || other.name().equals(member.source())))
                .findFirst()
                .orElse(null);
    }
}
