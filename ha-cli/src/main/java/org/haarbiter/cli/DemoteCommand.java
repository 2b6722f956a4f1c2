package org.haarbiter.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "demote", description = "Lets another member take over from the primary; the arbiter chooses the best.")
final class DemoteCommand extends SwitchCommand {
    @Parameters(index = "1", paramLabel = "MEMBER", description = "The member's name.")
    private String member = "";

    @Override
    int run(AdminClient client) throws CliException {
        return perform(client, "demote", member, false, (before, primary) -> !primary.equals(member));
    }
}
