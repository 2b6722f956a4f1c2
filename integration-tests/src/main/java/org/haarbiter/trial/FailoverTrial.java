package org.haarbiter.trial;

import java.io.IOException;
import java.time.Duration;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.WriteClient;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;

/** One failover under load: a client writes all the time, the primary is struck, the client's history is judged. */
public final class FailoverTrial {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int SECONDS_BEFORE = 3;
    private static final int AFTER = 300;

    /** How the client finds the primary. */
    public enum Client {
        /** It knows the write name, and resolves it at each connect. */
        DNS,
        /** It tries every member. */
        ANY
    }

    /**
     * What came of it. All times in ms, from the fault where not said otherwise.
     *
     * @param outageMillis from the last acknowledged write before to the first after, anywhere
     * @param firstWriteMillis the first acknowledged write at the new primary
     * @param phases durations as the arbiter logged them
     * @param acknowledged writes in all
     * @param lost acknowledged writes that the new primary lacks
     * @param twoWritersMillis how long two servers acknowledged writes at once, as the client can prove it
     */
    public record Result(
            String engine,
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

    /** How a client of an engine writes, whose every acknowledgement comes from the primary. */
    static WriteClient writes(ArenaPlan.Engine engine) {
        return engine == ArenaPlan.Engine.REDIS ? WriteClient.redis() : WriteClient.jdbc();
    }

    /** As with the engine's plain client. */
    public static Result run(Arena arena, Fault fault, Client client, int writesPerSecond, long firstId)
            throws IOException {
        return run(arena, fault, client, writes(arena.plan().engine()), writesPerSecond, firstId);
    }

    /** Runs one; the arena must be whole. The struck server stays as the fault left it; a cut host is joined again. */
    public static Result run(
            Arena arena, Fault fault, Client client, WriteClient writes, int writesPerSecond, long firstId)
            throws IOException {
        arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), LIMIT);
        DatabaseServer old = arena.awaitPrimary(LIMIT);
        WriteLoad.Target target = client == Client.DNS ? arena.byName() : arena.byMembers();
        WriteLoad.Behaviour behaviour = WriteLoad.Behaviour.of(8, writesPerSecond)
                .warming(arena.addresses())
                .startingAt(firstId)
                .on(arena.clients())
                .by(writes);
        WriteLoad load = WriteLoad.start(target, behaviour);
        WriteHistory.Outage outage;
        try (load) {
            load.awaitAcknowledged(SECONDS_BEFORE * writesPerSecond, LIMIT);
            long struck = System.nanoTime();
            fault.strike(arena, old);
            outage = load.awaitOutageEnd(struck, old.address(), LIMIT);
            load.awaitAcknowledged(load.history().ids().size() + AFTER, LIMIT);
        }
        if (fault == Fault.PARTITION) {
            arena.cut(old.name(), false);
        }
        arena.api().awaitPublished(Arena.GROUP, LIMIT);
        DatabaseServer fresh = arena.databases().at(outage.newServer());
        return new Result(
                arena.plan().engine().word(),
                fault.word(),
                client.name().toLowerCase(java.util.Locale.ROOT),
                old.name(),
                fresh.name(),
                outage.silenceMillis(),
                outage.firstNewMillis(),
                new TreeMap<>(arena.api().phases(Arena.GROUP)),
                load.history().ids().size(),
                lost(arena, load, fresh).size(),
                load.history().provenTwoWritersMillis());
    }

    private static SortedSet<Long> lost(Arena arena, WriteLoad load, DatabaseServer fresh) throws IOException {
        try {
            return arena.clients().call(() -> load.verify(fresh));
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("can't compare the client's history with " + fresh.name(), e);
        }
    }
}
