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
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToDoubleFunction;
import org.haarbiter.lab.DatabaseServer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Repeats {@link FailoverTrial}. Servers, masters and agents go on from run to run, as they do in production. An SQL server that
 * can't rejoin by itself, since its history has a tail that nobody acknowledged, is replaced by an empty one.
 */
@Command(name = "failover", mixinStandardHelpOptions = true, description = "Strikes a primary again and again.")
public final class FailoverBench implements Callable<Integer> {
    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    private static final int WARM_UPS = 3;
    private static final int USUAL_MEMBERS = 4;
    /** By then a server that was cut off is fenced, one way or another. */
    private static final Duration FENCE_LIMIT = Duration.ofSeconds(5);

    /** What Sentinel is given for {@code down-after-milliseconds}: what it ships with for many, and what is asked of it at most. */
    private static final List<Integer> DOWN_AFTER_MILLIS = List.of(5_000, 1_000, 500);

    private static final Duration LASTING = Duration.ofSeconds(10);

    private long played;

    @Option(names = "--runs", description = "how often (default: ${DEFAULT-VALUE})", defaultValue = "10")
    private int runs = 10;

    @Option(names = "--engine", defaultValue = "mysql", converter = Demo.EngineWord.class)
    private ArenaPlan.Engine engine = ArenaPlan.Engine.MYSQL;

    @Option(names = "--fault", defaultValue = "kill", converter = Demo.FaultWord.class)
    private Fault fault = Fault.KILL;

    @Option(
            names = "--client",
            converter = ClientWord.class,
            description = "dns, any, or with redis sentinel (default: dns; with --peer any)")
    private FailoverTrial.@Nullable Client client;

    @Option(
            names = "--members",
            description =
                    "servers of the group, 2 to 9 (default: 4; of clusters 2); on two processors each more takes time"
                            + " from the others")
    private @Nullable Integer members;

    @Option(
            names = "--nodes",
            defaultValue = "3",
            description = "elasticsearch: nodes of the first cluster, 1 to 3; the second has one fewer, at least one"
                    + " (default: ${DEFAULT-VALUE})")
    private int nodes = 3;

    @Option(
            names = "--own-dns",
            description =
                    "the masters answer for the zone themselves, and the BIND that clients ask copies it from them (default: BIND takes"
                            + " their updates)")
    private boolean ownDns;

    @Option(names = "--rate", defaultValue = "1000", description = "writes per second (default: ${DEFAULT-VALUE})")
    private int rate = 1_000;

    @Option(
            names = "--wait",
            paramLabel = "REPLICAS",
            description = "redis: clients wait after each write until so many replicas have it, and nothing may be lost"
                    + " (default: they don't wait, and lost writes are only counted)")
    private int waitFor;

    @Option(
            names = "--cold",
            description = "count the first runs as well; else they only warm up masters and agents, which in production"
                    + " have run for longer than a few seconds")
    private boolean cold;

    @Option(
            names = "--peer",
            paramLabel = "NAME",
            converter = PeerWord.class,
            description =
                    "sentinel: afterwards Redis Sentinel keeps the same servers, with down-after-milliseconds 5000, 1000"
                            + " and 500. Faults last 10 s then, with the client at work until the server has been back for 20 s; in a"
                            + " partition a second client is beside the primary")
    private @Nullable Peer peer;

    private enum Peer {
        SENTINEL
    }

    /** Reads a peer's name. */
    static final class PeerWord implements CommandLine.ITypeConverter<Peer> {
        @Override
        public Peer convert(String value) {
            return Words.constant(Peer.class, value);
        }
    }

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Reads a client's name. */
    static final class ClientWord implements CommandLine.ITypeConverter<FailoverTrial.Client> {
        @Override
        public FailoverTrial.Client convert(String value) {
            return Words.constant(FailoverTrial.Client.class, value);
        }
    }

    /**
     * Exits with 0 when no acknowledged write was lost and no two writers were seen. A plain client of Redis may lose what was
     * acknowledged, so there only two writers count.
     */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new FailoverBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        Optional<String> mistake = mistake();
        if (mistake.isPresent()) {
            System.err.println(mistake.get());
            return CommandLine.ExitCode.USAGE;
        }
        List<Series> all = new ArrayList<>();
        Path work = Arena.passingWorkDirectory("ha-arbiter-bench-");
        ArenaPlan plan = ArenaPlan.of(engine, work, fault == Fault.PARTITION)
                .withMembers(members())
                .withNodes(nodes);
        try (Arena arena = Arena.open(ownDns ? plan.withOwnDns() : plan)) {
            arena.awaitPrimary(START_LIMIT);
            all.add(strike(arena, new ArbiterKeeper(arena), struck -> makeWhole(arena, struck)));
            if (peer == Peer.SENTINEL) {
                DatabaseServer primary = arena.awaitPrimary(START_LIMIT);
                SentinelKeeper.relieveArbiter(arena);
                for (int downAfter : DOWN_AFTER_MILLIS) {
                    try (SentinelKeeper keeper = SentinelKeeper.start(arena, primary, downAfter)) {
                        all.add(strike(arena, keeper, struck -> {}));
                        primary = keeper.awaitWhole(START_LIMIT);
                    }
                }
            }
        }
        return report(all);
    }

    private Optional<String> mistake() {
        if (peer != null && engine != ArenaPlan.Engine.REDIS) {
            return Optional.of("--peer sentinel: keeps redis only (--engine is " + engine.word() + ")");
        }
        if (peer != null && client == FailoverTrial.Client.DNS) {
            return Optional.of("--client dns: Sentinel publishes nothing in DNS (must be any or sentinel with --peer)");
        }
        if (client == FailoverTrial.Client.SENTINEL && engine != ArenaPlan.Engine.REDIS) {
            return Optional.of(
                    "--client sentinel: only clients of redis ask Sentinels (--engine is " + engine.word() + ")");
        }
        if (nodes < 1 || nodes > 3) {
            return Optional.of("--nodes: " + nodes + " (must be 1 to 3)");
        }
        if (runs < 1) {
            return Optional.of("--runs: " + runs + " (must be 1 or more)");
        }
        if (engine == ArenaPlan.Engine.ELASTICSEARCH && fault == Fault.PARTITION) {
            return Optional.of(
                    "--fault partition: the nodes of clusters share this machine (--engine is elasticsearch)");
        }
        return Demo.mistake(engine, waitFor);
    }

    private int members() {
        Integer given = members;
        return given != null ? given : engine == ArenaPlan.Engine.ELASTICSEARCH ? 2 : USUAL_MEMBERS;
    }

    private FailoverTrial.Client client() {
        FailoverTrial.Client given = client;
        return given != null ? given : peer == null ? FailoverTrial.Client.DNS : FailoverTrial.Client.ANY;
    }

    /**
     * All runs under one keeper.
     *
     * @param results of those that count for figures
     * @param lost in all, the warm-ups too: what must not happen counts in whatever run it was
     * @param twoWritersMillis the same
     */
    private record Series(String keeper, List<FailoverTrial.Result> results, long lost, double twoWritersMillis) {}

    /** Makes a group whole after its primary was struck. */
    private interface Healing {
        void heal(String struck) throws IOException, InterruptedException;
    }

    private Series strike(Arena arena, Keeper keeper, Healing healing) throws IOException, InterruptedException {
        if (peer != null) {
            System.out.println(keeper.word() + ":");
        }
        int warmUps = cold ? 0 : peer == null ? WARM_UPS : 1;
        List<FailoverTrial.Result> results = new ArrayList<>();
        long lost = 0;
        double twoWritersMillis = 0;
        for (int strike = 1; strike <= warmUps + runs; strike++) {
            FailoverTrial.Result result = FailoverTrial.run(
                    arena,
                    keeper,
                    new FailoverTrial.Plan(
                            fault,
                            client(),
                            Demo.writes(arena, waitFor),
                            rate,
                            ++played * FailoverTrial.NUMBERS,
                            peer == null || fault == Fault.SWITCHOVER ? Duration.ZERO : LASTING));
            lost += result.lost();
            twoWritersMillis += result.twoWritersMillis();
            if (strike <= warmUps) {
                print("warm-up", result);
            } else {
                print(String.format(Locale.ROOT, "run %3d", strike - warmUps), result);
                results.add(result);
            }
            if (strike < warmUps + runs) {
                healing.heal(result.from());
            }
        }
        return new Series(keeper.word(), results, lost, twoWritersMillis);
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

    private void makeWhole(Arena arena, String struck) throws IOException, InterruptedException {
        if (fault == Fault.SWITCHOVER || peer != null) {
            // The run itself has ended the fault.
            arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), START_LIMIT);
            return;
        }
        DatabaseServer server = arena.database(struck);
        long patience = System.nanoTime() + FENCE_LIMIT.toNanos();
        while (fault == Fault.PARTITION && server.isAlive() && System.nanoTime() - patience < 0) {
            LockSupport.parkNanos(20_000_000);
        }
        // Commits that nobody acknowledges hold up a mild fence: then the agent kills the server that was cut off.
        if (fault != Fault.PARTITION || !server.isAlive()) {
            server.restart();
            server.awaitReady(START_LIMIT);
        }
        if (!engine.isSql()) {
            // Redis has no history to part: what only the old primary held is saved, and it takes the new one's data by
            // itself.
            arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), START_LIMIT);
            return;
        }
        if (!arena.api().awaitWholeUnlessKeptAway(Arena.GROUP, arena.plan().members(), START_LIMIT)) {
            System.out.println("         " + struck + " holds writes that nobody acknowledged, so the arbiter keeps it"
                    + " fenced: it is rebuilt");
            if (Hactl.run(arena, "rebuild", Arena.GROUP, struck, "--yes", "--reason", "its history has parted") != 0) {
                throw new IOException("hactl rebuild of " + struck + " failed");
            }
        }
    }

    private int report(List<Series> all) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Series series : all) {
            if (peer != null) {
                System.out.println(series.keeper() + ":");
            }
            Map<String, Object> figures = figures(series);
            if (values.isEmpty()) {
                values.putAll(figures);
            } else {
                values.put(series.keeper(), figures);
            }
        }
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        if (runs < 100) {
            System.out.println("of " + runs + " runs p99 is the worst one; it takes 100 to be another");
        }
        Series own = all.get(0);
        return (own.lost() == 0 || Demo.mayLose(engine, waitFor)) && own.twoWritersMillis() == 0 ? 0 : 1;
    }

    private Map<String, Object> figures(Series series) {
        List<FailoverTrial.Result> results = series.results();
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("engine", engine.word());
        values.put("keeper", series.keeper());
        values.put("fault", fault.word());
        values.put("client", client().word());
        if (engine == ArenaPlan.Engine.REDIS) {
            values.put("wait", waitFor);
        }
        values.put("members", members());
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
        values.put(
                "acked",
                results.stream().mapToLong(FailoverTrial.Result::acknowledged).sum());
        values.put("lost", series.lost());
        values.put("two_writers_ms", series.twoWritersMillis());
        System.out.printf(
                Locale.ROOT,
                "acknowledged %s, lost %d, two writers %.1f ms%n",
                values.get("acked"),
                series.lost(),
                series.twoWritersMillis());
        return values;
    }

    private static Spread spread(
            String what, List<FailoverTrial.Result> results, ToDoubleFunction<FailoverTrial.Result> figure) {
        Spread spread = Spread.of(results.stream().mapToDouble(figure).toArray());
        spread.print(String.format(Locale.ROOT, "%-30s", what));
        return spread;
    }
}
