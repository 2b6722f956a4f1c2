package org.haarbiter.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.haarbiter.admin.EventView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.SwitchView;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "log",
        description = {
            "The switch log: who or which rule, on what evidence, each step with its time, what was proved or lost.",
            "A list shows one line a switch, newest first; --switch, --full or --limit 1 show switches in full."
        })
final class LogCommand extends ArbiterCommand {
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);
    private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT);
    private static final int LONG_POSITION = 200;
    private static final int MOST = 1_000;
    private static final long FOLLOW_MILLIS = 500;

    @Parameters(paramLabel = "GROUP", arity = "0..1", description = "Only this group's switches.")
    private @Nullable String group;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "20",
            description = "The most switches to show (default: ${DEFAULT-VALUE}).")
    private int limit;

    @Option(
            names = "--switch",
            paramLabel = "EPOCH",
            description = "Only the switch of this epoch, in full. Needs GROUP.")
    private long epoch;

    @Option(names = "--full", description = "Every switch in full.")
    private boolean full;

    @Option(
            names = "--since",
            paramLabel = "DURATION",
            description =
                    "Only what began so long ago or later: 90s, 15m, 12h, 7d. As far back as masters keep the log.")
    private @Nullable String since;

    @Option(
            names = {"-f", "--follow"},
            description = {
                "Prints what is decided from now on, an entry a line, until it is interrupted. With --since, what was decided"
                        + " since then comes first."
            })
    private boolean follow;

    @Override
    int run(AdminClient client) throws CliException {
        if (limit < 1 || limit > MOST) {
            throw new CliException(ExitCode.USAGE, "--limit: " + limit + " (must be 1 to 1000)");
        }
        if (epoch < 0) {
            throw new CliException(ExitCode.USAGE, "--switch: " + epoch + " (must be an epoch, 1 or more)");
        }
        String wanted = group;
        if (follow && (full || epoch > 0)) {
            throw new CliException(ExitCode.USAGE, "--follow prints entries (not with --full or --switch)");
        }
        String duration = since;
        long sinceMillis = duration == null ? 0 : System.currentTimeMillis() - Durations.millis("--since", duration);
        if (follow) {
            return follow(client, sinceMillis);
        }
        if (epoch > 0 && wanted == null) {
            throw new CliException(ExitCode.USAGE, "--switch needs a GROUP: every group counts its own epochs");
        }
        String path = "/v1/log?limit=" + limit + (wanted == null ? "" : "&group=" + segment(wanted))
                + (epoch > 0 ? "&epoch=" + epoch : "")
                + (sinceMillis > 0 ? "&since=" + sinceMillis : "");
        return show(client, path, LogView.class, this::print);
    }

    /** Entries as they come. A master that can't be reached, or no leader, is said once and waited for. */
    private int follow(AdminClient client, long sinceMillis) throws CliException {
        String path =
                "/v1/log?limit=" + MOST + (group == null ? "" : "&group=" + segment(Objects.requireNonNull(group)));
        long seen = 0;
        boolean begun = false;
        String trouble = "";
        while (true) {
            try {
                String part = begun ? "&after=" + seen : "&since=" + sinceMillis;
                List<EventView> events = events(client.read(client.get(path + part), LogView.class));
                for (EventView event : events) {
                    if (begun || sinceMillis > 0) {
                        print(client, event);
                    }
                    seen = Math.max(seen, event.index());
                }
                begun = true;
                trouble = "";
            } catch (CliException e) {
                if (e.exitCode() != ExitCode.UNREACHABLE && e.exitCode() != ExitCode.NO_LEADER) {
                    throw e;
                }
                if (!trouble.equals(e.getMessage())) {
                    trouble = String.valueOf(e.getMessage());
                    hactl().surroundings().err().println("hactl: " + trouble + "; waiting");
                }
            }
            out().flush();
            if (out().checkError()) {
                return ExitCode.OK; // whoever read it has gone
            }
            ActCommand.pause(FOLLOW_MILLIS, "nothing is followed any more");
        }
    }

    /** In the order of the log. */
    private static List<EventView> events(LogView log) {
        List<EventView> events = new ArrayList<>(log.events());
        log.switches().forEach(one -> events.addAll(one.events()));
        events.sort(Comparator.comparingLong(EventView::index));
        return events;
    }

    private void print(AdminClient client, EventView event) throws CliException {
        if (hactl().forMachines()) {
            hactl().print(client.write(event));
        } else {
            out().println(line(event));
        }
    }

    private static String line(EventView event) {
        return at(event.wallMillis(), DAY) + "  " + (event.group().isEmpty() ? "the fleet" : event.group())
                + (event.epoch() > 0 ? "@" + event.epoch() : "") + "  " + event.kind() + "  " + event.text() + "  ("
                + event.by() + ")";
    }

    private void print(LogView log) throws CliException {
        if (epoch > 0 && log.switches().isEmpty()) {
            throw new CliException(
                    ExitCode.NOT_FOUND,
                    "no switch of epoch " + epoch + " of group '" + log.group()
                            + "' is in the log that masters keep (the audit file on the masters reaches further back)");
        }
        if (epoch > 0 || full || limit == 1) {
            boolean first = true;
            for (SwitchView one : log.switches()) {
                if (!first) {
                    out().println();
                }
                first = false;
                printFull(one);
            }
        } else {
            printLines(log);
        }
        if (log.more() && limit > 1) {
            out().println("(there are older ones: --limit N)");
        }
    }

    private void printLines(LogView log) {
        if (log.switches().isEmpty() && log.events().isEmpty()) {
            out().println("The switch log is empty.");
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        for (SwitchView one : log.switches()) {
            rows.add(List.of(
                    at(one.startedWallMillis(), DAY),
                    one.group(),
                    Long.toString(one.epoch()),
                    one.kind(),
                    Paint.orDash(one.from()),
                    Paint.orDash(one.to()),
                    one.outcome(),
                    Paint.duration(one.durationMillis()),
                    one.names(),
                    one.by()));
        }
        if (!rows.isEmpty()) {
            out().print(hactl().paint()
                    .table(
                            List.of("TIME", "GROUP", "EPOCH", "KIND", "FROM", "TO", "OUTCOME", "TOOK", "DNS", "BY"),
                            rows));
        }
        if (!log.events().isEmpty()) {
            out().println(rows.isEmpty() ? "Events:" : "\nOther events:");
            for (EventView event : log.events()) {
                out().println("  " + at(event.wallMillis(), DAY) + "  "
                        + (event.group().isEmpty() ? "the fleet" : event.group()) + "  " + event.kind() + "  "
                        + event.text()
                        + "  (" + event.by() + ")");
            }
        }
    }

    private void printFull(SwitchView one) {
        Paint paint = hactl().paint();
        out().println(paint.bold("Group " + one.group() + ", epoch " + one.epoch() + ": " + one.kind()
                        + (one.from().isEmpty() ? "" : " from " + one.from())
                        + (one.to().isEmpty() ? "" : " to " + one.to()))
                + ": " + paint.state(one.outcome())
                + (one.durationMillis() < 0 ? "" : " in " + Paint.duration(one.durationMillis()))
                + (one.names().equals("none") ? "" : ", DNS " + paint.state(one.names())));
        out().println("  By:      " + one.by());
        out().println("  Why:     " + one.cause() + (one.trigger().isEmpty() ? "" : " (" + one.trigger() + ")"));
        if (one.dataLossAccepted()) {
            out().println("  Loss:    " + paint.problem("a person accepted that acknowledged writes may be lost"));
        }
        if (!one.proof().isEmpty()) {
            out().println("  Proof:   " + one.proof());
        }
        if (!one.upTo().isEmpty()) {
            out().println("  Kept:    " + one.upTo());
        }
        if (!one.evidence().isEmpty()) {
            out().println("  Seen when it began:");
            one.evidence().forEach((member, saw) -> out().println("    " + member + ": " + cut(saw)));
        }
        out().println("  Steps:");
        for (EventView event : one.events()) {
            long since = event.wallMillis() - one.startedWallMillis();
            out().println("    " + at(event.wallMillis(), MOMENT) + "  " + left("+" + since + " ms", 9) + "  "
                    + right(event.kind(), 16) + "  " + event.text()
                    + (event.by().equals("arbiter") || event.by().equals(one.by()) ? "" : "  (" + event.by() + ")"));
            Map<String, String> later = new TreeMap<>();
            event.details().forEach((name, value) -> {
                if (name.startsWith("saw_") && !event.kind().equals("switch-started")) {
                    later.put(name.substring("saw_".length()), value);
                }
            });
            later.forEach((member, saw) -> out().println("      saw " + member + ": " + cut(saw)));
        }
        if (!one.phasesMillis().isEmpty()) {
            out().println("  Measured by the leader:");
            one.phasesMillis()
                    .forEach((phase, millis) -> out().println("    " + right(phase, 20) + "  "
                            + left(String.format(Locale.ROOT, "%.1f ms", millis), 12)));
        }
    }

    private static String cut(String evidence) {
        return evidence.length() <= LONG_POSITION
                ? evidence
                : evidence.substring(0, LONG_POSITION) + "... (-o json has all)";
    }

    private static String left(String text, int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }

    private static String right(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }

    private static String at(long wallMillis, DateTimeFormatter format) {
        return Instant.ofEpochMilli(wallMillis).atZone(ZoneId.systemDefault()).format(format);
    }
}
