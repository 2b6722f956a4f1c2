package org.haarbiter.cli;

import java.util.Locale;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
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

    /**
     * Begins the switch and follows it.
     *
     * @param member the member that is meant; empty where the arbiter shall choose
     * @param wanted whether the group's primary after it is the right one, with what it was before
     */
    final int perform(
            AdminClient client,
            String action,
            String member,
            boolean acceptDataLoss,
            BiPredicate<String, String> wanted)
            throws CliException {
        if (waitLimitSeconds < 1 || waitLimitSeconds > 3_600) {
            throw new CliException(
                    ExitCode.USAGE, "--wait-limit: " + waitLimitSeconds + " (must be 1 to 3600 seconds)");
        }
        GroupView before = groupNow(client);
        Optional<MemberView> known =
                before.members().stream().filter(m -> m.name().equals(member)).findFirst();
        if (known.isEmpty() && !member.isEmpty()) {
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
        return wait ? follow(client, result.epoch(), primary -> wanted.test(before.primary(), primary)) : ExitCode.OK;
    }

    private GroupView groupNow(AdminClient client) throws CliException {
        return client.read(client.get("/v1/groups/" + segment(group)), GroupView.class);
    }

    private int follow(AdminClient client, long epoch, Predicate<String> wanted) throws CliException {
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
            pause(LOOK_MILLIS, "the switch goes on (hactl why " + group + ")");
            now = groupNow(client);
        }
        SwitchView record = recordOf(client, now.epoch());
        String took = record == null || record.durationMillis() < 0
                ? ""
                : " after " + Paint.duration(record.durationMillis());
        if (!wanted.test(now.primary())) {
            throw new CliException(
                    ExitCode.REFUSED,
                    "the switch ended otherwise: " + now.primary() + " is the primary" + took
                            + (record == null || record.events().isEmpty() ? "" : ": " + lastText(record))
                            + " (hactl log " + group
                            + " --switch " + now.epoch() + ")");
        }
        if (!hactl().forMachines()) {
            out().println(now.primary() + " takes writes under epoch " + now.epoch() + took
                    + (now.names().state().equals("served") ? "; every DNS server shows it" : ""));
            Double frozen = record == null ? null : record.phasesMillis().get("frozen");
            if (frozen != null) {
                out().println(String.format(Locale.ROOT, "nobody took writes for %.0f ms", frozen));
            }
            if (record != null && !record.proof().isEmpty()) {
                out().println(record.proof());
            }
        }
        return ExitCode.OK;
    }

    private static String lastText(SwitchView record) {
        return record.events().stream()
                .filter(e -> e.kind().equals("switch-abandoned") || e.kind().equals("preparation-ended"))
                .map(org.haarbiter.admin.EventView::text)
                .reduce((earlier, last) -> last)
                .orElse(record.outcome());
    }

    private static boolean done(GroupView now, long epoch) {
        // One that was given up while it was prepared has left the epoch as it was.
        return now.epoch() >= epoch - 1
                && now.phase().equals("steady")
                && !now.names().state().equals("pending");
    }

    private @org.jspecify.annotations.Nullable SwitchView recordOf(AdminClient client, long epoch) throws CliException {
        LogView log =
                client.read(client.get("/v1/log?limit=1&group=" + segment(group) + "&epoch=" + epoch), LogView.class);
        return log.switches().isEmpty() ? null : log.switches().get(0);
    }
}
