package org.haarbiter.master.loop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Invariants;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Testimony;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.master.raft.LogListener;
import org.haarbiter.master.raft.NotLeaderException;
import org.haarbiter.master.raft.ReplicatedLog;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Role;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs an {@link Arbiter} over a {@link ReplicatedLog}. One thread owns the arbiter; everything else hands it events
 * through a bounded inbox. The log's own thread only applies entries to the state, which is immutable.
 *
 * <p>An answer is sent only after a quorum has confirmed, later than the heartbeat arrived, that this master leads: by a
 * read-index round for a batch of heartbeats, or by the commit of an entry that was proposed after they had arrived.
 */
public final class MasterLoop implements LogListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MasterLoop.class);
    private static final int HELD_LIMIT = 100;
    private static final int INBOX_LIMIT = 65_536;

    /** Sends an answer to the agent from which a heartbeat came; must not block. */
    @FunctionalInterface
    public interface ReplyPath {
        /** Sends, or drops: the next answer says it all again. */
        void send(Answer answer);
    }

    /** The other masters, by the names that the settings give them. Called on the loop's thread, must not block. */
    public interface Witnesses {
        /** Asks one which of these members it hears; fails where it can't be reached. */
        CompletableFuture<Testimony> ask(String master, SortedSet<MemberName> unheard);

        /** Lets another master lead from here on; where it can't, this one goes on, and says so. */
        void handOver(String master);
    }

    /** What the loop tells the rest of the master; called on the loop's thread, must not block. */
    public interface Observer {
        /** The log went on, or a restart reads it again. */
        void applied(ClusterState before, ClusterState after);

        /** This master leads from here on, or no longer; the state is the newest that it was told of. */
        void leading(boolean leading, long term, ClusterState state);

        /** A moment has passed; the arbiter may be looked at. */
        void tick(Arbiter arbiter, long nowNanos);

        /** A heartbeat wasn't believed. */
        void refused(Heartbeat heartbeat, String sentence);

        /** The node can't go on; the process must stop. */
        void fault(String sentence, Throwable cause);
    }

    /**
     * How often.
     *
     * @param tickMillis how often every group is looked at, whether or not something was heard
     * @param confirmGapMillis the least time between two confirmations of leadership while somebody in a switch waits
     * @param steadyGapMillis the same while nobody does: a lease is long, and fewer rounds spare every master's processor
     */
    public record Pace(int tickMillis, int confirmGapMillis, int steadyGapMillis) {}

    /** A command's outcome, with the index of its entry in the log; 0 where there is none. */
    public record Judged(Command.Outcome outcome, long index) {}

    /** A command that came while a decision on its group was being committed. */
    private record Held(Command command, CompletableFuture<Judged> done) {}

    /** A heartbeat that waits for its answer. */
    private record Awaiting(
            String group,
            String member,
            String agent,
            long session,
            long sequence,
            long arrivedNanos,
            ReplyPath replyPath) {}

    private final Arbiter arbiter;
    private final StateCodec codec;
    private final Ticker ticker;
    private final LongSupplier wallMillis;
    private final Pace pace;
    private final Observer observer;
    private final Masters masters;
    private final TreeSet<String> asking = new TreeSet<>();
    private final BlockingQueue<Runnable> inbox = new ArrayBlockingQueue<>(INBOX_LIMIT);
    private final Thread thread;

    /** The newest heartbeat of each agent, by group and agent. */
    private final TreeMap<String, TreeMap<String, Awaiting>> newest = new TreeMap<>();

    private final TreeMap<String, Awaiting> unanswered = new TreeMap<>();
    private final List<Held> held = new ArrayList<>();
    private final TreeMap<String, List<Awaiting>> beforeProposal = new TreeMap<>();

    /**
     * By group and agent, what was confirmed while a decision on the group was being committed. Answered at once, it would be
     * told the old wish, and then take the commit's answer, which is to an older heartbeat, for an old one: the new wish would
     * reach it with its next heartbeat only.
     */
    private final TreeMap<String, TreeMap<String, Awaiting>> confirmed = new TreeMap<>();

    private @Nullable ReplicatedLog log;
    private @Nullable Witnesses witnesses;
    private boolean confirming;
    private boolean urgent;
    private long lastConfirmNanos;
    private long nextTickNanos;
    private volatile long appliedIndex;
    private volatile ClusterState applied = ClusterState.empty();
    private volatile boolean closed;
    private final LongAdder droppedHeartbeats = new LongAdder();

    /** Runs nothing before {@link #start}, and decides nothing before {@link #attach}. */
    public MasterLoop(
            Limits limits,
            Masters masters,
            Pace pace,
            StateCodec codec,
            Ticker ticker,
            LongSupplier wallMillis,
            Observer observer) {
        this.arbiter = new Arbiter(limits, masters, ticker.nanos());
        this.masters = masters;
        this.pace = pace;
        this.codec = codec;
        this.ticker = ticker;
        this.wallMillis = wallMillis;
        this.observer = observer;
        this.nextTickNanos = ticker.nanos();
        this.thread = new Thread(this::run, "master-loop");
    }

    /** Starts the thread. Called once. */
    public void start() {
        thread.start();
    }

    /** The log to propose to; it may already have called back. */
    public void attach(ReplicatedLog replicatedLog, Witnesses otherMasters) {
        put(() -> {
            log = replicatedLog;
            witnesses = otherMasters;
        });
    }

    /** A heartbeat came in. Any thread; dropped, and counted, when the loop can't keep up: the next says it all again. */
    public void heard(Heartbeat heartbeat, long arrivedNanos, ReplyPath replyPath) {
        if (!inbox.offer(() -> hear(heartbeat, arrivedNanos, replyPath))) {
            droppedHeartbeats.increment();
        }
    }

    /** How many heartbeats were dropped since the start because the loop couldn't keep up. */
    public long droppedHeartbeats() {
        return droppedHeartbeats.sum();
    }

    /**
     * Every authoritative server shows the names of this epoch. Any thread.
     *
     * @param gone names that must not exist, and don't
     */
    public void namesServed(String group, long epoch, SortedSet<String> gone) {
        put(() -> {
            arbiter.namesServed(group, epoch, gone, ticker.nanos());
            decide(group);
        });
    }

    /** Asks the arbiter something on its own thread. */
    public <T> CompletableFuture<T> ask(Function<Arbiter, T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        boolean taken = inbox.offer(() -> {
            try {
                answer.complete(question.apply(arbiter));
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        if (!taken) {
            answer.completeExceptionally(overloaded());
        }
        return answer;
    }

    /**
     * Judges a person's command and, where it is accepted, commits it.
     *
     * @return the outcome once it is committed, or the refusal; fails with {@link NotLeaderException} on a follower
     */
    public CompletableFuture<Judged> command(Command command) {
        return whenLeading((replicated, done) -> {
            if (arbiter.deciding(command.group()) && held.size() < HELD_LIMIT) {
                held.add(new Held(command, done));
            } else {
                judge(command, replicated, done);
            }
        });
    }

    private void judge(Command command, ReplicatedLog replicated, CompletableFuture<Judged> done) {
        Command.Outcome outcome = arbiter.command(command, ticker.nanos(), wallMillis.getAsLong());
        Entry entry = outcome.entry();
        if (entry == null) {
            done.complete(new Judged(outcome, 0));
        } else {
            proposeFor(done, replicated, entry, index -> new Judged(outcome, index));
        }
    }

    /** The group's decision is made: those who waited for it are judged, until there is another one. Refuses all without a leader. */
    private void judgeHeld(String group) {
        for (Held next : List.copyOf(held)) {
            ReplicatedLog replicated = log;
            if (replicated == null || !arbiter.leading()) {
                held.remove(next);
                next.done()
                        .completeExceptionally(new NotLeaderException(
                                "this master doesn't lead any more", replicated == null ? null : replicated.leader()));
            } else if (next.command().group().equals(group) && !arbiter.deciding(group)) {
                held.remove(next);
                judge(next.command(), replicated, next.done());
            }
        }
    }

    /**
     * Commits what was done outside the arbiter's rules, for the switch log. Any thread.
     *
     * @param entry made from the wall clock, in ms
     * @return its index; fails with {@link NotLeaderException} on a follower
     */
    public CompletableFuture<Long> commit(LongFunction<Entry> entry) {
        return whenLeading((replicated, done) ->
                proposeFor(done, replicated, entry.apply(wallMillis.getAsLong()), index -> index));
    }

    /** On the loop's thread; the future fails where this master doesn't lead, or has too much to do. */
    private <T> CompletableFuture<T> whenLeading(BiConsumer<ReplicatedLog, CompletableFuture<T>> work) {
        CompletableFuture<T> done = new CompletableFuture<>();
        boolean taken = inbox.offer(() -> {
            ReplicatedLog replicated = log;
            if (!arbiter.leading() || replicated == null) {
                done.completeExceptionally(new NotLeaderException(
                        "this master doesn't lead", replicated == null ? null : replicated.leader()));
                return;
            }
            work.accept(replicated, done);
        });
        if (!taken) {
            done.completeExceptionally(overloaded());
        }
        return done;
    }

    private <T> void proposeFor(
            CompletableFuture<T> done, ReplicatedLog replicated, Entry entry, LongFunction<T> committed) {
        propose(replicated, entry).whenComplete((index, failure) -> {
            if (failure == null) {
                done.complete(committed.apply(index));
            } else {
                done.completeExceptionally(failure);
            }
        });
    }

    private static RejectedExecutionException overloaded() {
        return new RejectedExecutionException("the master is overloaded; ask again");
    }

    /** The state as this node has applied it. Any thread. */
    public ClusterState state() {
        return applied;
    }

    /** The index of the newest entry that this node has applied, itself or by a snapshot; 0 before the first. Any thread. */
    public long appliedIndex() {
        return appliedIndex;
    }

    private void put(Runnable event) {
        try {
            inbox.put(event);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!closed) {
            try {
                long wait = nextTickNanos - ticker.nanos();
                Runnable event = wait <= 0 ? inbox.poll() : inbox.poll(wait, TimeUnit.NANOSECONDS);
                while (event != null) {
                    event.run();
                    event = inbox.poll();
                }
                confirm();
                long now = ticker.nanos();
                if (now >= nextTickNanos) {
                    nextTickNanos = now + TimeUnit.MILLISECONDS.toNanos(pace.tickMillis());
                    // A lease must not wait for a commit that doesn't come.
                    List.copyOf(confirmed.keySet()).forEach(this::answerConfirmed);
                    decideAll();
                    lookWhoIsWell();
                    listenToOthers(now);
                    observer.tick(arbiter, now);
                }
            } catch (InterruptedException e) {
                if (!closed) {
                    observer.fault("the decision loop was interrupted", e);
                }
                return;
            } catch (RuntimeException e) {
                LOG.error("the decision loop failed", e);
                observer.fault("the decision loop failed: " + e, e);
                return;
            }
        }
    }

    private void hear(Heartbeat heartbeat, long arrivedNanos, ReplyPath replyPath) {
        String refusal = arbiter.heard(heartbeat, arrivedNanos);
        if (refusal != null) {
            observer.refused(heartbeat, refusal);
            return;
        }
        String group = heartbeat.sighting().group();
        String member = heartbeat.sighting().member();
        String agent = heartbeat.sighting().agentName();
        Awaiting awaiting =
                new Awaiting(group, member, agent, heartbeat.session(), heartbeat.sequence(), arrivedNanos, replyPath);
        newest.computeIfAbsent(group, g -> new TreeMap<>()).put(agent, awaiting);
        if (arbiter.leading()) {
            unanswered.put(group + "/" + agent, awaiting);
            Group known = arbiter.state().group(group);
            urgent |= known == null || !(known.phase() instanceof Phase.Steady);
            decide(group);
        }
    }

    private void decide(String group) {
        Entry entry = arbiter.decide(group, ticker.nanos(), wallMillis.getAsLong());
        if (entry != null) {
            submit(entry);
        }
    }

    private void decideAll() {
        for (Entry entry : arbiter.decide(ticker.nanos(), wallMillis.getAsLong())) {
            submit(entry);
        }
    }

    /** Nobody's writes wait for it, so that the tick is soon enough. */
    private void lookWhoIsWell() {
        Entry serving = arbiter.serving(ticker.nanos(), wallMillis.getAsLong());
        if (serving != null) {
            submit(serving);
        }
        Entry resumed = arbiter.endFleetPause(wallMillis.getAsLong());
        if (resumed != null) {
            submit(resumed);
        }
        Entry judged = arbiter.judgeEndpoints(ticker.nanos(), wallMillis.getAsLong());
        if (judged != null) {
            submit(judged);
        }
    }

    /** Asks the other masters about whom this one doesn't hear, and lets one lead that hears more. */
    private void listenToOthers(long now) {
        Witnesses others = witnesses;
        SortedSet<MemberName> unheard = arbiter.toAsk(now);
        if (others == null || unheard.isEmpty()) {
            return;
        }
        for (String master : masters.others()) {
            if (!asking.add(master)) {
                continue; // it hasn't answered yet
            }
            others.ask(master, unheard)
                    .whenComplete((testimony, failure) -> put(() -> {
                        asking.remove(master);
                        if (failure == null) {
                            arbiter.testified(master, testimony, now, ticker.nanos());
                        }
                    }));
        }
        String better = arbiter.betterLeader(now);
        if (better != null) {
            LOG.warn("master {} hears members that this one doesn't, and is to lead", better);
            others.handOver(better);
        }
    }

    private void submit(Entry entry) {
        ReplicatedLog replicated = log;
        if (replicated == null) {
            arbiter.proposalEnded(entry.group());
            return;
        }
        propose(replicated, entry).whenComplete((index, failure) -> {
            if (failure != null) {
                LOG.warn("proposal {} failed: {}", entry.getClass().getSimpleName(), failure.toString());
            }
        });
    }

    private CompletableFuture<Long> propose(ReplicatedLog replicated, Entry entry) {
        // Whoever had spoken before the proposal is answered by the commit, without another round.
        beforeProposal.put(
                entry.group(),
                new ArrayList<>(
                        newest.getOrDefault(entry.group(), new TreeMap<>()).values()));
        CompletableFuture<Long> committed = replicated.propose(codec.entry(entry), arbiter.term());
        committed.whenComplete((index, failure) -> {
            if (failure != null) {
                put(() -> {
                    arbiter.proposalEnded(entry.group());
                    beforeProposal.remove(entry.group());
                    answerConfirmed(entry.group());
                    judgeHeld(entry.group());
                });
            }
        });
        return committed;
    }

    private void confirm() {
        ReplicatedLog replicated = log;
        long now = ticker.nanos();
        if (confirming
                || unanswered.isEmpty()
                || !arbiter.leading()
                || replicated == null
                || now - lastConfirmNanos
                        < TimeUnit.MILLISECONDS.toNanos(urgent ? pace.confirmGapMillis() : pace.steadyGapMillis())) {
            return;
        }
        confirming = true;
        urgent = false;
        lastConfirmNanos = now;
        List<Awaiting> batch = List.copyOf(unanswered.values());
        unanswered.clear();
        long term = arbiter.term();
        replicated
                .confirmLeadership(term)
                .whenComplete((nothing, failure) -> put(() -> {
                    confirming = false;
                    if (failure == null && arbiter.leading() && arbiter.term() == term) {
                        batch.forEach(this::answerConfirmed);
                    }
                }));
    }

    private void answerConfirmed(Awaiting awaiting) {
        if (arbiter.deciding(awaiting.group())) {
            confirmed.computeIfAbsent(awaiting.group(), g -> new TreeMap<>()).put(awaiting.agent(), awaiting);
        } else {
            answer(awaiting);
        }
    }

    private void answerConfirmed(String group) {
        TreeMap<String, Awaiting> members = confirmed.remove(group);
        if (members != null) {
            members.values().forEach(this::answer);
        }
    }

    private void answer(Awaiting awaiting) {
        Goal goal = arbiter.goal(awaiting.group(), awaiting.member());
        if (goal == null) {
            return;
        }
        if (goal.role() == Role.PRIMARY) {
            arbiter.granted(awaiting.group(), awaiting.member(), goal, awaiting.arrivedNanos());
        }
        awaiting.replyPath().send(new Answer(awaiting.session(), awaiting.sequence(), goal));
    }

    @Override
    public void apply(long index, long term, byte[] bytes) {
        Entry entry;
        try {
            entry = codec.entry(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("log entry " + index + " can't be read: " + e.getMessage(), e);
        }
        ClusterState before = applied;
        ClusterState after = entry.applyTo(before, index);
        String broken = Invariants.broken(before, after, entry);
        if (broken != null) {
            throw new IllegalStateException("log entry " + index + " breaks an invariant: " + broken);
        }
        applied = after;
        appliedIndex = index;
        put(() -> entryApplied(entry, before, after));
    }

    private void entryApplied(Entry entry, ClusterState before, ClusterState after) {
        arbiter.applied(after, ticker.nanos());
        observer.applied(before, after);
        if (!arbiter.leading()) {
            return;
        }
        String group = entry.group();
        arbiter.proposalEnded(group);
        List<Awaiting> awaiting = beforeProposal.remove(group);
        if (awaiting != null) {
            awaiting.forEach(this::answer);
        }
        answerConfirmed(group);
        judgeHeld(group);
        decide(group);
        if (arbiter.waitingForATurn() > 0) {
            decideAll();
        }
    }

    @Override
    public byte[] saveSnapshot() {
        return codec.state(applied);
    }

    @Override
    public void loadSnapshot(long upTo, byte[] snapshot) {
        ClusterState state;
        try {
            state = codec.state(snapshot);
        } catch (IOException e) {
            throw new UncheckedIOException("the snapshot can't be read: " + e.getMessage(), e);
        }
        ClusterState before = applied;
        applied = state;
        appliedIndex = upTo;
        put(() -> {
            arbiter.applied(state, ticker.nanos());
            observer.applied(before, state);
        });
    }

    @Override
    public void leaderStarted(long term) {
        put(() -> {
            beforeProposal.clear();
            confirmed.clear();
            unanswered.clear();
            arbiter.leaderStarted(term, ticker.nanos());
            LOG.info("leading in term {}", term);
            observer.leading(true, term, applied);
            newest.values()
                    .forEach(members -> members.values().forEach(a -> unanswered.put(a.group() + "/" + a.agent(), a)));
        });
    }

    @Override
    public void leaderStopped(long term) {
        put(() -> {
            arbiter.leaderStopped();
            judgeHeld("");
            beforeProposal.clear();
            confirmed.clear();
            unanswered.clear();
            LOG.info("no longer leading (term {})", term);
            observer.leading(false, term, applied);
        });
    }

    @Override
    public void fault(String sentence, Throwable cause) {
        observer.fault(sentence, cause);
    }

    /** The events that {@code after} has and {@code before} lacks, oldest first. */
    public static List<AuditEvent> newEvents(ClusterState before, ClusterState after) {
        long last = before.recent().isEmpty()
                ? 0
                : before.recent().get(before.recent().size() - 1).index();
        return after.recent().stream().filter(event -> event.index() > last).toList();
    }

    /** The group, where this node knows it. Any thread. */
    public @Nullable Group group(String name) {
        return applied.group(name);
    }

    /** What was heard, for tests that wait for it. */
    public CompletableFuture<TreeMap<String, Heard>> heardOf(String group) {
        return ask(a -> new TreeMap<>(a.heardOf(group)));
    }

    /** Ends the thread. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
