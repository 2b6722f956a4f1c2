package org.haarbiter.trial;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.haarbiter.lab.NetworkLab;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Plays stories of faults on real groups, in an order drawn from a seed, and judges each by what the clients saw. */
@Command(name = "faults", mixinStandardHelpOptions = true, description = "Plays faults on real groups.")
public final class FaultsBench implements Callable<Integer> {
    private static final Duration START_LIMIT = Duration.ofMinutes(2);

    /** After so many broken rounds more evidence tells nothing new. */
    private static final int MOST_BROKEN = 20;

    @Option(
            names = "--rounds",
            description = "stories played, over all engines (default: each usual story once per engine)")
    private int rounds;

    @Option(names = "--seed", description = "draws the order, and what a story leaves to chance (default: a new one)")
    private @Nullable Long seed;

    @Option(names = "--story", description = "only this one; may be given more than once", arity = "1")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--engine",
            description = "mysql, mariadb or redis (default: all)",
            converter = Demo.EngineWord.class)
    private ArenaPlan.@Nullable Engine engine;

    @Option(names = "--profile", description = "timing profile (default: ${DEFAULT-VALUE})", defaultValue = "fast")
    private String profile = "fast";

    @Option(names = "--list", description = "lists the stories and ends")
    private boolean list;

    private int played;
    private int broken;

    /** Exits with 0 when nothing broke. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new FaultsBench()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, SQLException {
        if (list) {
            Stories.ALL.forEach(s -> System.out.printf(
                    "%-28s%s%s%s%n",
                    s.name(),
                    s.tells(),
                    s.engines().equals(Story.SERVERS)
                            ? ""
                            : s.engines().stream()
                                    .map(ArenaPlan.Engine::word)
                                    .sorted()
                                    .collect(Collectors.joining(", ", " (", " only)")),
                    s.usual() ? "" : " (only when asked for by name)"));
            return 0;
        }
        List<Story> stories;
        try {
            stories = names.isEmpty()
                    ? Stories.ALL.stream().filter(Story::usual).toList()
                    : names.stream().map(Stories::named).toList();
        } catch (IllegalArgumentException e) {
            System.err.println("--story: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        List<ArenaPlan.Engine> engines =
                new ArrayList<>(engine == null ? List.of(ArenaPlan.Engine.values()) : List.of(engine));
        engines.removeIf(e -> stories.stream().noneMatch(s -> s.engines().contains(e)));
        if (engines.isEmpty()) {
            System.err.println(
                    names.isEmpty()
                            ? "--engine: no story is told of it yet (see --list)"
                            : "--engine: none of the stories " + names + " can befall it");
            return CommandLine.ExitCode.USAGE;
        }
        if (rounds < 0) {
            System.err.println("--rounds: " + rounds + " (must be 1 or more)");
            return CommandLine.ExitCode.USAGE;
        }
        if (NetworkLab.missing().isPresent()) {
            System.err.println(
                    "each host is a network namespace: " + NetworkLab.missing().get());
            return 1;
        }
        long drawn = seed == null ? System.nanoTime() & 0xffffff : seed;
        Random random = new Random(drawn);
        Collections.shuffle(engines, random);
        System.out.println("seed " + drawn);
        for (int i = 0; i < engines.size(); i++) {
            ArenaPlan.Engine on = engines.get(i);
            List<Story> possible =
                    stories.stream().filter(s -> s.engines().contains(on)).toList();
            int share = rounds == 0 ? possible.size() : (rounds + engines.size() - 1 - i) / engines.size();
            playOn(on, drawn(possible, share, random), random, drawn);
        }
        System.out.println(played + " rounds, " + broken + " broken; repeat them with --seed " + drawn);
        return broken == 0 ? 0 : 1;
    }

    /** So many, each as often as the others, in any order. */
    private static List<Story> drawn(List<Story> stories, int count, Random random) {
        List<Story> drawn = new ArrayList<>();
        while (drawn.size() < count) {
            List<Story> all = new ArrayList<>(stories);
            Collections.shuffle(all, random);
            drawn.addAll(all.subList(0, Math.min(all.size(), count - drawn.size())));
        }
        return drawn;
    }

    /** One arena for all, and another one after a broken round. */
    private void playOn(ArenaPlan.Engine on, List<Story> stories, Random random, long drawn)
            throws IOException, SQLException {
        int next = 0;
        while (next < stories.size() && broken < MOST_BROKEN) {
            Path work = Arena.passingWorkDirectory("ha-arbiter-faults-");
            try (Arena arena = Arena.open(plan(on, work))) {
                arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), START_LIMIT);
                boolean whole = true;
                while (next < stories.size() && whole) {
                    FaultRound.Result result = FaultRound.play(
                            arena, stories.get(next), new Random(random.nextLong()), ++next * SiteClients.NUMBERS);
                    whole = report(arena, result, drawn);
                }
            }
            try {
                Arena.deleteWorkDirectory(work);
            } catch (IOException | UncheckedIOException e) {
                System.out.println("      " + work + " is kept until the end: " + e.getMessage());
            }
        }
    }

    private ArenaPlan plan(ArenaPlan.Engine on, Path work) {
        return plan(on, work, profile);
    }

    /**
     * MariaDB can prove a switch only by all replicas, so with three of them a lost site would never be one; and what waits for one
     * replica of Redis is safe only while all are in reach.
     */
    static ArenaPlan plan(ArenaPlan.Engine on, Path work, String profile) {
        int members = on == ArenaPlan.Engine.MYSQL ? 4 : 3;
        return new ArenaPlan(
                on, members, work, ArenaPlan.Layout.SITES, 3, profile, on.isSql() ? "lossless" : "bounded", "");
    }

    private boolean report(Arena arena, FaultRound.Result result, long drawn) throws IOException {
        played++;
        System.out.printf("%3d %s%n", played, result.line());
        if (result.broken().isEmpty()) {
            return true;
        }
        broken++;
        result.broken().forEach(b -> System.out.println("      " + b));
        Path kept = Arena.home()
                .resolve("target")
                .resolve("faults")
                .resolve(drawn + "-" + played + "-" + result.engine().word() + "-"
                        + result.story().name());
        System.out.println("      logs are kept in " + FaultRound.keep(arena, result, kept));
        return false;
    }
}
