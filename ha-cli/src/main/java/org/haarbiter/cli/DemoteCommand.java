package org.haarbiter.cli;

import picocli.CommandLine.Command;

@Command(name = "demote", description = "Lets another member take over from the primary; the arbiter chooses the best.")
final class DemoteCommand extends SwitchCommand {
    @Override
    int run(AdminClient client) throws CliException {
        return perform(client, "demote", false, primary -> !primary.equals(member()));
    }
}
