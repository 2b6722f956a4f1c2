package org.haarbiter.cli;

import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.StatusView;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "watch",
        description = {
            "Shows what hactl status shows, or hactl group show GROUP, again and again until it is interrupted; also while no master can be"
                    + " reached. On a terminal each picture takes the place of the one before."
        })
final class WatchCommand extends ArbiterCommand {
    private static final String CLEARED = "\u001b[H\u001b[2J";

    @Parameters(paramLabel = "GROUP", arity = "0..1", description = "Only this group, in full.")
    private @Nullable String group;

    @Option(
            names = "--every",
            paramLabel = "SECONDS",
            defaultValue = "2",
            description = "From one picture to the next, 0.1 to 3600 (default: ${DEFAULT-VALUE}).")
    private double everySeconds;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Ends after so many pictures, with the last one's exit code; 0: never (default: ${DEFAULT-VALUE}).")
    private int count;

    @Override
    int run(AdminClient client) throws CliException {
        if (!(everySeconds >= 0.1 && everySeconds <= 3_600)) {
            throw new CliException(ExitCode.USAGE, "--every: " + everySeconds + " (must be 0.1 to 3600 seconds)");
        }
        if (count < 0) {
            throw new CliException(ExitCode.USAGE, "--count: " + count + " (must be 0 or more)");
        }
        int code = ExitCode.OK;
        for (int picture = 0; count == 0 || picture < count; picture++) {
            if (picture > 0) {
                ActCommand.pause((long) (everySeconds * 1_000), "nothing is watched any more");
            }
            code = picture(client, picture == 0);
            out().flush();
            if (out().checkError()) {
                return code; // whoever read it has gone
            }
        }
        return code;
    }

    private int picture(AdminClient client, boolean first) throws CliException {
        if (!hactl().forMachines()) {
            boolean terminal = hactl().surroundings().terminal();
            out().print(terminal ? CLEARED : first ? "" : "\n");
            out().println("At " + LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + ", every "
                    + everySeconds + " s" + (terminal ? "; Ctrl-C ends it" : ""));
            out().println();
        }
        String wanted = group;
        try {
            return wanted == null
                    ? show(client, "/v1/status", StatusView.class, status -> StatusCommand.print(hactl(), status))
                    : show(
                            client,
                            "/v1/groups/" + segment(wanted),
                            GroupView.class,
                            view -> GroupCommand.Show.print(hactl(), view, false));
        } catch (CliException e) {
            if (e.exitCode() != ExitCode.UNREACHABLE) {
                throw e;
            }
            hactl().surroundings().err().println("hactl: " + e.getMessage());
            hactl().surroundings().err().flush();
            return e.exitCode();
        }
    }
}
