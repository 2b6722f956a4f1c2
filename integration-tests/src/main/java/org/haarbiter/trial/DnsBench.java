package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.lab.Servers;
import org.haarbiter.words.Endpoint;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The embedded DNS server beside BIND, Knot and PowerDNS: the same zone, the same queries, in turn, in the same run. The server
 * is on the first processor and dnsperf on the second, where there are two.
 */
@Command(name = "dns", mixinStandardHelpOptions = true, description = "Compares DNS servers.")
public final class DnsBench implements Callable<Integer> {
    /** The kernel reports processor time in units of this to programs, whatever its own are. */
    private static final double TICK_MICROS = 10_000;

    private static final Pattern COMPLETED = Pattern.compile("Queries completed: +(\\d+)");
    private static final Pattern LOST = Pattern.compile("Queries lost: +(\\d+)");
    private static final Pattern PER_SECOND = Pattern.compile("Queries per second: +([0-9.]+)");
    /** Of -v: one line a query, with its seconds at the end. */
    private static final Pattern LATENCY = Pattern.compile("(?m)^> \\S+ .* ([0-9]+\\.[0-9]+)$");

    @Option(names = "--names", defaultValue = "4000", description = "names of the zone (default: ${DEFAULT-VALUE})")
    private int names = 4_000;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            description = "of each run at full speed (default: ${DEFAULT-VALUE})")
    private int seconds = 5;

    @Option(
            names = "--rounds",
            defaultValue = "3",
            description = "how often each server has its turn; medians are told (default: ${DEFAULT-VALUE})")
    private int rounds = 3;

    @Option(
            names = "--rate",
            defaultValue = "10000",
            description = "queries a second at which latency is measured (default: ${DEFAULT-VALUE})")
    private int rate = 10_000;

    @Option(names = "--only", split = ",", description = "of embedded, BIND, Knot, PowerDNS (default: all)")
    private List<String> only = List.of("embedded", "BIND", "Knot", "PowerDNS");

    @Option(
            names = "--java-flags",
            split = " ",
            defaultValue = "-Xmx128m -XX:+UseSerialGC",
            description = "of the embedded server (default: ${DEFAULT-VALUE})")
    private List<String> javaFlags = List.of();

    @Option(names = "--json", description = "the last line is one JSON object")
    private boolean json;

    private record Turn(
            double perSecond, double userMicros, double systemMicros, double lostPercent, double p50, double p99) {}

    private record Ticks(long user, long system) {}

    /** Exits with 0 when it could measure. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new DnsBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (names < 40 || names > 1_000_000 || seconds < 1 || rounds < 1 || rate < 1) {
            System.err.println("--names " + names + " --seconds " + seconds + " --rounds " + rounds + " --rate " + rate
                    + " (must be 40 to 1000000, and 1 or more each)");
            return CommandLine.ExitCode.USAGE;
        }
        Path work = Arena.passingWorkDirectory("ha-arbiter-dns-");
        DnsTrialZone zone = new DnsTrialZone(names);
        Path queries = Files.write(work.resolve("queries"), zone.queries());
        List<DnsContender> contenders = new ArrayList<>();
        Map<String, List<Turn>> turns = new LinkedHashMap<>();
        try {
            for (String name : only) {
                DnsContender contender = contender(name, work, zone);
                contenders.add(contender);
                contender.start();
                // Compilers and caches want to see it all once.
                dnsperf(work, contender.address(), queries, List.of("-l", "6"));
                turns.put(contender.name(), new ArrayList<>());
            }
            for (int round = 0; round < rounds; round++) {
                for (DnsContender contender : contenders) {
                    turns.getOrDefault(contender.name(), new ArrayList<>()).add(turn(work, contender, queries));
                }
            }
        } finally {
            for (DnsContender contender : contenders) {
                contender.close();
            }
        }
        report(turns);
        return 0;
    }

    private DnsContender contender(String name, Path work, DnsTrialZone zone) throws IOException {
        Path own = work.resolve(name);
        return switch (name) {
            case "embedded" -> DnsContender.embedded(own, names, javaFlags);
            case "BIND" -> DnsContender.bind(own, zone);
            case "Knot" -> DnsContender.knot(own, zone);
            case "PowerDNS" -> DnsContender.powerDns(own, zone);
            default ->
                throw new CommandLine.TypeConversionException(
                        "--only: '" + name + "' (must be of embedded, BIND, Knot, PowerDNS)");
        };
    }

    private Turn turn(Path work, DnsContender contender, Path queries) throws IOException, InterruptedException {
        Ticks before = ticks(contender.pid());
        String fast = dnsperf(work, contender.address(), queries, List.of("-l", Integer.toString(seconds)));
        Ticks after = ticks(contender.pid());
        double completed = figure(COMPLETED, fast);
        String steady = dnsperf(
                work,
                contender.address(),
                queries,
                List.of("-l", "3", "-Q", Integer.toString(rate), "-v", "-q", "1000"));
        double[] latencies = LATENCY.matcher(steady)
                .results()
                .mapToDouble(match -> Double.parseDouble(match.group(1)) * 1e6)
                .sorted()
                .toArray();
        if (latencies.length == 0) {
            throw new IOException("dnsperf told no latencies of " + contender.name() + ":\n" + end(steady));
        }
        return new Turn(
                figure(PER_SECOND, fast),
                (after.user() - before.user()) * TICK_MICROS / completed,
                (after.system() - before.system()) * TICK_MICROS / completed,
                100 * figure(LOST, fast) / Math.max(1, completed),
                latencies[latencies.length / 2],
                latencies[(int) (latencies.length * 0.99)]);
    }

    private static String dnsperf(Path work, Endpoint server, Path queries, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(DnsContender.onProcessor(1));
        command.addAll(List.of(
                Servers.onPath("dnsperf").toString(),
                "-s",
                server.host(),
                "-p",
                Integer.toString(server.port()),
                "-d",
                queries.toString(),
                "-e",
                "-c",
                "8",
                "-q",
                "200",
                "-t",
                "1"));
        command.addAll(options);
        Path said = work.resolve("dnsperf.out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        if (!process.waitFor(10, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(String.join(" ", command) + " failed:\n" + end(Files.readString(said)));
        }
        return Files.readString(said);
    }

    private static String end(String text) {
        return text.substring(Math.max(0, text.length() - 2_000));
    }

    private static double figure(Pattern pattern, String said) throws IOException {
        Matcher matcher = pattern.matcher(said);
        if (!matcher.find()) {
            throw new IOException("dnsperf said nothing like '" + pattern + "':\n" + end(said));
        }
        return Double.parseDouble(matcher.group(1));
    }

    private static Ticks ticks(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // The name in brackets may hold blanks; after it come state, ..., utime (12th), stime (13th).
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return new Ticks(Long.parseLong(fields[11]), Long.parseLong(fields[12]));
    }

    private void report(Map<String, List<Turn>> turns) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("names", names);
        values.put("rounds", rounds);
        System.out.printf(
                Locale.ROOT,
                "%-9s %12s %12s %12s %7s   at %,d q/s: %8s %9s%n",
                "",
                "queries/s",
                "user us/q",
                "system us/q",
                "lost %",
                rate,
                "p50 us",
                "p99 us");
        turns.forEach((name, all) -> {
            Turn median = new Turn(
                    median(all.stream().mapToDouble(Turn::perSecond).toArray()),
                    median(all.stream().mapToDouble(Turn::userMicros).toArray()),
                    median(all.stream().mapToDouble(Turn::systemMicros).toArray()),
                    median(all.stream().mapToDouble(Turn::lostPercent).toArray()),
                    median(all.stream().mapToDouble(Turn::p50).toArray()),
                    median(all.stream().mapToDouble(Turn::p99).toArray()));
            System.out.printf(
                    Locale.ROOT,
                    "%-9s %,12.0f %12.2f %12.2f %7.2f   %19.0f %9.0f%n",
                    name,
                    median.perSecond(),
                    median.userMicros(),
                    median.systemMicros(),
                    median.lostPercent(),
                    median.p50(),
                    median.p99());
            Map<String, Object> own = new LinkedHashMap<>();
            own.put("queries_per_second", median.perSecond());
            own.put("user_us_per_query", median.userMicros());
            own.put("system_us_per_query", median.systemMicros());
            own.put("lost_percent", median.lostPercent());
            own.put("p50_us", median.p50());
            own.put("p99_us", median.p99());
            values.put(name, own);
        });
        if (json) {
            System.out.println(new ObjectMapper().writeValueAsString(values));
        }
    }

    private static double median(double[] figures) {
        Arrays.sort(figures);
        return (figures[figures.length / 2] + figures[(figures.length - 1) / 2]) / 2;
    }
}
