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
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.RecordsChange;
import org.haarbiter.lab.NameLookup;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How soon every DNS server says what the masters have committed: those of the masters themselves, and a BIND that copies the zone
 * from them. Beside them runs a real group at rest, whose agents are heard by all masters.
 */
@Command(
        name = "names",
        mixinStandardHelpOptions = true,
        description = "Times the way of a change from the log to every DNS server.")
public final class NamesBench implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(2);
    private static final int MEMBERS = 3;
    private static final int WARM_UP = 20;
    private static final long PAUSE_NANOS = 50_000_000;

    /** Finer than the figures; four clients that ask without any pause would be what is measured. */
    private static final long POLL_NANOS = 1_000_000;

    @Option(names = "--runs", description = "changes (default: ${DEFAULT-VALUE})", defaultValue = "200")
    private int runs = 200;

    @Option(names = "--profile", description = "timing profile (default: ${DEFAULT-VALUE})", defaultValue = "fast")
    private String profile = "fast";

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Prints the figures. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new NamesBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException {
        if (runs < 1) {
            System.err.println("--runs: " + runs + " (must be 1 or more)");
            return CommandLine.ExitCode.USAGE;
        }
        Path work = Arena.passingWorkDirectory("ha-arbiter-names-");
        ArenaPlan plan =
                new ArenaPlan(ArenaPlan.Engine.MARIADB, MEMBERS, work, false, 3, profile, "lossless", "").withOwnDns();
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            return measure(arena);
        }
    }

    private int measure(Arena arena) throws IOException {
        String leader = arena.awaitLeader(LIMIT);
        List<Watch> watches = new ArrayList<>();
        for (int i = 0; i < arena.masterNames().size(); i++) {
            String master = arena.masterNames().get(i);
            watches.add(new Watch(
                    master.equals(leader) ? "the leader" : "the slower of the others",
                    arena.mastersDns().get(i)));
        }
        watches.add(new Watch("BIND, which copies the zone", arena.dns().address()));
        double[] first = new double[runs];
        Map<String, double[]> seen = new LinkedHashMap<>();
        watches.forEach(watch -> watch.start());
        try {
            for (int run = -WARM_UP; run < runs; run++) {
                String value = "10.9." + (run + WARM_UP) / 250 + "." + (1 + (run + WARM_UP) % 250);
                watches.forEach(watch -> watch.await(value));
                long asked = System.nanoTime();
                CommandResult result = arena.api()
                        .command(new CommandRequest(
                                "set-records",
                                "",
                                "",
                                false,
                                "",
                                null,
                                null,
                                null,
                                new RecordsChange("probe", "A", "", 1, List.of(value)),
                                null,
                                "bench",
                                "a change"));
                if (!result.accepted()) {
                    throw new IOException("not accepted: " + result.sentence());
                }
                long leading = Long.MAX_VALUE;
                for (Watch watch : watches) {
                    leading = Math.min(leading, watch.seen());
                }
                if (run >= 0) {
                    first[run] = (leading - asked) / 1e6;
                    for (Watch watch : watches) {
                        double[] all = seen.computeIfAbsent(watch.what, w -> new double[runs]);
                        all[run] = Math.max(all[run], (watch.seen() - leading) / 1e6);
                    }
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } finally {
            watches.forEach(Watch::stop);
        }
        return report(first, seen);
    }

    private int report(double[] first, Map<String, double[]> seen) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("profile", profile);
        values.put("runs", runs);
        values.put("first_server_ms", spread("asked for by HTTP, committed, in the first server", first));
        for (Map.Entry<String, double[]> each : seen.entrySet()) {
            values.put(
                    each.getKey().replaceAll("[^A-Za-z]+", "_") + "_ms",
                    spread("after the first, in " + each.getKey(), each.getValue()));
        }
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        return 0;
    }

    private static Spread spread(String what, double[] figures) {
        Spread spread = Spread.of(figures);
        spread.print(String.format(Locale.ROOT, "%-52s", what));
        return spread;
    }

    /** Asks one server again and again. */
    private static final class Watch {
        final String what;
        private final Endpoint server;
        private final Thread thread;
        private volatile String wanted = "";
        private volatile long seenNanos;
        private volatile @Nullable IOException failure;
        private volatile boolean stopped;

        Watch(String what, Endpoint server) {
            this.what = what;
            this.server = server;
            this.thread = new Thread(this::ask, "watch-" + server);
        }

        void start() {
            thread.setDaemon(true);
            thread.start();
        }

        void stop() {
            stopped = true;
        }

        /** From now on this is what is looked for. */
        void await(String value) {
            seenNanos = 0;
            wanted = value;
        }

        /** When it was seen, on {@link System#nanoTime}. */
        long seen() throws IOException {
            long end = System.nanoTime() + LIMIT.toNanos();
            while (seenNanos == 0) {
                IOException failed = failure;
                if (failed != null) {
                    throw failed;
                }
                if (System.nanoTime() - end > 0) {
                    throw new IOException(server + " doesn't say " + wanted + " within " + LIMIT);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
            return seenNanos;
        }

        private void ask() {
            try (NameLookup lookup =
                    new NameLookup(server, Name.fromString("probe." + Arena.ZONE + ".", Name.root), ANSWER_LIMIT)) {
                while (!stopped) {
                    String looked = wanted;
                    if (seenNanos == 0 && lookup.address().equals(Optional.of(looked)) && looked.equals(wanted)) {
                        seenNanos = System.nanoTime();
                    }
                    LockSupport.parkNanos(POLL_NANOS);
                }
            } catch (IOException e) {
                failure = e;
            }
        }
    }
}
