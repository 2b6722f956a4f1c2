package org.haarbiter.cli;

import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "rebuild",
        description = {
            "Replaces all data of a member that is away by a copy of another's, and lets it follow. What only it holds is saved"
                    + " to a file beside its agent first. Asks first."
        })
final class RebuildCommand extends ActCommand {
    private static final long LOOK_MILLIS = 500;

    @Parameters(index = "0", paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Parameters(index = "1", paramLabel = "MEMBER", description = "The member whose data is replaced.")
    private String member = "";

    @Option(
            names = "--from",
            paramLabel = "MEMBER",
            description = "Whose copy (default: a replica at work, or the primary where there is none).")
    private String donor = "";

    @Option(
            names = {"-y", "--yes"},
            description = "Don't ask.")
    private boolean yes;

    @Option(
            names = "--wait",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Wait until it follows again, and tell how far it has come (the default).")
    private boolean wait;

    @Option(
            names = "--wait-limit",
            paramLabel = "SECONDS",
            defaultValue = "86400",
            description = "The longest to wait for that (default: ${DEFAULT-VALUE}).")
    private int waitLimitSeconds;

    @Override
    int run(AdminClient client) throws CliException {
        checkReason();
        if (waitLimitSeconds < 1 || waitLimitSeconds > 604_800) {
            throw new CliException(
                    ExitCode.USAGE, "--wait-limit: " + waitLimitSeconds + " (must be 1 to 604800 seconds)");
        }
        if (!yes) {
            confirm("All data of " + member + " is replaced by a copy.", member);
        }
        send(client, "rebuild", group, member, false, donor, null);
        return wait ? follow(client) : ExitCode.OK;
    }

    private int follow(AdminClient client) throws CliException {
        long deadline = System.nanoTime() + waitLimitSeconds * 1_000_000_000L;
        String said = "";
        while (true) {
            GroupView view = client.read(client.get("/v1/groups/" + segment(group)), GroupView.class);
            MemberView now = view.members().stream()
                    .filter(m -> m.name().equals(member))
                    .findFirst()
                    .orElseThrow(() -> new CliException(
                            ExitCode.NOT_FOUND, "no member '" + member + "' in group '" + group + "' any more"));
            if (now.role().equals("replica")) {
                if (!hactl().forMachines()) {
                    out().println(member + " follows " + view.primary());
                }
                return ExitCode.OK;
            }
            String progress = String.join("; ", now.problems());
            if (!hactl().forMachines() && !progress.equals(said)) {
                out().println("  " + progress);
                said = progress;
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new CliException(
                        ExitCode.INCOMPLETE,
                        member + " doesn't follow yet after " + waitLimitSeconds + " s: " + progress + " (hactl why "
                                + group + ")");
            }
            pause(LOOK_MILLIS, "the rebuild goes on (hactl group show " + group + ")");
        }
    }
}
