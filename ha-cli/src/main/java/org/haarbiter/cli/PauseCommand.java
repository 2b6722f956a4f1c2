package org.haarbiter.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

@Command(
        name = "pause",
        description = "Stops everything automatic, for a group or the whole fleet. Commands still work.")
final class PauseCommand extends ActCommand {
    @ArgGroup(multiplicity = "1")
    private @Nullable GroupOrFleet which;

    @Override
    int run(AdminClient client) throws CliException {
        send(client, "pause", GroupOrFleet.group(which, client), "", false);
        return ExitCode.OK;
    }
}
