package org.haarbiter.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all commands have in common, those that need no masters too. */
abstract class HactlCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    final Hactl hactl() {
        CommandSpec own = spec;
        if (own == null) {
            throw new IllegalStateException("picocli hasn't set the command up");
        }
        return (Hactl) own.root().userObject();
    }

    final PrintWriter out() {
        return hactl().surroundings().out();
    }

    /** Does it, and returns the exit code. */
    @Override
    public abstract Integer call() throws CliException;

    /** What the masters said to a command, accepted or refused; {@code body} is the API's own answer. */
    record Judged(CommandResult result, String body) {}

    /** Sends a command. */
    static Judged judge(AdminClient client, CommandRequest request) throws CliException {
        AdminClient.Answer answer = client.post("/v1/commands", request);
        return new Judged(client.read(answer.body(), CommandResult.class), answer.body());
    }
}
