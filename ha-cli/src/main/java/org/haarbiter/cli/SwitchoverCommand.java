package org.haarbiter.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "switchover",
        description = {
            "Moves the primary of a group that is well, and loses nothing: the candidate catches up while the primary writes on,"
                    + " then the primary refuses writes, and the candidate opens as soon as it holds all. Where it doesn't catch up"
                    + " in time the primary goes on."
        })
final class SwitchoverCommand extends SwitchCommand {
    @Option(
            names = "--to",
            paramLabel = "MEMBER",
            description = "Who takes over (default: the best electable replica).")
    private String to = "";

    @Override
    int run(AdminClient client) throws CliException {
        return perform(
                client,
                "switchover",
                to,
                false,
                (before, primary) -> to.isEmpty() ? !primary.equals(before) : primary.equals(to));
    }
}
