package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.haarbiter.admin.EventView;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.settings.Timing;
import org.jspecify.annotations.Nullable;

/** A whole site is lost, with the leader of the masters and the primaries of many groups in it. */
final class SiteLoss {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final long POLL_NANOS = 5_000_000;
    private static final int WRITE_MILLIS = 200;

    /**
     * What it came to, in ms from the loss.
     *
     * @param written when each group acknowledged a write again, the shards in their order
     * @param namesServed when DNS showed the last of the new primaries
     * @param said what the new leader said of its doubts, and of groups that wait for their turn
     */
    record Outcome(List<Double> written, double namesServed, List<String> said) {}

    private SiteLoss() {}

    /**
     * Builds it all, lets the north be lost, and waits until every group takes writes again.
     *
     * @param groups 1 to 250
     * @param work everything goes there
     * @param masterSettings further lines of the masters' settings; may be empty
     */
    static Outcome play(int groups, Path work, String profile, String masterSettings)
            throws IOException, SQLException, InterruptedException, ExecutionException {
        ArenaPlan plan =
                new ArenaPlan(ArenaPlan.Engine.MARIADB, 2, work, false, 3, profile, "lossless", masterSettings);
        Timing timing = Timing.Profile.valueOf(profile.toUpperCase(Locale.ROOT)).timing();
        try (Arena arena = Arena.open(plan);
                Shards shards = new Shards(arena, groups, timing)) {
            awaitAll(arena, "every group is well and its names are served", groups + 1, SiteLoss::well);
            arena.leadFrom("m1", LIMIT);
            for (Shards.Shard shard : shards.all()) {
                home(arena, shard.name());
            }
            awaitAll(
                    arena,
                    "every group is well, with its primary in the north",
                    groups + 1,
                    group -> well(group) && inTheNorth(group));
            return strike(arena, shards);
        }
    }

    private static boolean well(GroupSummary group) {
        return group.state().equals("ok") && group.names().equals("served");
    }

    private static boolean inTheNorth(GroupSummary group) {
        return group.primary().endsWith("-1");
    }

    /** So many agents that start at once can fall silent for a while: a group that has failed over meanwhile goes back. */
    private static void home(Arena arena, String group) throws IOException {
        GroupView view = arena.api().group(group);
        if (view != null && !view.primary().equals(group + "-1")) {
            arena.switchOver(group, group + "-1", "it begins in the north");
        }
    }

    private static Outcome strike(Arena arena, Shards shards)
            throws IOException, InterruptedException, ExecutionException {
        List<String> told = new ArrayList<>();
        long lost = System.nanoTime();
        arena.master("m1").kill9();
        shards.loseTheNorth();
        Future<List<Double>> written = writesAgain(shards, lost);
        double served = Double.NaN;
        while (!written.isDone() || Double.isNaN(served)) {
            StatusView status = arena.api().status();
            if (status != null) {
                status.problems().stream()
                        .filter(p -> p.contains("at once") || p.contains("turn"))
                        .filter(p ->
                                told.isEmpty() || !told.get(told.size() - 1).equals(p))
                        .forEach(told::add);
                boolean all = status.groups().stream()
                        .filter(group -> !group.name().equals(Arena.GROUP))
                        .allMatch(group -> !inTheNorth(group) && group.names().equals("served"));
                served = Double.isNaN(served) && all ? millisSince(lost) : served;
            }
            if (millisSince(lost) > LIMIT.toMillis()) {
                throw new IllegalStateException("not every group had its names served in " + LIMIT.toSeconds() + " s");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        for (EventView event : arena.api().events()) {
            if (event.kind().startsWith("leader-transfer")) {
                told.add(event.text());
            }
        }
        return new Outcome(written.get(), served, told);
    }

    /** A client of each shard writes to whoever takes it. */
    private static Future<List<Double>> writesAgain(Shards shards, long lost) {
        FutureTask<List<Double>> task = new FutureTask<>(() -> Shards.together(shards.all(), shard -> {
            while (millisSince(lost) < LIMIT.toMillis()) {
                for (MemoryServer server : shard.replicas()) {
                    if (server.write("after the loss", WRITE_MILLIS)) {
                        return millisSince(lost);
                    }
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
            throw new IllegalStateException(
                    shard.name() + " took no write within " + LIMIT.toSeconds() + " s of the loss");
        }));
        Thread thread = new Thread(task, "clients");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    private static void awaitAll(Arena arena, String what, int groups, Predicate<GroupSummary> condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            StatusView status = arena.api().status();
            if (status != null
                    && status.groups().size() == groups
                    && status.groups().stream().allMatch(condition)) {
                return;
            }
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        "waited " + LIMIT.toSeconds() + " s until " + what + ": " + missing(status, condition));
            }
            LockSupport.parkNanos(20 * POLL_NANOS);
        }
    }

    private static String missing(@Nullable StatusView status, Predicate<GroupSummary> condition) {
        return status == null
                ? "no leader answers"
                : status.groups().size() + " groups, of which not: "
                        + status.groups().stream().filter(condition.negate()).toList();
    }

    private static double millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e6;
    }
}
