package org.haarbiter.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

@Command(name = "resume", description = "Ends a pause.")
final class ResumeCommand extends ActCommand {
    @ArgGroup(multiplicity = "1")
    private @Nullable GroupOrFleet which;

    @Override
    int run(AdminClient client) throws CliException {
        send(client, "resume", GroupOrFleet.group(which, client), "", false);
        return ExitCode.OK;
    }
}
