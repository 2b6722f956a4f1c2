package org.haarbiter.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "promote",
        description = {
            "Makes a member the primary: a planned switch that loses nothing where the present primary is well, a failover"
                    + " to it otherwise. In a group that isn't adopted it says which member is the primary."
        })
final class PromoteCommand extends SwitchCommand {

    @Parameters(index = "1", paramLabel = "MEMBER", description = "The member's name.")
    private String member = "";

    @Option(
            names = "--accept-data-loss",
            description = "Go on where it can't be proved that no acknowledged write is lost. Asks first.")
    private boolean acceptDataLoss;

    @Option(
            names = {"-y", "--yes"},
            description = "Don't ask.")
    private boolean yes;

    @Override
    int run(AdminClient client) throws CliException {
        checkReason();
        if (acceptDataLoss && !yes) {
            confirm("--accept-data-loss: writes that clients saw acknowledged may be lost for good.", group());
        }
        return perform(client, "promote", member, acceptDataLoss, (before, primary) -> primary.equals(member));
    }
}
