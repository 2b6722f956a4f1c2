package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.words.Endpoint;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What {@code scripts/demo.sh} shows. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Kills a real primary and shows what becomes of it.")
public final class Demo implements Callable<Integer> {
    private static final int WRITES_PER_SECOND = 1_000;
    /** All nodes share this machine's processors with the client. */
    private static final int DOCUMENTS_PER_SECOND = 100;

    /** Far more than a replica at work takes, and less than the client's patience with an answer. */
    private static final int WAIT_MILLIS = 500;

    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    @Option(
            names = "--engine",
            description = "mysql, mariadb, redis or elasticsearch",
            defaultValue = "mysql",
            converter = EngineWord.class)
    private ArenaPlan.Engine engine = ArenaPlan.Engine.MYSQL;

    @Option(
            names = "--fault",
            description = "kill, hang or partition",
            defaultValue = "kill",
            converter = FaultWord.class)
    private Fault fault = Fault.KILL;

    @Option(
            names = "--wait",
            paramLabel = "REPLICAS",
            description = "redis: the client waits after each write until so many replicas have it")
    private int waitFor;

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    @Option(names = "--keep", description = "leave everything running until Ctrl-C")
    private boolean keep;

    /** Reads an engine's name. */
    static final class EngineWord implements CommandLine.ITypeConverter<ArenaPlan.Engine> {
        @Override
        public ArenaPlan.Engine convert(String value) {
            return Words.constant(ArenaPlan.Engine.class, value);
        }
    }

    /** Reads a fault's name. */
    static final class FaultWord implements CommandLine.ITypeConverter<Fault> {
        @Override
        public Fault convert(String value) {
            return Words.constant(Fault.class, value);
        }
    }

    /** Exits with 0 when a switch was seen that lost nothing. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Demo()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        Optional<String> mistake = mistake(engine, waitFor);
        if (mistake.isPresent()) {
            System.err.println(mistake.get());
            return CommandLine.ExitCode.USAGE;
        }
        boolean separateHosts = fault == Fault.PARTITION;
        if (separateHosts && NetworkLab.missing().isPresent()) {
            System.err.println("--fault partition: " + NetworkLab.missing().get());
            return 1;
        }
        Path work = Arena.passingWorkDirectory("ha-arbiter-demo-");
        say("everything's files are in " + work);
        boolean clusters = engine == ArenaPlan.Engine.ELASTICSEARCH;
        if (clusters && separateHosts) {
            System.err.println(
                    "--fault partition: can't be shown with elasticsearch yet, whose nodes share this machine");
            return CommandLine.ExitCode.USAGE;
        }
        int rate = clusters ? DOCUMENTS_PER_SECOND : WRITES_PER_SECOND;
        say("starting BIND, 3 masters, and a group of "
                + (clusters
                        ? "2 elasticsearch clusters, of 3 and 2 nodes, with an agent beside each node (takes a minute)"
                        : "4 " + engine.word() + " servers with an agent beside each"));
        try (Arena arena = Arena.open(ArenaPlan.of(engine, work, separateHosts))) {
            DatabaseServer primary = arena.awaitPrimary(START_LIMIT);
            say("the group was adopted: " + primary.name() + " (" + primary.address() + ") is primary, and "
                    + arena.writeName() + " points to it");
            show(arena, "status");
            if (clusters) {
                // Nobody is promoted before it was compared with the primary.
                arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), START_LIMIT);
            }
            say("a client writes " + rate + (engine.isSql() ? " rows" : clusters ? " documents" : " keys") + " a second"
                    + (waitFor > 0 ? ", each with WAIT " + waitFor + "," : "") + " through " + arena.writeName()
                    + "; then: "
                    + fault.word() + " " + primary.name());
            FailoverTrial.Result result = FailoverTrial.run(
                    arena,
                    new ArbiterKeeper(arena),
                    new FailoverTrial.Plan(
                            fault, FailoverTrial.Client.DNS, writes(arena, waitFor), rate, 1, Duration.ZERO));
            say("the switch, as the arbiter logged it:");
            show(arena, "log", Arena.GROUP, "--limit", "1");
            say("the group now:");
            show(arena, "group", "show", Arena.GROUP);
            report(result);
            if (mayLose(engine, waitFor)) {
                say("a Redis primary acknowledges before any replica has the write, so such a client can lose some;"
                        + " one that writes with WAIT 1 doesn't (--wait 1)");
            }
            if (!arena.sentinels().isEmpty()) {
                say("clients of Redis Sentinel ask any of "
                        + arena.sentinels().stream().map(Endpoint::toString).collect(Collectors.joining(", "))
                        + " for the primary of " + Arena.GROUP);
            }
            say("console (JSON, Prometheus metrics): "
                    + String.join(" ", arena.api().consoles()));
            if (keep) {
                keepRunning(arena);
            }
            if (json) {
                System.out.println(new ObjectMapper().writeValueAsString(asJson(result)));
            }
            return (result.lost() == 0 || mayLose(engine, waitFor)) && result.twoWritersMillis() == 0 ? 0 : 1;
        }
    }

    /** How the client writes. */
    static DataClient writes(Arena arena, int waitFor) {
        return waitFor == 0 ? arena.writes() : DataClient.redisWaitingFor(waitFor, WAIT_MILLIS);
    }

    /** Whether a client that writes so was never promised that acknowledged writes stay. */
    static boolean mayLose(ArenaPlan.Engine engine, int waitFor) {
        return engine == ArenaPlan.Engine.REDIS && waitFor == 0;
    }

    /** What is wrong with {@code --wait}. */
    static Optional<String> mistake(ArenaPlan.Engine engine, int waitFor) {
        if (waitFor < 0) {
            return Optional.of("--wait: " + waitFor + " (must be 0 or more)");
        }
        return waitFor > 0 && engine != ArenaPlan.Engine.REDIS
                ? Optional.of("--wait: only clients of redis can wait for replicas; with " + engine.word()
                        + " the server itself does")
                : Optional.empty();
    }

    private static void report(FailoverTrial.Result result) {
        say("phases (ms): ");
        result.phases()
                .forEach((phase, millis) -> System.out.printf(Locale.ROOT, "      %-28s %8.1f%n", phase, millis));
        System.out.printf(
                Locale.ROOT,
                "==> %s -> %s: the client was without an acknowledged write for %.1f ms; %d writes acknowledged, %d lost; "
                        + "two writers for %.1f ms%n",
                result.from(),
                result.to(),
                result.outageMillis(),
                result.acknowledged(),
                result.lost(),
                result.twoWritersMillis());
    }

    static Map<String, Object> asJson(FailoverTrial.Result result) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("engine", result.engine());
        values.put("fault", result.fault());
        values.put("client", result.client());
        values.put("outage_ms", result.outageMillis());
        values.put("first_write_ms", result.firstWriteMillis());
        values.put("phases_ms", result.phases());
        values.put("acked", result.acknowledged());
        values.put("lost", result.lost());
        values.put("two_writers_ms", result.twoWritersMillis());
        return values;
    }

    private static void show(Arena arena, String... arguments) throws IOException, InterruptedException {
        Hactl.run(arena, arguments);
    }

    private static void keepRunning(Arena arena) throws InterruptedException {
        say("everything is left running. Try, in another terminal:");
        System.out.println("      export HA_MASTERS=" + arena.api().addresses());
        System.out.println("      scripts/hactl status");
        System.out.println("      scripts/hactl why " + Arena.GROUP);
        say("Ctrl-C ends it");
        // The lab's own shutdown hooks end the processes.
        new CountDownLatch(1).await();
    }

    private static void say(String text) {
        System.out.println("==> " + text);
    }
}
