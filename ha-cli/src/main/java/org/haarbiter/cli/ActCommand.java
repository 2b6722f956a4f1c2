package org.haarbiter.cli;

import java.io.IOException;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.admin.RecordsChange;
import org.jspecify.annotations.Nullable;
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
        return send(client, action, group, member, acceptDataLoss, "", null);
    }

    /**
     * As above.
     *
     * @param donor whose copy a rebuild takes; empty for the best
     * @param policy what changes of a group's policy; null for any other command
     */
    final CommandResult send(
            AdminClient client,
            String action,
            String group,
            String member,
            boolean acceptDataLoss,
            String donor,
            @Nullable PolicyChange policy)
            throws CliException {
        return send(client, new CommandRequest(action, group, member, acceptDataLoss, donor, policy, user(), why()));
    }

    /** Sends what is to be said of a traffic class. */
    final CommandResult send(AdminClient client, String action, String group, ClassChange trafficClass)
            throws CliException {
        return send(
                client,
                new CommandRequest(action, group, "", false, "", null, null, trafficClass, null, null, user(), why()));
    }

    /** Sends which DNS records are to be set or removed. */
    final CommandResult send(AdminClient client, String action, RecordsChange records) throws CliException {
        return send(
                client, new CommandRequest(action, "", "", false, "", null, null, null, records, null, user(), why()));
    }

    /** Sends what is to be set of a group of endpoints. */
    final CommandResult send(AdminClient client, String name, EndpointsChange endpoints) throws CliException {
        return send(
                client,
                new CommandRequest(
                        "set-endpoints", name, "", false, "", null, null, null, null, endpoints, user(), why()));
    }

    /** Sends that nothing automatic is to happen. */
    final CommandResult pause(AdminClient client, String group, long forMillis) throws CliException {
        return send(
                client,
                new CommandRequest(
                        "pause", group, "", false, "", null, null, null, null, null, user(), why(), forMillis));
    }

    private String user() {
        return hactl().surroundings().user();
    }

    private String why() {
        return reason.strip();
    }

    private CommandResult send(AdminClient client, CommandRequest request) throws CliException {
        checkReason();
        Judged judged = judge(client, request);
        CommandResult result = judged.result();
        if (!result.accepted()) {
            throw new CliException(ExitCode.REFUSED, "refused: " + result.sentence(), judged.body());
        }
        if (hactl().forMachines()) {
            hactl().print(judged.body());
        } else {
            out().println(result.sentence());
        }
        out().flush();
        return result;
    }

    /**
     * Waits before the masters are asked again.
     *
     * @param ifInterrupted what goes on although nobody waits for it any more
     */
    static void pause(long millis, String ifInterrupted) throws CliException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.INCOMPLETE, "interrupted; " + ifInterrupted);
        }
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
