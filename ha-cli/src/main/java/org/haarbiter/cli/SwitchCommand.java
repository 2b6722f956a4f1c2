package org.haarbiter.cli;

import java.util.Optional;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.admin.SwitchView;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A manual act that begins a switch, and may wait for its end. */
abstract class SwitchCommand extends ActCommand {
    private static final long LOOK_MILLIS = 100;

    @Parameters(index = "0", paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Parameters(index = "1", paramLabel = "MEMBER", description = "The member's name.")
    private String member = "";

    @Option(
            names = "--wait",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Wait until the switch is complete and DNS shows it (the default).")
    private boolean wait;

    @Option(
            names = "--wait-limit",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "The longest to wait for that (default: ${DEFAULT-VALUE}).")
    private int waitLimitSeconds;

    final String group() {
        return group;
    }

    final String member() {
        return member;
    }

    /** Begins the switch and follows it; {@code wanted} says whether the group's primary after it is the right one. */
    final int perform(
            AdminClient client, String action, boolean acceptDataLoss, java.util.function.Predicate<String> wanted)
            throws CliException {
        if (waitLimitSeconds < 1 || waitLimitSeconds > 3_600) {
            throw new CliException(
                    ExitCode.USAGE, "--wait-limit: " + waitLimitSeconds + " (must be 1 to 3600 seconds)");
        }
        GroupView before = groupNow(client);
        Optional<MemberView> known =
                before.members().stream().filter(m -> m.name().equals(member)).findFirst();
        if (known.isEmpty()) {
            throw new CliException(
                    ExitCode.NOT_FOUND,
                    "no member '" + member + "' in group '" + group + "' (known: "
                            + String.join(
                                    ", ",
                                    before.members().stream()
                                            .map(MemberView::name)
                                            .toList()) + ")");
        }
        CommandResult result = send(client, action, group, member, acceptDataLoss);
        return wait ? follow(client, result.epoch(), wanted) : ExitCode.OK;
    }

    private GroupView groupNow(AdminClient client) throws CliException {
        return client.read(client.get("/v1/groups/" + segment(group)), GroupView.class);
    }

    private int follow(AdminClient client, long epoch, java.util.function.Predicate<String> wanted)
            throws CliException {
        long deadline = System.nanoTime() + waitLimitSeconds * 1_000_000_000L;
        GroupView now = groupNow(client);
        while (!done(now, epoch)) {
            if (System.nanoTime() - deadline >= 0) {
                boolean promoted = now.epoch() >= epoch && now.phase().equals("steady");
                throw new CliException(
                        ExitCode.INCOMPLETE,
                        promoted
                                ? now.primary() + " takes writes, but DNS doesn't show it everywhere yet: "
                                        + now.names().detail() + " (hactl group show " + group + ")"
                                : "accepted, but not complete after " + waitLimitSeconds + " s: "
                                        + (now.phaseDetail().isEmpty() ? now.phase() : now.phaseDetail())
                                        + " (hactl why "
                                        + group + ")");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CliException(
                        ExitCode.INCOMPLETE, "interrupted; the switch goes on (hactl why " + group + ")");
            }
            now = groupNow(client);
        }
        SwitchView record = recordOf(client, epoch);
        String took = record == null || record.durationMillis() < 0
                ? ""
                : " after " + Paint.duration(record.durationMillis());
        if (!wanted.test(now.primary())) {
            throw new CliException(
                    ExitCode.REFUSED,
                    "the switch ended otherwise: " + now.primary() + " is the primary" + took
                            + (record == null || record.events().isEmpty() ? "" : ": " + lastText(record))
                            + " (hactl log " + group
                            + " --switch " + epoch + ")");
        }
        if (!hactl().json()) {
            out().println(now.primary() + " takes writes under epoch " + now.epoch() + took
                    + (now.names().state().equals("served") ? "; every DNS server shows it" : ""));
            if (record != null && !record.proof().isEmpty()) {
                out().println(record.proof());
            }
        }
        return ExitCode.OK;
    }

    private static String lastText(SwitchView record) {
        return record.events().stream()
                .filter(e -> e.kind().equals("switch-abandoned"))
                .map(org.haarbiter.admin.EventView::text)
                .findFirst()
                .orElse(record.outcome());
    }

    private static boolean done(GroupView now, long epoch) {
        return now.epoch() >= epoch
                && now.phase().equals("steady")
                && !now.names().state().equals("pending");
    }

    private @org.jspecify.annotations.Nullable SwitchView recordOf(AdminClient client, long epoch) throws CliException {
        LogView log =
                client.read(client.get("/v1/log?limit=1&group=" + segment(group) + "&epoch=" + epoch), LogView.class);
        return log.switches().isEmpty() ? null : log.switches().get(0);
    }
}
