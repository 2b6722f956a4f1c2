package org.haarbiter.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "ack",
        description = {
            "Acknowledges that a group has failed over by itself. It needn't wait any more before it does so again."
        })
final class AckCommand extends ActCommand {
    @Parameters(paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Override
    int run(AdminClient client) throws CliException {
        send(client, "ack", group, "", false);
        return ExitCode.OK;
    }
}
