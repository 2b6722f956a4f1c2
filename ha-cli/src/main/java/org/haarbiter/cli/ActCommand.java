package org.haarbiter.cli;

import java.io.IOException;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import picocli.CommandLine.Option;

/** A manual act: it needs a reason, and goes into the switch log with who gave it. */
abstract class ActCommand extends ArbiterCommand {

    @Option(
            names = "--reason",
            required = true,
            paramLabel = "TEXT",
            description = "Why; it is written into the switch log.")
    private String reason = "";

    final void checkReason() throws CliException {
        if (reason.isBlank()) {
            throw new CliException(ExitCode.USAGE, "--reason: empty (must say why, for the switch log)");
        }
    }

    /** Sends it; a refusal ends the command. */
    final CommandResult send(AdminClient client, String action, String group, String member, boolean acceptDataLoss)
            throws CliException {
        return send(client, action, group, member, acceptDataLoss, "");
    }

    /** As above, with whose copy a rebuild takes; empty for the best. */
    final CommandResult send(
            AdminClient client, String action, String group, String member, boolean acceptDataLoss, String donor)
            throws CliException {
        checkReason();
        AdminClient.Answer answer = client.post(
                "/v1/commands",
                new CommandRequest(
                        action,
                        group,
                        member,
                        acceptDataLoss,
                        donor,
                        hactl().surroundings().user(),
                        reason.strip()));
        CommandResult result = client.read(answer.body(), CommandResult.class);
        if (!result.accepted()) {
            throw new CliException(ExitCode.REFUSED, "refused: " + result.sentence(), answer.body());
        }
        if (hactl().json()) {
            out().println(answer.body());
        } else {
            out().println(result.sentence());
        }
        out().flush();
        return result;
    }

    /** Asks on a terminal; without one the answer must already be on the command line. */
    final void confirm(String question, String expected) throws CliException {
        Surroundings surroundings = hactl().surroundings();
        if (!surroundings.terminal()) {
            throw new CliException(
                    ExitCode.USAGE, question + " There is no terminal to ask on: add --yes if that is meant.");
        }
        surroundings.err().print(question + " Type " + expected + " to go on: ");
        surroundings.err().flush();
        String line;
        try {
            line = surroundings.in().readLine();
        } catch (IOException e) {
            throw new CliException(ExitCode.USAGE, "the answer can't be read: " + e.getMessage());
        }
        if (line == null || !line.strip().equals(expected)) {
            throw new CliException(ExitCode.USAGE, "not confirmed; nothing was done");
        }
    }
}
