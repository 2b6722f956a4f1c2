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
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Repeats {@link FailoverTrial}. Servers, masters and agents go on from run to run, as they do in production; a server that
 * can't rejoin by itself (its history has a tail that nobody acknowledged) makes the bench begin a fresh arena.
 */
@Command(name = "failover", mixinStandardHelpOptions = true, description = "Strikes a primary again and again.")
public final class FailoverBench implements Callable<Integer> {
    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    private static final int MOST_WARM_UPS = 5;

    /** What must not happen counts in whatever run it was. */
    private long lostInWarmUps;

    private double twoWritersInWarmUpsMillis;

    @Option(names = "--runs", description = "how often (default: ${DEFAULT-VALUE})", defaultValue = "10")
    private int runs = 10;

    @Option(names = "--engine", defaultValue = "mysql", converter = Demo.EngineWord.class)
    private ArenaPlan.Engine engine = ArenaPlan.Engine.MYSQL;

    @Option(names = "--fault", defaultValue = "kill", converter = Demo.FaultWord.class)
    private Fault fault = Fault.KILL;

    @Option(names = "--client", defaultValue = "dns", converter = ClientWord.class, description = "dns or any")
    private FailoverTrial.Client client = FailoverTrial.Client.DNS;

    @Option(names = "--rate", defaultValue = "1000", description = "writes per second (default: ${DEFAULT-VALUE})")
    private int rate = 1_000;

    @Option(
            names = "--cold",
            description = "count a fresh group's first run as well; else it only warms up masters and agents, which in"
                    + " production have run for longer than a few seconds")
    private boolean cold;

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Reads a client's name. */
    static final class ClientWord implements CommandLine.ITypeConverter<FailoverTrial.Client> {
        @Override
        public FailoverTrial.Client convert(String value) {
            return Words.constant(FailoverTrial.Client.class, value);
        }
    }

    /** Exits with 0 when no acknowledged write was lost and no two writers were seen. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new FailoverBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        List<FailoverTrial.Result> results = new ArrayList<>();
        long firstId = 1;
        int warmUpsInRow = 0;
        Arena arena = null;
        try {
            for (int run = 1; run <= runs; run++) {
                if (arena == null) {
                    arena = Arena.open(ArenaPlan.of(
                            engine, Arena.newWorkDirectory("ha-arbiter-bench-"), fault == Fault.PARTITION));
                    arena.awaitSteady(START_LIMIT);
                    if (!cold) {
                        FailoverTrial.Result first = strike(arena, firstId);
                        firstId += 1_000_000;
                        print("warm-up", first);
                        lostInWarmUps += first.lost();
                        twoWritersInWarmUpsMillis += first.twoWritersMillis();
                        if (!rejoins(arena, first.from())) {
                            discard(arena);
                            arena = null;
                            warmUpsInRow++;
                            if (warmUpsInRow > MOST_WARM_UPS) {
                                throw new IllegalStateException(warmUpsInRow
                                        + " fresh groups didn't get over their warm-up: use --cold, or look into it");
                            }
                            run--;
                            continue;
                        }
                        warmUpsInRow = 0;
                    }
                }
                FailoverTrial.Result result = strike(arena, firstId);
                results.add(result);
                firstId += 1_000_000;
                print(String.format(Locale.ROOT, "run %3d", run), result);
                if (run < runs && !rejoins(arena, result.from())) {
                    discard(arena);
                    arena = null;
                }
            }
        } finally {
            if (arena != null) {
                discard(arena);
            }
        }
        return report(results);
    }

    private FailoverTrial.Result strike(Arena arena, long firstId) throws IOException, SQLException {
        return FailoverTrial.run(arena, fault, client, rate, firstId);
    }

    private static void print(String what, FailoverTrial.Result result) {
        System.out.printf(
                Locale.ROOT,
                "%s: outage %7.1f ms, first write %7.1f ms, lost %d, two writers %.1f ms, %s -> %s %s%n",
                what,
                result.outageMillis(),
                result.firstWriteMillis(),
                result.lost(),
                result.twoWritersMillis(),
                result.from(),
                result.to(),
                result.phases());
    }

    private boolean rejoins(Arena arena, String struck) throws IOException {
        if (fault != Fault.PARTITION) {
            arena.server(struck).restart();
            arena.server(struck).awaitReady(START_LIMIT);
        }
        boolean whole =
                arena.api().awaitWholeUnlessKeptAway(Arena.GROUP, arena.plan().members(), START_LIMIT);
        if (!whole) {
            System.out.println("         " + struck + " holds writes that nobody acknowledged, so it stays fenced;"
                    + " a fresh group follows");
        }
        return whole;
    }

    private static void discard(Arena arena) throws IOException {
        Path work = arena.plan().work();
        arena.close();
        Arena.deleteWorkDirectory(work);
    }

    private int report(List<FailoverTrial.Result> results) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("engine", engine.word());
        values.put("fault", fault.word());
        values.put("client", client.name().toLowerCase(Locale.ROOT));
        values.put("runs", results.size());
        values.put("outage_ms", spread("outage", results, FailoverTrial.Result::outageMillis));
        values.put(
                "first_write_ms",
                spread("first write after the fault", results, FailoverTrial.Result::firstWriteMillis));
        TreeMap<String, Object> phases = new TreeMap<>();
        for (FailoverTrial.Result result : results) {
            for (String phase : result.phases().keySet()) {
                phases.computeIfAbsent(
                        phase, p -> spread(p, results, r -> r.phases().getOrDefault(p, 0.0)));
            }
        }
        values.put("phases_ms", phases);
        long lost = lostInWarmUps
                + results.stream().mapToLong(FailoverTrial.Result::lost).sum();
        double two = twoWritersInWarmUpsMillis
                + results.stream()
                        .mapToDouble(FailoverTrial.Result::twoWritersMillis)
                        .sum();
        values.put(
                "acked",
                results.stream().mapToLong(FailoverTrial.Result::acknowledged).sum());
        values.put("lost", lost);
        values.put("two_writers_ms", two);
        System.out.printf(
                Locale.ROOT, "acknowledged %s, lost %d, two writers %.1f ms%n", values.get("acked"), lost, two);
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        if (results.size() < 100) {
            System.out.println("of " + results.size() + " runs p99 is the worst one; it takes 100 to be another");
        }
        return lost == 0 && two == 0 ? 0 : 1;
    }

    private static Spread spread(
            String what, List<FailoverTrial.Result> results, ToDoubleFunction<FailoverTrial.Result> figure) {
        Spread spread = Spread.of(results.stream().mapToDouble(figure).toArray());
        spread.print(String.format(Locale.ROOT, "%-30s", what));
        return spread;
    }
}
