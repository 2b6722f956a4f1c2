package org.haarbiter.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a pause is about. Picocli sees to it that exactly one is given. */
final class GroupOrFleet {
    @Parameters(index = "0", paramLabel = "GROUP", description = "The group's name.")
    private @Nullable String group;

    @Option(names = "--fleet", description = "Every group.")
    private boolean fleet;

    /** The group's name, which must be known; empty for the fleet. */
    static String group(@Nullable GroupOrFleet which, AdminClient client) throws CliException {
        if (which == null || which.fleet || which.group == null) {
            return "";
        }
        client.get("/v1/groups/" + ArbiterCommand.segment(which.group));
        return which.group;
    }
}
