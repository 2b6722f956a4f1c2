package org.haarbiter.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "pause",
        description = {
            "Stops everything automatic, for a group or the whole fleet. Commands still work. Given again it changes reason and end."
        })
final class PauseCommand extends ActCommand {
    @ArgGroup(multiplicity = "1")
    private @Nullable GroupOrFleet which;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            description = "It ends by itself after so long: 90s, 15m, 12h, 7d (if not given: hactl resume ends it).")
    private @Nullable String duration;

    @Override
    int run(AdminClient client) throws CliException {
        String given = duration;
        long forMillis = given == null ? 0 : Durations.millis("--for", given);
        if (given != null && forMillis == 0) {
            throw new CliException(ExitCode.USAGE, "--for: '" + given + "' (must be longer than nothing)");
        }
        pause(client, GroupOrFleet.group(which, client), forMillis);
        return ExitCode.OK;
    }
}
