package org.haarbiter.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.StatusView;
import picocli.CommandLine.Command;

@Command(name = "status", description = "The fleet at a glance: problems first, then masters and groups.")
final class StatusCommand extends ArbiterCommand {

    @Override
    int run(AdminClient client) throws CliException {
        return show(client, "/v1/status", StatusView.class, status -> print(hactl(), status));
    }

    static void print(Hactl hactl, StatusView status) {
        PrintWriter out = hactl.surroundings().out();
        Paint paint = hactl.paint();
        List<String> problems = new ArrayList<>(status.problems());
        for (GroupSummary group : status.groups()) {
            group.problems().forEach(problem -> problems.add(group.name() + ": " + problem));
        }
        if (!problems.isEmpty()) {
            out.println(paint.bold("PROBLEMS"));
            problems.forEach(problem -> out.println("  ! " + paint.problem(problem)));
            out.println();
        }
        out.println("Arbiter " + status.cluster() + ": "
                + (status.leader().isEmpty() ? "no leader" : "leader " + status.leader()) + ", term " + status.term()
                + ", log index " + status.appliedIndex() + " (answered by " + status.answeredBy() + ")");
        out.println();
        List<List<String>> masters = new ArrayList<>();
        for (MasterView master : status.masters()) {
            masters.add(
                    List.of(master.name(), master.state(), Paint.orDash(master.raft()), Paint.orDash(master.admin())));
        }
        out.print(paint.table(List.of("MASTER", "STATE", "RAFT", "ADMIN"), masters));
        out.println();
        out.print(GroupCommand.table(paint, status.groups()));
    }
}
