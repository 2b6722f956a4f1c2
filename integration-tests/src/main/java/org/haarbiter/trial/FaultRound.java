package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.HistoryCheck;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * One story, played once on a whole arena with clients at work in both sites, and judged by what these saw. Afterwards the
 * arena is whole again, unless the result says otherwise. One thread.
 */
final class FaultRound {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** A replica on a busy machine is so far behind. */
    private static final long LAG_MILLIS = 500;

    private static final long LOOK_NANOS = 100_000_000;

    /**
     * What came of it. Times in ms.
     *
     * @param broken what must not be, as sentences; empty where everything held
     * @param outageMillis the longest time without any acknowledged write from the fault on
     * @param longestOutageMillis the same for the client that was worst off
     * @param wholeMillis from the end of the fault until the group was whole again; negative where it isn't
     * @param acknowledged writes of all clients
     * @param lost of these, missing on the last primary
     * @param lostMillis see {@link HistoryCheck.Verdict#lostMillis}
     * @param twoWritersMillis for how long a former primary went on acknowledging, as clients can prove it
     * @param readsBack reads that found less than had been seen before
     * @param reads of all clients
     * @param stalestMillis how old the oldest of these was
     * @param roles who was primary, and who led, before the fault
     * @param arbiter what it did
     * @param notes what else there is to know
     */
    record Result(
            ArenaPlan.Engine engine,
            Story story,
            List<String> broken,
            double outageMillis,
            double longestOutageMillis,
            double wholeMillis,
            int acknowledged,
            int lost,
            double lostMillis,
            double twoWritersMillis,
            int readsBack,
            int reads,
            double stalestMillis,
            String roles,
            String arbiter,
            List<String> notes) {
        Result {
            broken = List.copyOf(broken);
            notes = List.copyOf(notes);
        }

        private Result alsoBroken(String sentence) {
            List<String> all = new ArrayList<>(broken);
            all.add(sentence);
            return new Result(
                    engine,
                    story,
                    all,
                    outageMillis,
                    longestOutageMillis,
                    wholeMillis,
                    acknowledged,
                    lost,
                    lostMillis,
                    twoWritersMillis,
                    readsBack,
                    reads,
                    stalestMillis,
                    roles,
                    arbiter,
                    notes);
        }

        /** One line. */
        String line() {
            return String.format(
                    Locale.ROOT,
                    "%-7s %-26s %-6s outage %5.0f ms (longest %5.0f), whole after %5.0f ms, acknowledged %5d, lost %d (%.0f ms), two writers %.0f ms,"
                            + " reads back %d of %d (%.0f ms); %s: %s",
                    engine.word(),
                    story.name(),
                    broken.isEmpty() ? "ok" : "BROKEN",
                    outageMillis,
                    longestOutageMillis,
                    wholeMillis,
                    acknowledged,
                    lost,
                    lostMillis,
                    twoWritersMillis,
                    readsBack,
                    reads,
                    stalestMillis,
                    roles,
                    arbiter);
        }
    }

    private final Arena arena;
    private final Story story;
    private final Random random;
    private final List<String> broken = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final SiteClients clients;
    private String roles = "nothing was struck";
    private long struckNanos;
    private double wholeMillis = -1;
    private Story.Expected expected = Story.Expected.EITHER;
    private @Nullable GroupView before;
    private @Nullable GroupView meanwhile;

    private FaultRound(Arena arena, Story story, Random random, SiteClients clients) {
        this.arena = arena;
        this.story = story;
        this.random = random;
        this.clients = clients;
    }

    /**
     * Plays one.
     *
     * @param random picks what the story leaves to chance
     * @param firstNumber the clients' numbers begin here; {@link SiteClients#NUMBERS} are taken
     */
    static Result play(Arena arena, Story story, Random random, long firstNumber) throws IOException {
        arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), LIMIT);
        Story.Stage stage = story.preparation().ready(arena, random);
        SiteClients clients = SiteClients.start(arena, firstNumber);
        FaultRound round = new FaultRound(arena, story, random, clients);
        try (clients) {
            round.disturb(stage.blow());
        }
        Result result = round.judged();
        try {
            stage.clear().undo();
        } catch (IOException | IllegalStateException e) {
            return result.alsoBroken("the preparation can't be taken back: " + e.getMessage());
        }
        return result;
    }

    private void disturb(Story.Blow blow) {
        try {
            clients.awaitBegun(LIMIT);
            Scene scene = new Scene(arena, random);
            before = arena.api().group(Arena.GROUP);
            expected = story.expectation().of(scene);
            roles = scene.primary().name() + " under " + scene.leader();
            notes.add("struck at " + Instant.now() + ", " + roles);
            struckNanos = System.nanoTime();
            Story.Undo undo = blow.strike(scene);
            try {
                Scene.last(1_000L * story.seconds());
                meanwhile = expected == Story.Expected.NO_SWITCH_MEANWHILE
                        ? arena.api().group(Arena.GROUP)
                        : null;
            } finally {
                undo.undo();
            }
            notes.add("over at " + Instant.now());
            long over = System.nanoTime();
            boolean atWork = makeWhole(over);
            wholeMillis = (System.nanoTime() - over) / 1e6;
            if (atWork) {
                clients.awaitMore(LIMIT);
            }
        } catch (IOException | DataClient.Failure | IllegalStateException e) {
            broken.add(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Starts servers that have ended, as a service manager does, and rebuilds who is kept away for what only it has. On a busy
     * machine a member never catches up with clients that go on: after a while they are stopped. Says whether they still work.
     */
    private boolean makeWhole(long overNanos) throws IOException {
        boolean atWork = true;
        Set<String> rebuilt = new HashSet<>();
        while (true) {
            if (atWork && System.nanoTime() - overNanos > PATIENCE.toNanos() && clients.workedSince(overNanos)) {
                notes.add("the clients were stopped " + PATIENCE.toSeconds()
                        + " s after the fault, so that all members catch up");
                clients.close();
                atWork = false;
            }
            for (DatabaseServer server : arena.databases().servers()) {
                if (!server.isAlive()) {
                    notes.add(server.name() + " had been killed and is started again");
                    server.restart();
                }
            }
            GroupView group = arena.api().group(Arena.GROUP);
            if (group != null) {
                if (ArbiterApi.whole(group, arena.plan().members())) {
                    return atWork;
                }
                for (MemberView member : group.members()) {
                    if (ArbiterApi.keptAway(member) && rebuilt.add(member.name())) {
                        rebuild(member.name());
                    }
                }
            }
            if (System.nanoTime() - overNanos > LIMIT.toNanos()) {
                throw new IllegalStateException("the group isn't whole " + LIMIT.toSeconds() + " s after the fault: "
                        + (group == null ? "no leader knows it" : group));
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private void rebuild(String member) throws IOException {
        notes.add(member + " held writes that nobody acknowledged and was rebuilt");
        try {
            Ended hactl =
                    Hactl.ended(arena, "rebuild", Arena.GROUP, member, "--yes", "--reason", "its history has parted");
            if (hactl.code() != 0) {
                throw new IOException("hactl rebuild of " + member + " failed: " + hactl.said());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + member + " is rebuilt", e);
        }
    }

    private Result judged() {
        theArbiterRuns();
        List<SwitchView> switches = switches();
        List<Endpoint> primaries = new ArrayList<>();
        GroupView start = before;
        if (start != null) {
            primaries.add(arena.database(start.primary()).address());
            switches.forEach(s -> primaries.add(arena.database(s.to()).address()));
            expectSwitches(switches.size(), start.epoch());
        }
        HistoryCheck.Verdict verdict = HistoryCheck.judge(
                primaries,
                clients.acknowledgements(),
                clients.writers(),
                clients.reads(),
                present(),
                arena.plan().engine().isSql());
        judgeLost(verdict);
        verdict.secondWriters().stream()
                .limit(10)
                .forEach(s -> broken.add("two writers: " + s.write() + " after " + s.before()));
        judgeReads(verdict);
        return new Result(
                arena.plan().engine(),
                story,
                broken,
                clients.outageMillis(struckNanos),
                clients.longestOutageMillis(struckNanos),
                wholeMillis,
                verdict.acknowledged(),
                verdict.lost().size(),
                verdict.lostMillis(),
                verdict.twoWritersMillis(),
                verdict.readsBack().size(),
                clients.reads().size(),
                verdict.stalestMillis(),
                roles,
                told(switches),
                notes);
    }

    /** Nothing ends a master or an agent but a story, and that one has started it again. */
    private void theArbiterRuns() {
        for (String master : arena.masterNames()) {
            if (!arena.master(master).isAlive()) {
                broken.add("master " + master + " ended by itself");
            }
        }
        for (DatabaseServer server : arena.databases().servers()) {
            if (!arena.agent(server.name()).isAlive()) {
                broken.add("the agent of " + server.name() + " ended by itself");
            }
        }
    }

    private List<SwitchView> switches() {
        GroupView start = before;
        return arena.api().switches(Arena.GROUP).stream()
                .filter(s -> start != null && s.epoch() > start.epoch())
                .filter(s -> !s.to().isEmpty() && !s.outcome().equals("abandoned"))
                .sorted(Comparator.comparingLong(SwitchView::epoch))
                .toList();
    }

    private void expectSwitches(int switches, long epoch) {
        switch (expected) {
            case SWITCH -> {
                if (switches == 0) {
                    broken.add("no switch was made (expected one)");
                }
            }
            case NO_SWITCH -> {
                if (switches > 0) {
                    broken.add("a switch was made (expected none)");
                }
            }
            case NO_SWITCH_MEANWHILE -> {
                GroupView seen = meanwhile;
                if (seen == null || seen.epoch() != epoch) {
                    broken.add("a switch was made before the fault was over (expected none)");
                }
            }
            case EITHER -> {}
        }
    }

    /**
     * Where a server acknowledges before a replica has the write, those of its last moments may be lost: while it has permission
     * and the others don't hear it, and no more. Who waits for a replica loses nothing that a replica in reach has.
     */
    private void judgeLost(HistoryCheck.Verdict verdict) {
        boolean lossless = arena.plan().engine().isSql();
        SortedSet<Long> mustNotBe = new TreeSet<>(verdict.lost());
        if (!lossless) {
            mustNotBe.removeIf(id -> story.hidesReplica() || !clients.waited(id));
        }
        if (!mustNotBe.isEmpty()) {
            broken.add(mustNotBe.size() + " acknowledged writes are missing on the last primary, from "
                    + mustNotBe.first() + " to " + mustNotBe.last());
        }
        long limit = timing().leaseMillis() + LAG_MILLIS;
        if (!lossless && verdict.lostMillis() > limit) {
            broken.add(String.format(
                    Locale.ROOT,
                    "of %d lost writes the oldest was acknowledged %.0f ms before its server's last (must be at most %d)",
                    verdict.lost().size(),
                    verdict.lostMillis(),
                    limit));
        }
    }

    private Timing timing() {
        return Timing.Profile.valueOf(arena.plan().profile().toUpperCase(Locale.ROOT))
                .timing();
    }

    /**
     * A former primary that the others can't reach answers reads until its lease is over; one that does so for longer isn't
     * fenced.
     */
    private void judgeReads(HistoryCheck.Verdict verdict) {
        long limit = 2L * timing().leaseMillis();
        verdict.readsBack().stream()
                .filter(r -> r.staleMillis() > limit)
                .limit(10)
                .forEach(r -> broken.add(String.format(
                        Locale.ROOT,
                        "a read of %s found %d where %d had been seen; it was %.0f ms old (must be at most %d)",
                        r.read().server(),
                        r.found(),
                        r.wanted(),
                        r.staleMillis(),
                        limit)));
    }

    /** What the last primary holds of this round; also says where another member doesn't hold the same. */
    private Set<Long> present() {
        Set<Long> present = new HashSet<>();
        try {
            DatabaseServer last = arena.awaitPrimary(LIMIT);
            present.addAll(client().written(last, clients.writers().get(0).first()));
            for (DatabaseServer server : arena.databases().servers()) {
                awaitSameData(last, server);
            }
        } catch (IOException | IllegalStateException e) {
            broken.add("what the members hold in the end can't be seen: " + e.getMessage());
        }
        return present;
    }

    private DataClient client() {
        return arena.writes();
    }

    private void awaitSameData(DatabaseServer primary, DatabaseServer server) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            String wanted = client().summary(primary);
            String held = client().summary(server);
            if (held.equals(wanted)) {
                return;
            }
            if (System.nanoTime() - end > 0) {
                broken.add(server.name() + " holds " + held + ", the primary " + primary.name() + " " + wanted);
                return;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private static String told(List<SwitchView> switches) {
        return switches.isEmpty()
                ? "no switch"
                : switches.stream()
                        .map(s -> s.kind() + " " + s.from() + " -> " + s.to() + " (" + s.trigger() + ", "
                                + s.durationMillis() + " ms)")
                        .collect(Collectors.joining(", "));
    }

    /** Copies logs and settings of a round to a directory, with all that is known of it. */
    static Path keep(Arena arena, Result result, Path directory) throws IOException {
        Files.createDirectories(directory);
        Path work = arena.plan().work();
        try (Stream<Path> files = Files.walk(work, 2)) {
            for (Path file : files.filter(FaultRound::tells).toList()) {
                Path copy = directory.resolve(work.relativize(file).toString().replace('/', '-'));
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        StringBuilder text = new StringBuilder();
        text.append(result.story().tells()).append('\n').append(result.line()).append("\n\nbroken:\n");
        result.broken().forEach(b -> text.append(b).append('\n'));
        text.append("\nnotes:\n");
        result.notes().forEach(n -> text.append(n).append('\n'));
        text.append("\nswitches:\n");
        arena.api().switches(Arena.GROUP).forEach(s -> text.append(s).append('\n'));
        text.append("\ngroup:\n").append(arena.api().group(Arena.GROUP)).append('\n');
        Files.writeString(directory.resolve("round.txt"), text);
        return directory;
    }

    private static boolean tells(Path file) {
        String name = String.valueOf(file.getFileName());
        return Files.isRegularFile(file)
                && (name.equals("log")
                        || name.endsWith(".log")
                        || name.endsWith(".jsonl")
                        || name.endsWith(".yaml")
                        || name.endsWith(".cnf"))
                && !name.contains("credentials")
                && !name.contains("zone-key")
                && !name.contains("replication");
    }
}
