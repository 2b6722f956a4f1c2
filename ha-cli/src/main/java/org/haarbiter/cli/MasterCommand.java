package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.words.Endpoint;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "master",
        description = "Lists, adds and removes masters while they run, or moves the leadership.",
        subcommands = {
            MasterCommand.ListAll.class,
            MasterCommand.Add.class,
            MasterCommand.Remove.class,
            MasterCommand.TransferLeader.class
        })
final class MasterCommand extends CommandOfCommands {

    MasterCommand() {
        super("which one? hactl master list, add, remove or transfer-leader");
    }

    @Command(name = "list", description = "Every voting member, as the leader sees it.")
    static final class ListAll extends ArbiterCommand {
        @Override
        int run(AdminClient client) throws CliException {
            return show(client, "/v1/masters", MastersView.class, this::print);
        }

        private void print(MastersView view) {
            Paint paint = hactl().paint();
            view.problems().forEach(problem -> out().println("! " + paint.problem(problem)));
            List<List<String>> rows = new ArrayList<>();
            for (MasterView master : view.masters()) {
                rows.add(List.of(
                        master.name(),
                        master.state(),
                        Paint.orDash(master.raft()),
                        Paint.orDash(master.agents()),
                        Paint.orDash(master.admin()),
                        Paint.orDash(master.detail())));
            }
            out().print(paint.table(List.of("MASTER", "STATE", "RAFT", "AGENTS", "ADMIN", "DETAIL"), rows));
        }
    }

    /** Finds a voting member by its name or its Raft address; returns the address. */
    private static String known(AdminClient client, String master) throws CliException {
        MastersView view = client.read(client.get("/v1/masters"), MastersView.class);
        for (MasterView one : view.masters()) {
            if (one.name().equals(master) || one.raft().equals(master)) {
                return one.raft();
            }
        }
        throw new CliException(
                ExitCode.NOT_FOUND,
                "no master '" + master + "' (known: "
                        + String.join(
                                ", ",
                                view.masters().stream()
                                        .map(m -> m.name() + " " + m.raft())
                                        .toList())
                        + ")");
    }

    @Command(
            name = "add",
            description = "Adds a master that already runs with 'join: true' and an empty data directory.")
    static final class Add extends ActCommand {
        @Parameters(paramLabel = "HOST:PORT", description = "Its Raft address.")
        private String master = "";

        @Override
        int run(AdminClient client) throws CliException {
            try {
                Endpoint.parse(master);
            } catch (IllegalArgumentException e) {
                throw new CliException(ExitCode.USAGE, "HOST:PORT: " + e.getMessage());
            }
            send(client, "add-master", "", master, false);
            return ExitCode.OK;
        }
    }

    @Command(name = "remove", description = "Removes a master from the quorum; it may be the leader or dead.")
    static final class Remove extends ActCommand {
        @Parameters(paramLabel = "MASTER", description = "Its name or its Raft address.")
        private String master = "";

        @Option(
                names = {"-y", "--yes"},
                description = "Don't ask.")
        private boolean yes;

        @Override
        int run(AdminClient client) throws CliException {
            checkReason();
            String raft = known(client, master);
            if (!yes) {
                confirm("The quorum bears one loss less without " + master + ".", master);
            }
            send(client, "remove-master", "", raft, false);
            return ExitCode.OK;
        }
    }

    @Command(name = "transfer-leader", description = "Hands the leadership to another master.")
    static final class TransferLeader extends ActCommand {
        @Parameters(paramLabel = "MASTER", description = "Its name or its Raft address.")
        private String master = "";

        @Override
        int run(AdminClient client) throws CliException {
            checkReason();
            send(client, "transfer-leader", "", known(client, master), false);
            return ExitCode.OK;
        }
    }
}
