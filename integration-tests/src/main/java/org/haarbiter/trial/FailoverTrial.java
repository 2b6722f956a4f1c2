package org.haarbiter.trial;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.HistoryCheck;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.haarbiter.words.Endpoint;

/** One failover under load: a client writes all the time, the primary is struck, the client's history is judged. */
public final class FailoverTrial {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int SECONDS_BEFORE = 3;
    private static final int AFTER = 300;

    /** Numbers that a run's clients may use. */
    static final long NUMBERS = 1_000_000;

    private static final long BESIDE = NUMBERS / 2;

    /** By then whoever keeps the group has noticed that a server is back: Sentinel takes 10 to 18 s. */
    private static final Duration BACK = Duration.ofSeconds(20);

    /** How the client finds the primary. */
    public enum Client {
        /** It knows the write name, and resolves it at each connect. */
        DNS,
        /** It tries every member. */
        ANY,
        /** It asks the masters as it would ask Redis Sentinels, or these where they keep the group. */
        SENTINEL;

        /** As commands write it. */
        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What came of it. All times in ms, from the fault where not said otherwise.
     *
     * @param outageMillis from the last acknowledged write before to the first after, anywhere
     * @param firstWriteMillis the first acknowledged write at the new primary
     * @param keeper what kept the group available
     * @param phases durations as the arbiter logged them
     * @param acknowledged writes in all
     * @param lost acknowledged writes that the new primary lacks
     * @param twoWritersMillis for how long a former primary acknowledged writes beside a later one, as clients can prove it
     */
    public record Result(
            String engine,
            String keeper,
            String fault,
            String client,
            String from,
            String to,
            double outageMillis,
            double firstWriteMillis,
            SortedMap<String, Double> phases,
            long acknowledged,
            long lost,
            double twoWritersMillis) {}

    private FailoverTrial() {}

    /**
     * What happens in one.
     *
     * @param client how it finds the primary
     * @param writes how it speaks with servers
     * @param writesPerSecond 1 to 20 000
     * @param firstId its first number; {@link #NUMBERS} are its own
     * @param lasting how long the fault lasts, with the client at work until the struck server has been back for {@link #BACK};
     *     zero where the fault stays, and a cut ends with the run. In a cut that lasts a second client is beside the primary
     */
    record Plan(Fault fault, Client client, DataClient writes, int writesPerSecond, long firstId, Duration lasting) {}

    /** As with the engine's plain client and the arena's own arbiter. */
    public static Result run(Arena arena, Fault fault, Client client, int writesPerSecond, long firstId)
            throws IOException {
        return run(
                arena,
                new ArbiterKeeper(arena),
                new Plan(fault, client, arena.writes(), writesPerSecond, firstId, Duration.ZERO));
    }

    /** Runs one; the group must be whole. Where the fault doesn't end, the struck server stays as it left it. */
    static Result run(Arena arena, Keeper keeper, Plan plan) throws IOException {
        DatabaseServer old = keeper.awaitWhole(LIMIT);
        WriteLoad.Behaviour behaviour = WriteLoad.Behaviour.of(8, plan.writesPerSecond())
                .warming(arena.addresses())
                .startingAt(plan.firstId())
                .on(arena.clients())
                .by(plan.writes());
        WriteLoad load = WriteLoad.start(keeper.target(plan.client()), behaviour);
        List<WriteLoad> loads = new ArrayList<>(List.of(load));
        if (plan.fault() == Fault.PARTITION && !plan.lasting().isZero()) {
            // A client on the primary's side of the cut.
            loads.add(WriteLoad.start(
                    arena.byMembers(),
                    behaviour
                            .startingAt(plan.firstId() + BESIDE)
                            .on(arena.hostsOf(old).get(0))));
        }
        WriteHistory.Outage outage;
        try {
            load.awaitAcknowledged(SECONDS_BEFORE * plan.writesPerSecond(), LIMIT);
            long struck = System.nanoTime();
            plan.fault().strike(arena, keeper, old);
            outage = load.awaitOutageEnd(struck, old.address(), LIMIT);
            if (!plan.lasting().isZero()) {
                Scene.lastUntil(struck + plan.lasting().toNanos());
                plan.fault().end(arena, old);
                Scene.lastUntil(System.nanoTime() + BACK.toNanos());
            }
            load.awaitAcknowledged(load.history().ids().size() + AFTER, LIMIT);
        } finally {
            loads.forEach(WriteLoad::close);
        }
        if (plan.fault() == Fault.PARTITION && plan.lasting().isZero()) {
            arena.cut(old.name(), false);
        }
        DatabaseServer last = keeper.awaitSettled(LIMIT);
        List<Endpoint> primaries = new ArrayList<>(List.of(old.address(), outage.newServer()));
        if (!last.address().equals(outage.newServer())) {
            primaries.add(last.address());
        }
        HistoryCheck.Verdict verdict = HistoryCheck.judge(
                primaries,
                loads.stream()
                        .flatMap(one -> one.history().acknowledgements().stream())
                        .toList(),
                List.of(),
                List.of(),
                present(arena, plan, last),
                false);
        return new Result(
                arena.plan().engine().word(),
                keeper.word(),
                plan.fault().word(),
                plan.client().word(),
                old.name(),
                arena.databases().at(outage.newServer()).name(),
                outage.silenceMillis(),
                outage.firstNewMillis(),
                keeper.phases(),
                verdict.acknowledged(),
                verdict.lost().size(),
                verdict.overlapMillis());
    }

    private static Set<Long> present(Arena arena, Plan plan, DatabaseServer last) throws IOException {
        try {
            return arena.clients().call(() -> plan.writes().written(last, plan.firstId()));
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("can't read from " + last.name() + " what the client wrote", e);
        }
    }
}
