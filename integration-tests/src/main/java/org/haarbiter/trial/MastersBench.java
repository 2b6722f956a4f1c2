package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.admin.StatusView;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.ServerProcess;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How soon the masters have a leader, and whether they keep it. The processes are those of a whole arena, with servers and
 * agents; what the masters know is read from their admin API every few milliseconds.
 */
@Command(name = "masters", mixinStandardHelpOptions = true, description = "Times elections, and counts false alarms.")
public final class MastersBench implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long POLL_NANOS = 2_000_000;
    private static final long WATCH_NANOS = 100_000_000;
    private static final int LOOPS_PER_PROCESSOR = 2;

    @Option(names = "--runs", description = "elections of each kind (default: ${DEFAULT-VALUE})", defaultValue = "10")
    private int runs = 10;

    @Option(
            names = "--load-seconds",
            description = "how long all processors are kept busy; 0 for not at all (default: ${DEFAULT-VALUE})",
            defaultValue = "180")
    private int loadSeconds = 180;

    @Option(names = "--profile", description = "timing profile (default: ${DEFAULT-VALUE})", defaultValue = "fast")
    private String profile = "fast";

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Exits with 0 when no leader was deposed under load. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new MastersBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException {
        if (runs < 1 || loadSeconds < 0) {
            System.err.println("--runs: " + runs + " (must be 1 or more); --load-seconds: " + loadSeconds
                    + " (must be 0 or more)");
            return CommandLine.ExitCode.USAGE;
        }
        Path work = Arena.passingWorkDirectory("ha-arbiter-bench-");
        double[] first = new double[runs];
        double[] next = new double[runs];
        long changes;
        try (Arena arena =
                Arena.open(new ArenaPlan(ArenaPlan.Engine.MARIADB, 3, work, false, 3, profile, "lossless", ""))) {
            arena.api().awaitWhole(Arena.GROUP, 3, LIMIT);
            for (int run = 0; run < runs; run++) {
                next[run] = nextLeaderMillis(arena);
                first[run] = firstLeaderMillis(arena);
                System.out.printf(
                        Locale.ROOT,
                        "run %3d: next leader after %7.1f ms, first leader after %7.1f ms%n",
                        run + 1,
                        next[run],
                        first[run]);
            }
            arena.api().awaitWhole(Arena.GROUP, 3, LIMIT);
            changes = changesUnderLoad(arena);
        }
        return report(first, next, changes);
    }

    /** From the SIGKILL of the leader until another one knows that it leads. The killed one is back when this returns. */
    private static double nextLeaderMillis(Arena arena) throws IOException {
        String leader = arena.awaitLeader(LIMIT);
        List<String> others =
                arena.masterNames().stream().filter(m -> !m.equals(leader)).toList();
        long killed = System.nanoTime();
        arena.master(leader).kill9();
        double millis = untilOneLeads(arena, others, killed);
        arena.master(leader).awaitEnd(LIMIT);
        arena.master(leader).start();
        awaitFollowing(arena);
        return millis;
    }

    /** From the start of the second master's process, the first being up for long, until one of the two knows it leads. */
    private static double firstLeaderMillis(Arena arena) throws IOException {
        List<String> all = arena.masterNames();
        for (String master : all) {
            arena.master(master).kill9();
        }
        for (String master : all) {
            arena.master(master).awaitEnd(LIMIT);
        }
        arena.master(all.get(0)).start();
        long end = System.nanoTime() + LIMIT.toNanos();
        while (arena.api().ownStatus(arena.admin(all.get(0))) == null) {
            pause(POLL_NANOS, end, all.get(0) + " answers");
        }
        long started = System.nanoTime();
        arena.master(all.get(1)).start();
        double millis = untilOneLeads(arena, all.subList(0, 2), started);
        for (String master : all) {
            arena.master(master).start();
        }
        awaitFollowing(arena);
        return millis;
    }

    private static double untilOneLeads(Arena arena, List<String> masters, long sinceNanos) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            for (String master : masters) {
                StatusView own = arena.api().ownStatus(arena.admin(master));
                if (own != null && own.leader().equals(master)) {
                    return (System.nanoTime() - sinceNanos) / 1e6;
                }
            }
            pause(POLL_NANOS, end, "one of " + masters + " leads");
        }
    }

    /** Until every master knows the same leader. */
    private static void awaitFollowing(Arena arena) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (leadership(arena) == null) {
            pause(POLL_NANOS, end, "all masters follow one leader");
        }
    }

    private record Leadership(String leader, long term) {}

    /** What all masters agree on; null where they don't, or one doesn't answer. */
    private static @Nullable Leadership leadership(Arena arena) {
        Leadership agreed = null;
        for (String master : arena.masterNames()) {
            StatusView own = arena.api().ownStatus(arena.admin(master));
            if (own == null || own.leader().isEmpty()) {
                return null;
            }
            if (own.leader().equals(master)) {
                agreed = new Leadership(master, own.term());
            }
        }
        return agreed;
    }

    /** How many elections there were while every processor had more to do than it could. */
    private long changesUnderLoad(Arena arena) throws IOException {
        if (loadSeconds == 0) {
            return 0;
        }
        Leadership before = settled(arena);
        int loops = LOOPS_PER_PROCESSOR * Runtime.getRuntime().availableProcessors();
        List<ServerProcess> busy = new ArrayList<>();
        long silences = 0;
        try {
            for (int i = 0; i < loops; i++) {
                ServerProcess loop = new ServerProcess(
                        "busy-" + i,
                        Host.here(),
                        List.of("bash", "-c", "while [ $SECONDS -lt " + loadSeconds + " ]; do :; done"),
                        arena.plan().work().resolve("busy-" + i + ".log"));
                busy.add(loop);
                loop.start();
            }
            long end = System.nanoTime() + loadSeconds * 1_000_000_000L;
            while (System.nanoTime() - end < 0) {
                silences += leadership(arena) == null ? 1 : 0;
                LockSupport.parkNanos(WATCH_NANOS);
            }
        } finally {
            for (ServerProcess loop : busy) {
                loop.close();
            }
        }
        Leadership after = settled(arena);
        System.out.printf(
                "%d busy loops for %d s: leader %s in term %d before, %s in term %d after; %d looks found no agreement%n",
                loops, loadSeconds, before.leader(), before.term(), after.leader(), after.term(), silences);
        return after.term() - before.term();
    }

    private static Leadership settled(Arena arena) {
        long end = System.nanoTime() + LIMIT.toNanos();
        Leadership seen = leadership(arena);
        while (seen == null) {
            pause(POLL_NANOS, end, "all masters follow one leader");
            seen = leadership(arena);
        }
        return seen;
    }

    private static void pause(long nanos, long end, String what) {
        if (System.nanoTime() - end > 0) {
            throw new IllegalStateException("waited " + LIMIT.toSeconds() + " s until " + what);
        }
        LockSupport.parkNanos(nanos);
    }

    private int report(double[] first, double[] next, long changes) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("profile", profile);
        values.put("runs", runs);
        values.put("first_leader_ms", spread("first leader after the second master's start", first));
        values.put("next_leader_ms", spread("next leader after the leader's death", next));
        values.put("load_seconds", loadSeconds);
        values.put("leader_changes_under_load", changes);
        System.out.printf("leader changes under full load in %d s: %d%n", loadSeconds, changes);
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        return changes == 0 ? 0 : 1;
    }

    private static Spread spread(String what, double[] figures) {
        Spread spread = Spread.of(figures);
        spread.print(String.format(Locale.ROOT, "%-46s", what));
        return spread;
    }
}
