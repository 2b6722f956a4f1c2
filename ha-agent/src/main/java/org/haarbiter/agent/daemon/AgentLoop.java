package org.haarbiter.agent.daemon;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.haarbiter.agent.core.AgentCore;
import org.haarbiter.agent.core.ServerHealth;
import org.haarbiter.agent.core.Step;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.supervisor.Supervisor;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs an {@link AgentCore} over an {@link Engine}. The thread that carries the links to the masters owns the core, too: on a
 * busy machine each turn of another thread would cost milliseconds of a failover. The engine's looks, commands and fences each
 * have a thread of their own, so that none waits for another.
 */
public final class AgentLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentLoop.class);

    /** A step that goes on failing in the same way is logged this often. */
    private static final long AGAIN_NANOS = 10_000_000_000L;

    private static final Duration SURPLUS_LIMIT = Duration.ofMinutes(10);

    /** A copy of a large server takes hours; one that stands still ends by itself. */
    private static final Duration REBUILD_LIMIT = Duration.ofHours(24);

    /** No fence takes so long: its last rung waits a second for the kernel. */
    private static final long FENCE_STANDS_STILL_NANOS = 3_000_000_000L;

    /** A failure that was logged. */
    private record Failure(Step step, String problem, long nanos) {}

    private final AgentCore core;
    private final Engine engine;
    private final Timing timing;
    private final Ticker ticker;
    private final LongSupplier wallMillis;
    private final Consumer<Heartbeat> masters;
    private final Peers peers;
    private final UnaryOperator<Sighting> lastWord;
    private final ConcurrentHashMap<StepCount, LongAdder> stepCounts = new ConcurrentHashMap<>();
    private final ExecutorService looks;
    private final ExecutorService commands;
    private final ExecutorService fences;
    private final ExecutorService rebuilds;
    private final Path surplusDirectory;
    private volatile @Nullable String progress;
    private final EventExecutor thread;
    private final Supervisor supervisor;
    private final CountDownLatch looked = new CountDownLatch(1);
    private volatile boolean closed;
    private volatile @Nullable Failure failed;
    private volatile @Nullable Sighting latest;
    private volatile @Nullable ServerHealth health;

    // Only the loop's thread uses these.
    private boolean looking;
    private boolean lookAgain;
    private long nextBeatNanos;
    private long wakeNanos;
    private @Nullable Future<?> waking;

    /** When the fence that is under way began; 0 while none is. */
    private long fencingNanos;

    /**
     * How often and how long.
     *
     * @param heartbeatMillis between heartbeats, and between looks at the server where {@link AgentCore#lookDue}
     * @param lookMillis the longest a look may take
     * @param commandMillis the longest a command may take
     * @param fenceMillis the longest a fence may take
     */
    public record Timing(int heartbeatMillis, int lookMillis, int commandMillis, int fenceMillis) {}

    /** The other agents of the group. Called on the loop's thread; must not block. */
    public interface Peers {
        /** With each heartbeat that is due: these shall be reachable. */
        void keep(PeerList list);

        /** Sends the request to all of them. */
        void ask(PeerRequest request);
    }

    /**
     * Starts at once.
     *
     * @param masters where heartbeats go; must not block
     * @param lastWord adds what only the process knows (say, an unreachable master) to the sighting's problems
     * @param surplusDirectory where what only this server held is saved before it is rebuilt
     * @param thread the one that owns the core, and calls {@code masters} and {@code lastWord}. What waits for it is bounded: a
     *     look, a command and a fence at a time, and the end of each server process
     * @param supervisor told after each turn of that thread, unless a fence has been under way for too long: then it is better
     *     that another process fences
     */
    public AgentLoop(
            AgentCore core,
            Engine engine,
            Timing timing,
            Ticker ticker,
            LongSupplier wallMillis,
            Consumer<Heartbeat> masters,
            Peers peers,
            UnaryOperator<Sighting> lastWord,
            Path surplusDirectory,
            EventExecutor thread,
            Supervisor supervisor) {
        this.core = core;
        this.engine = engine;
        this.timing = timing;
        this.ticker = ticker;
        this.wallMillis = wallMillis;
        this.masters = masters;
        this.peers = peers;
        this.lastWord = lastWord;
        this.thread = thread;
        this.supervisor = supervisor;
        this.looks = Executors.newSingleThreadExecutor(named("look"));
        this.commands = Executors.newSingleThreadExecutor(named("command"));
        this.fences = Executors.newSingleThreadExecutor(named("fence"));
        this.rebuilds = Executors.newSingleThreadExecutor(named("rebuild"));
        this.surplusDirectory = surplusDirectory;
        this.nextBeatNanos = ticker.nanos();
        engine.onDeath((instance, evidence) -> post(() -> {
            LOG.warn("server process ended: {} ({})", evidence, instance);
            core.died(instance, evidence);
        }));
        post(() -> {});
    }

    private static ThreadFactory named(String name) {
        return task -> {
            Thread thread = new Thread(task, "agent-" + name);
            thread.setDaemon(true);
            return thread;
        };
    }

    /** A leader's answer. On the loop's thread. */
    public void answered(Answer answer) {
        run(() -> core.answered(answer, ticker.nanos()));
    }

    /** Another agent asks for a permission. On the loop's thread. */
    public PeerAnswer asked(PeerRequest request) {
        PeerAnswer answer = core.asked(request, ticker.nanos());
        run(() -> {});
        return answer;
    }

    /** Another agent has answered. On the loop's thread. */
    public void answered(PeerAnswer answer) {
        run(() -> core.peerAnswered(answer));
    }

    /** The agent's disk holds this epoch. On the loop's thread. */
    void remembered(long epoch) {
        core.remembered(epoch);
    }

    /** What was last told to the masters; null before the first heartbeat. Any thread. */
    public @Nullable Sighting latest() {
        return latest;
    }

    /** How the server may be used, as of the loop's last turn; null before the first look and once the loop is closed. Any thread. */
    public @Nullable ServerHealth health() {
        return health;
    }

    /** The server may take writes under this epoch now. Any thread. */
    public boolean permitted(long epoch) {
        return core.permitted(epoch, ticker.nanos());
    }

    /** How long the server may go on taking writes without a further answer, in ns; 0 where it may not. Any thread. */
    public long permissionNanos() {
        return core.permissionNanos(ticker.nanos());
    }

    /** A kind of step and how it ended. */
    public record StepCount(String step, String outcome) {}

    /** How often each step was carried out since the start. Any thread. */
    public Map<StepCount, Long> stepCounts() {
        Map<StepCount, Long> counts = new LinkedHashMap<>();
        stepCounts.forEach((key, count) -> counts.put(key, count.sum()));
        return counts;
    }

    /** Runs it on the loop's thread, and then whatever follows from it; never once the loop is closed. Any thread. */
    void post(Runnable event) {
        try {
            thread.execute(() -> run(event));
        } catch (RejectedExecutionException e) {
            if (!closed) {
                throw e;
            }
        }
    }

    private void run(Runnable event) {
        if (closed) {
            return;
        }
        try {
            event.run();
            proceed();
            health = core.health();
            long now = ticker.nanos();
            if (fencingNanos == 0 || now - fencingNanos < FENCE_STANDS_STILL_NANOS) {
                supervisor.turned(now);
            }
        } catch (RuntimeException e) {
            LOG.error("a fault in the agent itself", e);
        }
        sleep();
    }

    private void sleep() {
        long now = ticker.nanos();
        long next = Math.min(Math.min(nextBeatNanos, core.deadlineNanos(now)), supervisor.dueNanos(now));
        Future<?> before = waking;
        if (before != null) {
            if (wakeNanos <= next) {
                return;
            }
            before.cancel(false);
        }
        wakeNanos = next;
        waking = thread.schedule(this::wake, Math.max(0, next - now), TimeUnit.NANOSECONDS);
    }

    private void wake() {
        waking = null;
        run(() -> {});
    }

    private void proceed() {
        Step step = core.next(ticker.nanos(), wallMillis.getAsLong());
        while (step != null) {
            carryOut(step);
            step = core.next(ticker.nanos(), wallMillis.getAsLong());
        }
        long now = ticker.nanos();
        boolean due = now >= nextBeatNanos;
        if (core.looked() && (due || core.tellsMore())) {
            beat(now);
        }
        if (due) {
            Goal goal = core.goal();
            peers.keep(goal == null ? PeerList.NONE : goal.peers());
            PeerRequest request = core.peerRequest(now);
            if (request != null) {
                peers.ask(request);
            }
            nextBeatNanos = Math.max(nextBeatNanos + millis(timing.heartbeatMillis()), now);
            if (core.lookDue()) {
                look();
            }
        }
        if (core.awaited() && !looking) {
            look();
        }
    }

    private void beat(long now) {
        Heartbeat heartbeat = core.heartbeat(now);
        Sighting whole = lastWord.apply(heartbeat.sighting());
        String copying = progress;
        if (copying != null) {
            List<String> problems = new ArrayList<>(whole.problems());
            problems.add(0, copying);
            whole = whole.withProblems(problems);
        }
        latest = whole;
        masters.accept(new Heartbeat(heartbeat.session(), heartbeat.sequence(), heartbeat.lookAnswered(), whole));
    }

    private void look() {
        if (looking) {
            lookAgain = true;
            return;
        }
        looking = true;
        looks.execute(() -> {
            long began = ticker.nanos();
            Observation observation = observe();
            post(() -> {
                looking = false;
                if (observation != null) {
                    core.observed(observation, began);
                    looked.countDown();
                }
                if (lookAgain) {
                    lookAgain = false;
                    look();
                }
            });
        });
    }

    private @Nullable Observation observe() {
        try {
            return engine.observe(Duration.ofMillis(timing.lookMillis()));
        } catch (RuntimeException e) {
            LOG.error("looking at the server failed", e);
            return null;
        }
    }

    private void carryOut(Step step) {
        // A step that fails is given again every 100 ms or so, for as long as its cause lasts.
        String saidBefore = failureSaid(step);
        if (step instanceof Step.Fence) {
            fencingNanos = ticker.nanos();
        }
        threadOf(step).execute(() -> {
            String problem = null;
            Observation after = null;
            long began = ticker.nanos();
            try {
                after = command(step);
            } catch (EngineException e) {
                problem = e.getMessage();
                if (Objects.equals(saidBefore, problem)) {
                    LOG.debug("step {} failed again: {}", step, problem);
                } else {
                    LOG.warn("step {} failed: {}", step, problem);
                    failed = new Failure(step, String.valueOf(problem), ticker.nanos());
                }
            } catch (RuntimeException e) {
                problem = "a fault in the agent itself while it carried out " + step + ": " + e;
                LOG.error("step {} failed", step, e);
            }
            long ended = ticker.nanos();
            String sentence = problem;
            Observation seen = after;
            stepCounts
                    .computeIfAbsent(
                            new StepCount(step.getClass().getSimpleName(), problem == null ? "done" : "failed"),
                            key -> new LongAdder())
                    .increment();
            post(() -> {
                if (step instanceof Step.Fence) {
                    fencingNanos = 0;
                }
                if (seen == null) {
                    core.ended(step, sentence, ticker.nanos());
                } else {
                    core.ended(step, seen, began, ticker.nanos());
                }
                look();
            });
            // Last: a line of the log takes as long as the command, and the group waits for what comes of that.
            if (problem == null) {
                LOG.info(
                        "step {} done in {} ms",
                        step.getClass().getSimpleName(),
                        String.format(Locale.ROOT, "%.1f", (ended - began) / 1e6));
            }
        });
        if (saidBefore == null) {
            LOG.info("step: {}", step);
        }
    }

    private ExecutorService threadOf(Step step) {
        return step instanceof Step.Fence ? fences : step instanceof Step.Rebuild ? rebuilds : commands;
    }

    /** What was logged of this step's failure a short while ago; null where it is the first or another. */
    private @Nullable String failureSaid(Step step) {
        Failure last = failed;
        return last != null && last.step().equals(step) && ticker.nanos() - last.nanos() < AGAIN_NANOS
                ? last.problem()
                : null;
    }

    /** @return what the command saw of the server after its work; null where a look must tell */
    private @Nullable Observation command(Step step) throws EngineException {
        Duration limit = Duration.ofMillis(timing.commandMillis());
        if (step instanceof Step.Fence) {
            engine.fence(Duration.ofMillis(timing.fenceMillis()));
        } else if (step instanceof Step.Drain) {
            return engine.drain(limit);
        } else if (step instanceof Step.Seal) {
            return engine.seal(limit);
        } else if (step instanceof Step.Promote promote) {
            engine.promote(promote.promotion(), () -> core.permitted(promote.epoch(), ticker.nanos()), limit);
        } else if (step instanceof Step.Settle) {
            engine.settle(limit);
        } else if (step instanceof Step.Follow follow) {
            engine.follow(follow.following(), limit);
        } else if (step instanceof Step.Rebuild rebuild) {
            rebuild(rebuild);
        } else if (step instanceof Step.RequireAcknowledgers require) {
            engine.requireAcknowledgers(require.before(), require.acknowledgers(), limit);
        }
        return null;
    }

    private void rebuild(Step.Rebuild step) throws EngineException {
        try {
            if (step.surplus()) {
                progress = "rebuilt from " + step.donor() + ": what only this server holds is being saved";
                Surplus kept = engine.keepSurplus(step.primaryPosition(), surplusDirectory, SURPLUS_LIMIT);
                if (kept != null) {
                    String sentence = kept.transactions() + " "
                            + engine.traits().positionKind().unit() + " that the primary lacks (" + kept.positions()
                            + ") are saved in " + kept.file();
                    LOG.warn("{}", sentence);
                    post(() -> core.surplusKept(sentence));
                }
            }
            engine.rebuild(
                    step.donor(),
                    (stage, done, total) -> progress = "rebuilt from " + step.donor() + ": " + stage + ", "
                            + (done >> 20) + (total < 0 ? "" : " of " + (total >> 20)) + " MB",
                    REBUILD_LIMIT);
        } finally {
            progress = null;
        }
    }

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Waits until the server was looked at for the first time. */
    void awaitLooked() throws InterruptedException {
        looked.await();
    }

    /**
     * Ends the loop for a stop in good order: what has to be fenced is fenced first.
     *
     * @param limit for all of it
     * @return when the permission ends by which the server is left open, {@link Long#MIN_VALUE} where it holds none; null where
     *     it couldn't be left in good order
     */
    @Nullable
    Long leave(Duration limit) {
        CompletableFuture<Long> asked = new CompletableFuture<>();
        CompletableFuture<Boolean> fenced = new CompletableFuture<>();
        long end = ticker.nanos() + limit.toNanos();
        try {
            thread.execute(() -> {
                try {
                    Step.Fence fence = closed ? null : core.fenceBeforeStop(ticker.nanos());
                    closed = true;
                    // Load balancers are told before the server is fenced.
                    health = null;
                    fences.execute(() -> fenced.complete(fence == null || fencesNow(fence)));
                    asked.complete(core.heldUntilNanos());
                } catch (RuntimeException e) {
                    asked.completeExceptionally(e);
                }
            });
            long held = asked.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            // Behind a fence that is under way, if one is.
            return fenced.get(Math.max(0, end - ticker.nanos()), TimeUnit.NANOSECONDS) ? held : null;
        } catch (RejectedExecutionException | ExecutionException | TimeoutException e) {
            LOG.error("the server can't be left in good order", e);
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private boolean fencesNow(Step.Fence fence) {
        LOG.warn("fencing before the stop: {}", fence.why());
        try {
            engine.fence(Duration.ofMillis(timing.fenceMillis()));
            return true;
        } catch (EngineException e) {
            LOG.error("fencing before the stop: {}", e.getMessage());
            return false;
        }
    }

    /** Ends the engine's threads, not the loop's; the server stays as it is. */
    @Override
    public void close() {
        closed = true;
        looks.shutdownNow();
        commands.shutdownNow();
        fences.shutdownNow();
        rebuilds.shutdownNow();
    }
}
