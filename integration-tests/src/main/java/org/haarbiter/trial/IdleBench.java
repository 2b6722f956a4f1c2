package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.haarbiter.lab.DatabaseServer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures what masters and agents take of a machine while nothing happens, as the kernel counts it. */
@Command(name = "idle", mixinStandardHelpOptions = true, description = "Measures masters and agents at rest.")
public final class IdleBench implements Callable<Integer> {
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    /** The kernel reports processor time in units of this to programs, whatever its own are. */
    private static final double TICK_SECONDS = 0.01;

    @Option(names = "--engine", defaultValue = "mysql", converter = Demo.EngineWord.class)
    private ArenaPlan.Engine engine = ArenaPlan.Engine.MYSQL;

    @Option(
            names = "--settle",
            defaultValue = "90",
            description = "seconds before measuring (default: ${DEFAULT-VALUE})")
    private int settleSeconds = 90;

    @Option(names = "--seconds", defaultValue = "30", description = "seconds measured (default: ${DEFAULT-VALUE})")
    private int seconds = 30;

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    /** Exits with 0 when it could measure. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new IdleBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException, InterruptedException {
        if (settleSeconds < 0 || seconds < 1) {
            throw new IllegalArgumentException(
                    "--settle " + settleSeconds + " --seconds " + seconds + " (must be at least 0 and at least 1)");
        }
        Path work = Arena.passingWorkDirectory("ha-arbiter-idle-");
        Map<String, Object> values = new LinkedHashMap<>();
        try (Arena arena = Arena.open(ArenaPlan.of(engine, work, false))) {
            arena.awaitPrimary(START_LIMIT);
            arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), START_LIMIT);
            TreeMap<String, Long> pids = pids(arena);
            TimeUnit.SECONDS.sleep(settleSeconds);
            Map<String, Double> before = new TreeMap<>();
            for (Map.Entry<String, Long> one : pids.entrySet()) {
                before.put(one.getKey(), processorSeconds(one.getValue()));
            }
            long began = System.nanoTime();
            TimeUnit.SECONDS.sleep(seconds);
            for (Map.Entry<String, Long> one : pids.entrySet()) {
                double used = processorSeconds(one.getValue()) - before.getOrDefault(one.getKey(), 0.0);
                double percent = 100 * used / ((System.nanoTime() - began) / 1e9);
                long megabytes = residentKilobytes(one.getValue()) / 1024;
                System.out.printf(Locale.ROOT, "%-20s %6.2f %% of a core  %4d MB%n", one.getKey(), percent, megabytes);
                values.put(one.getKey(), Map.of("cpu_percent", percent, "memory_mb", megabytes));
            }
        }
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
        return 0;
    }

    private static TreeMap<String, Long> pids(Arena arena) {
        TreeMap<String, Long> pids = new TreeMap<>();
        for (int i = 1; i <= arena.plan().masters(); i++) {
            pids.put("master m" + i, arena.master("m" + i).pid());
        }
        for (DatabaseServer server : arena.databases().servers()) {
            pids.put("agent " + server.name(), arena.agent(server.name()).pid());
        }
        return pids;
    }

    private static double processorSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // The name in brackets may hold blanks; after it come state, ..., utime (12th), stime (13th).
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_SECONDS;
    }

    private static long residentKilobytes(long pid) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("/proc/" + pid + "/status has no VmRSS: process " + pid + " has ended");
    }
}
