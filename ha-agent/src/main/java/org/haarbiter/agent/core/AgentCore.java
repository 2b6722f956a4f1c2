package org.haarbiter.agent.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Peering;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * An agent's mind. It takes in what the engine sees and what the leader wants, and says which command the engine needs next.
 * Confined to one thread, but for {@link #permitted} and {@link #permissionNanos}. Times are monotonic nanoseconds of this machine.
 */
public final class AgentCore {

    /** Less than that may come of the rounding of times. */
    private static final long STREAM_NEWS_NANOS = 5_000_000;

    /** Heartbeats whose answers may still come: more than a lease's worth at any profile. */
    private static final int SENT_LIMIT = 256;

    private record Sent(long sequence, long sentNanos) {}

    private record Lease(long epoch, long endNanos) {
        static final Lease NONE = new Lease(0, Long.MIN_VALUE);
    }

    private final Identity identity;
    private final Traits traits;
    private final AgentLimits limits;
    private final long session;
    private final long knownEpoch;
    private final long unansweredEndNanos;

    /**
     * An earlier agent of this member took orders: it knew an epoch, or left a permission behind before it had written down of
     * which epoch that was.
     */
    private final boolean tookOrders;

    private final ArrayDeque<Sent> sent = new ArrayDeque<>();

    private long sequence;
    private @Nullable Observation seen;
    private long seenNanos = Long.MIN_VALUE;

    /** When the newest step ended that looked by itself: a look that began before it is older, however late it ends. */
    private long shownNanos = Long.MIN_VALUE;

    private @Nullable Goal goal;
    private long term;

    /** The first heartbeat that told of the present instance, or of its death: older ones were about something else. */
    private long instanceSequence;

    private String deadInstance = "";
    private String deathEvidence = "";

    /** One reference, so that another thread never sees the end of one epoch's lease with the number of another. */
    private volatile Lease lease = Lease.NONE;

    private final Promises promises;
    private final PeerRounds rounds = new PeerRounds();

    /** The newest epoch that a peer said it knows. */
    private long peersEpoch;

    /** Why peers don't let this primary go on, by name. */
    private final TreeMap<String, String> refusals = new TreeMap<>();

    private long answeredSequence;

    /** Answers of the accepted term that have come, with the time by which they had. */
    private final ArrayDeque<Sent> answers = new ArrayDeque<>();

    private long lookAnswered;
    private @Nullable Sighting told;

    /** When the look began that the masters were last told of. */
    private long toldSeenNanos;

    private long lastNanos = Long.MIN_VALUE;
    private long lastWallMillis;

    private long sealedEpoch;
    private long fencedEpoch;
    private long openEpoch;

    /** An earlier agent left it open, and no look has told yet whether it still is: one that hangs may go on and write. */
    private boolean leftOpen;

    private long openedNanos = Long.MIN_VALUE;

    /** When this agent itself opened writes; unlike {@link #openedNanos} not when it found them open. */
    private long promotedNanos = Long.MIN_VALUE;

    private long settledEpoch;
    private boolean historyComplete;
    private boolean sourceSeen;
    private @Nullable Step followed;

    /** A seal, fence or drain that has returned; it counts once an observation that began later confirms it. */
    private @Nullable Step unconfirmed;

    private long confirmableNanos;

    private @Nullable Step running;
    private boolean fencing;
    private @Nullable Step lastStep;
    private long retryNanos = Long.MIN_VALUE;
    private @Nullable String failure;
    private final Drifts drifts = new Drifts();

    /** How many acknowledgements the open server's commits were last made to wait for, or seen to. */
    private int acknowledgersSet;

    private long acknowledgersSetNanos;

    /** The first heartbeat that tells a leader that commits wait for less than the goal says; 0 while they don't. */
    private long fewerSequence;

    /** How many they waited for when that heartbeat was due. */
    private int fewest;

    private String surplus = "";
    private long rebuildNotBeforeNanos = Long.MIN_VALUE;

    /** Of the newest rebuild: one that another epoch asks for needn't wait. */
    private long rebuiltEpoch;

    /**
     * A new agent.
     *
     * @param session drawn anew at each start
     * @param knownEpoch the newest epoch that an earlier agent of this member accepted; 0 where it never was adopted
     * @param heldUntilNanos when the permission ends that an earlier agent held when it stopped in good order;
     *     {@link Long#MIN_VALUE} where it isn't known
     */
    public AgentCore(
            Identity identity,
            Traits traits,
            AgentLimits limits,
            long session,
            long knownEpoch,
            long heldUntilNanos,
            long nowNanos) {
        this.identity = identity;
        this.traits = traits;
        this.limits = limits;
        this.session = session;
        this.knownEpoch = knownEpoch;
        // Counted from this agent's start it would outlast a permission that was given to the one before.
        this.unansweredEndNanos = heldUntilNanos == Long.MIN_VALUE
                ? nowNanos + AgentLimits.nanos(limits.unansweredMillis())
                : heldUntilNanos - AgentLimits.nanos(limits.leaseSlackMillis());
        this.tookOrders = knownEpoch > 0 || heldUntilNanos != Long.MIN_VALUE;
        this.leftOpen = heldUntilNanos != Long.MIN_VALUE;
        this.promises = new Promises(identity, limits, knownEpoch, nowNanos);
        // Whether the server was restarted under an earlier agent isn't known.
        this.historyComplete = traits.historySurvivesRestart() || knownEpoch == 0;
    }

    /**
     * The engine has looked at the server.
     *
     * @param began when the look began: what happened after it may not show
     */
    public void observed(Observation observation, long began) {
        if (began >= shownNanos) {
            observed(observation, began, began);
        }
    }

    /** @param shows from when on the server's own doings would show in it */
    private void observed(Observation observation, long began, long shows) {
        Observation before = seen;
        if (observation.instance().equals(deadInstance) && observation.state() != ServerState.DEAD) {
            // The look began before the process was seen to end.
            return;
        }
        if (observation.state() == ServerState.RUNNING) {
            Sent answer = answers.peek();
            while (answer != null && answer.sentNanos() <= began) {
                lookAnswered = answer.sequence();
                answers.remove();
                answer = answers.peek();
            }
        }
        seen = observation;
        seenNanos = began;
        if (before != null
                && !before.instance().isEmpty()
                && !observation.instance().isEmpty()
                && !before.instance().equals(observation.instance())) {
            instanceChanged();
        }
        if (before != null && before.standsBy() != observation.standsBy()) {
            speakerChanged(observation, began);
        }
        if (observation.state() == ServerState.DEAD && before != null && before.state() != ServerState.DEAD) {
            dropOpen();
        }
        if (!takesCommands(observation)) {
            return;
        }
        if (!sourceSeen) {
            sourceSeen = true;
            // Of a group that was never adopted nobody knows what a replica that doesn't receive has dropped; one that
            // never held anything has dropped nothing.
            boolean idleReplica = observation.source() != null
                    && !observation.receiving()
                    && !observation.received().isEmpty();
            historyComplete &= traits.historySurvivesRestart() || !idleReplica;
        }
        leftOpen = false;
        confirm(observation, shows);
        if (openEpoch > 0 && !observation.writable() && began > openedNanos) {
            openEpoch = 0;
        }
        if (fencedEpoch > 0 && observation.writable()) {
            fencedEpoch = 0;
        }
        if (sealedEpoch > 0 && observation.receiving()) {
            sealedEpoch = 0;
        }
        Goal wish = goal;
        if (wish != null) {
            noticeDrift(before, observation, wish, began);
        }
        if (!historyComplete
                && observation.receiving()
                && observation.applying()
                && wish != null
                && !wish.primaryPosition().isEmpty()) {
            historyComplete = traits.positionKind()
                    .parse(observation.received())
                    .covers(traits.positionKind().parse(wish.primaryPosition()));
        }
    }

    /** A setting was as the arbiter had made it, and isn't any more, though no step is under way. */
    private void noticeDrift(@Nullable Observation before, Observation now, Goal wish, long began) {
        if (running != null
                || fencing
                || unconfirmed != null
                || before == null
                || !before.instance().equals(now.instance())) {
            return;
        }
        if (openEpoch > 0 && openEpoch == wish.epoch() && began > acknowledgersSetNanos) {
            int required = now.acknowledgersRequired();
            if (required != acknowledgersSet && acknowledgersSet == wish.acknowledgers()) {
                drifts.found(
                        "acknowledgers",
                        "somebody made commits wait for " + required
                                + " acknowledgements without limit (the arbiter had set " + acknowledgersSet + ")",
                        began);
            }
            acknowledgersSet = required;
        }
        boolean rested = before.receiving() && follows(before, wish) && wish.role() == Role.REPLICA;
        if (rested && before.acknowledging() == wish.acknowledges() && now.acknowledging() != wish.acknowledges()) {
            drifts.found(
                    "acknowledging",
                    "somebody made this replica " + (now.acknowledging() ? "acknowledge" : "stop acknowledging")
                            + " (the arbiter wants the opposite)",
                    began);
        }
        if (rested && !before.writable() && now.writable()) {
            drifts.found("writable", "somebody opened this replica for writes (it must be read-only)", began);
        }
    }

    private void instanceChanged() {
        instanceSequence = sequence + 1;
        dropOpen();
        forgetEffects();
        historyComplete = traits.historySurvivesRestart();
    }

    private void forgetEffects() {
        sealedEpoch = 0;
        fencedEpoch = 0;
        settledEpoch = 0;
        followed = null;
        unconfirmed = null;
        lastStep = null;
    }

    /** What an agent has done to a cluster, another one doesn't know: it begins as if it had been started. */
    private void speakerChanged(Observation now, long nowNanos) {
        openEpoch = 0;
        forgetEffects();
        if (!now.standsBy()) {
            promises.takenOver(nowNanos);
        }
    }

    private void dropOpen() {
        openEpoch = 0;
        leftOpen = false;
        lease = Lease.NONE;
    }

    private void confirm(Observation observation, long shows) {
        Step step = unconfirmed;
        // An order to open writes that had its permission may still be carried out after the fence.
        if (step == null || shows < confirmableNanos || running instanceof Step.Promote) {
            return;
        }
        unconfirmed = null;
        if (step instanceof Step.Seal && !observation.receiving()) {
            sealedEpoch = step.epoch();
        } else if ((step instanceof Step.Fence || step instanceof Step.Drain) && !observation.writable()) {
            fencedEpoch = step.epoch();
        }
    }

    /** The server's process has ended or is ending; said by the process watch, before any look could tell. */
    public void died(String instance, String evidence) {
        Observation last = seen;
        if (last == null || !last.instance().equals(instance) || deadInstance.equals(instance)) {
            return;
        }
        deadInstance = instance;
        deathEvidence = evidence;
        instanceSequence = sequence + 1;
        dropOpen();
        seen = last.inState(ServerState.DEAD, evidence, last.sourceHeardMillis());
    }

    /**
     * The server was looked at. Before that there is nothing to tell: a leader would take a heartbeat that names no process for one
     * of a server that was restarted, and have it fenced.
     */
    public boolean looked() {
        return seen != null;
    }

    /** Something changed since the last heartbeat that a leader may be waiting for: the next one shouldn't wait for its time. */
    public boolean tellsMore() {
        Sighting last = told;
        Sighting now = sighting();
        return last == null
                || last.state() != now.state()
                || !last.instance().equals(now.instance())
                || last.sealedEpoch() != now.sealedEpoch()
                || last.fencedEpoch() != now.fencedEpoch()
                || last.openEpoch() != now.openEpoch()
                || last.writable() != now.writable()
                || last.receiving() != now.receiving()
                || last.acknowledgersRequired() != now.acknowledgersRequired()
                || last.rebuilding() != now.rebuilding()
                || (awaited() && (!last.received().equals(now.received()) || heardMoreOfStream(last, now)))
                || !last.peering().list().equals(now.peering().list())
                || last.peering().rememberedEpoch() != now.peering().rememberedEpoch()
                || last.peering().promised() != now.peering().promised()
                || !Objects.equals(last.node(), now.node());
    }

    /**
     * With the heartbeat that is due, the server must be looked at. While all is as it shall be, only with every second one: a
     * look costs more than a heartbeat, and the end of the process is noticed without.
     */
    public boolean lookDue() {
        return !atRest() || sequence % 2 == 0;
    }

    /**
     * A switch waits for what this server holds, or for what it hears of its stream: it must be looked at again as soon as a look has
     * ended.
     */
    public boolean awaited() {
        Goal wish = goal;
        return wish != null
                && ((wish.role() == Role.REPLICA && !wish.upTo().isEmpty())
                        || (wish.role() == Role.SEALED && traits.positionKind().streamed()));
    }

    /** It has been told of its stream's end at a later time than the masters know. */
    private boolean heardMoreOfStream(Sighting last, Sighting now) {
        return traits.positionKind().streamed()
                && now.sourceHeardMillis() >= 0
                && seenNanos - AgentLimits.nanos(now.sourceHeardMillis())
                        > toldSeenNanos - AgentLimits.nanos(last.sourceHeardMillis()) + STREAM_NEWS_NANOS;
    }

    private boolean atRest() {
        Observation server = seen;
        Goal wish = goal;
        if (server == null || wish == null || server.state() != ServerState.RUNNING) {
            return false;
        }
        if (server.standsBy()) {
            return true;
        }
        boolean there = switch (wish.role()) {
            case PRIMARY -> openEpoch == wish.epoch() && server.writable();
            case REPLICA -> follows(server, wish) && historyComplete;
            case FENCED, SEALED, DRAINED, REBUILT, OBSERVE -> false;
        };
        return there && running == null && !fencing && unconfirmed == null && failure == null;
    }

    /** The next heartbeat; it must be sent at once, to every master. */
    public Heartbeat heartbeat(long nowNanos) {
        sequence++;
        sent.addLast(new Sent(sequence, nowNanos));
        if (sent.size() > SENT_LIMIT) {
            sent.removeFirst();
        }
        Sighting now = sighting();
        told = now;
        toldSeenNanos = seenNanos;
        return new Heartbeat(session, sequence, lookAnswered, now);
    }

    /**
     * A leader's answer. What is older than what was accepted before, or meant for another session, changes nothing.
     *
     * @param nowNanos a look that begins from now on shows what the server did after this answer
     */
    public void answered(Answer answer, long nowNanos) {
        Goal wish = answer.goal();
        Goal present = goal;
        if (answer.session() != session
                || answer.sequence() < instanceSequence
                || wish.term() < term
                || (wish.term() == term && answer.sequence() < answeredSequence)
                || (present != null && wish.epoch() < present.epoch())) {
            return;
        }
        if (wish.term() != term) {
            answers.clear();
            lookAnswered = 0;
        }
        term = wish.term();
        answeredSequence = answer.sequence();
        answers.add(new Sent(answer.sequence(), nowNanos));
        if (answers.size() > SENT_LIMIT) {
            answers.remove();
        }
        if (present == null || present.role() != wish.role() || present.epoch() != wish.epoch()) {
            retryNanos = Long.MIN_VALUE;
            failure = null;
            rounds.clear();
        }
        refusals.clear();
        if (wish.role() == Role.REPLICA) {
            // The log has it.
            surplus = "";
        }
        goal = wish;
        if (wish.role() == Role.DRAINED) {
            // Draining must end by when the permission does: the leader counts on it where it loses sight of this
            // member.
            return;
        }
        if (wish.role() != Role.PRIMARY) {
            lease = Lease.NONE;
            return;
        }
        for (Sent heartbeat : sent) {
            if (heartbeat.sequence() == answer.sequence()) {
                extend(wish, heartbeat.sentNanos() + AgentLimits.nanos(wish.leaseMillis()));
            }
        }
    }

    private void extend(Goal wish, long endNanos) {
        Lease present = lease;
        // Peers may have given more already.
        boolean more = !present.equals(Lease.NONE) && present.epoch() == wish.epoch() && present.endNanos() > endNanos;
        lease = more ? present : new Lease(wish.epoch(), endNanos);
    }

    /** What only this server held was saved; a sentence for the switch log. */
    public void surplusKept(String sentence) {
        surplus = sentence;
    }

    /** The agent's disk holds this epoch now. */
    public void remembered(long epoch) {
        promises.remembered(epoch);
    }

    /** The agent of another member asks for a permission. The answer must be sent at once. */
    public PeerAnswer asked(PeerRequest request, long nowNanos) {
        Observation server = seen;
        return server != null && server.standsBy()
                ? new PeerAnswer(
                        identity.member(),
                        request.session(),
                        request.round(),
                        promises.rememberedEpoch(),
                        false,
                        "another agent of " + identity.member() + " speaks for it")
                : promises.answer(request, goal, nowNanos);
    }

    /**
     * Asks every peer for a permission, where the leader's is running out: with the heartbeat that is due.
     *
     * @return what must be sent to all {@link Goal#peers} at once; null where nobody need be asked
     */
    public @Nullable PeerRequest peerRequest(long nowNanos) {
        Goal wish = goal;
        Observation server = seen;
        if (wish == null || server == null || server.standsBy() || !peersCount(wish)) {
            return null;
        }
        Lease present = lease;
        long whole = AgentLimits.nanos(wish.leaseMillis());
        boolean fresh = !present.equals(Lease.NONE)
                && present.epoch() == wish.epoch()
                && present.endNanos() - nowNanos > whole - whole * 2 / 5;
        if (fresh) {
            return null;
        }
        boolean open = openEpoch == wish.epoch() && takesCommands(server) && server.writable();
        return new PeerRequest(
                identity.group(),
                identity.member(),
                session,
                rounds.begin(nowNanos),
                wish.epoch(),
                open,
                wish.leaseMillis());
    }

    /** Peers may stand in for a leader: for the process that the goal was meant for, and while none knows a newer epoch. */
    private boolean peersCount(Goal wish) {
        return wish.role() == Role.PRIMARY
                && wish.peers().hold()
                && !wish.peers().peers().isEmpty()
                && wish.epoch() >= peersEpoch
                && answeredSequence >= instanceSequence;
    }

    /** A peer has answered. */
    public void peerAnswered(PeerAnswer answer) {
        Goal wish = goal;
        if (answer.session() != session || wish == null) {
            return;
        }
        if (answer.epoch() > wish.epoch()) {
            // There is another primary, or will be.
            peersEpoch = Math.max(peersEpoch, answer.epoch());
            lease = Lease.NONE;
        }
        if (!answer.granted()) {
            refusals.put(answer.member(), answer.reason());
            return;
        }
        refusals.remove(answer.member());
        if (!peersCount(wish)) {
            return;
        }
        long began = rounds.granted(answer, wish.peers().names());
        if (began != Long.MIN_VALUE) {
            extend(wish, began + AgentLimits.nanos(wish.leaseMillis()));
        }
    }

    /** True while writes may be opened under the epoch. Any thread. */
    public boolean permitted(long epoch, long nowNanos) {
        Lease present = lease;
        return !present.equals(Lease.NONE)
                && present.epoch() == epoch
                && nowNanos < present.endNanos() - AgentLimits.nanos(limits.leaseSlackMillis());
    }

    /** How long {@link #permitted} goes on to be true of some epoch, in ns, if nobody answers any more; 0 where it isn't. Any thread. */
    public long permissionNanos(long nowNanos) {
        Lease present = lease;
        return present.equals(Lease.NONE)
                ? 0
                : Math.max(0, present.endNanos() - AgentLimits.nanos(limits.leaseSlackMillis()) - nowNanos);
    }

    /** How the server may be used, but for the permission, which ends by the clock: {@link #permitted}. Null before the first look. */
    public @Nullable ServerHealth health() {
        Observation server = seen;
        Goal wish = goal;
        if (server == null) {
            return null;
        }
        boolean runs = server.state() == ServerState.RUNNING;
        boolean open = runs
                && wish != null
                && wish.role() == Role.PRIMARY
                && openEpoch == wish.epoch()
                && openEpoch > fencedEpoch
                && server.writable()
                && seenNanos > openedNanos
                && !fencing;
        return new ServerHealth(
                server.state(),
                server.detail(),
                wish == null ? null : wish.role(),
                wish == null ? 0 : wish.epoch(),
                open ? openEpoch : 0,
                runs
                        && wish != null
                        && wish.role() == Role.REPLICA
                        && follows(server, wish)
                        && server.applying()
                        && !server.rebuilding(),
                server.lagMillis(),
                seenNanos,
                server.standsBy());
    }

    /**
     * What the engine shall do now; null for nothing. A {@link Step.Fence} may come while another step runs; every other
     * step only when none does. Each step that is returned must be ended by {@link #ended}.
     *
     * @param wallMillis the wall clock, only to notice that the machine was suspended
     */
    public @Nullable Step next(long nowNanos, long wallMillis) {
        noticeSuspension(nowNanos, wallMillis);
        Observation server = seen;
        Goal wish = goal;
        if (server == null || (server.standsBy() && takesCommands(server))) {
            return null;
        }
        Step fence = wish == null ? fenceUnanswered(server, nowNanos) : fenceNeeded(server, wish, nowNanos);
        if (fence != null) {
            if (fencing || waits(fence, nowNanos)) {
                return null;
            }
            fencing = true;
            return fence;
        }
        if (wish == null || running != null || fencing || unconfirmed != null || !takesCommands(server)) {
            return null;
        }
        if (answeredSequence < instanceSequence) {
            // The goal was meant for the process before. Whoever followed may have stopped counting when that one
            // ended: if it followed and acknowledged again, nobody would ask it what it holds.
            return null;
        }
        Step step = wanted(server, wish, nowNanos);
        if (step == null || waits(step, nowNanos)) {
            return null;
        }
        starting(step);
        running = step;
        return step;
    }

    /**
     * The agent is about to end in good order; until another one starts nobody watches over the server.
     *
     * @return the fence that must be up before; null where the server can be left as it is: it takes no writes, or it does by a
     *     permission that outlasts a restart of its agent, and the masters had a lease's time to hear that it is open
     */
    public Step.@Nullable Fence fenceBeforeStop(long nowNanos) {
        Observation server = seen;
        Goal wish = goal;
        if (server == null || server.state() == ServerState.DEAD || server.standsBy()) {
            return null;
        }
        long lease = AgentLimits.nanos(limits.leaseMillis());
        boolean little = heldUntilNanos() == Long.MIN_VALUE || heldUntilNanos() - nowNanos < lease / 2;
        if (wish == null) {
            return tookOrders && (server.writable() || leftOpen) && little
                    ? new Step.Fence(knownEpoch, "its agent stops again before a leader has confirmed it")
                    : null;
        }
        if (wish.role() == Role.PRIMARY || wish.role() == Role.DRAINED) {
            boolean unheard = promotedNanos != Long.MIN_VALUE && nowNanos - promotedNanos < lease;
            if (running instanceof Step.Promote || (mayWrite(server) && (little || unheard))) {
                return new Step.Fence(
                        wish.epoch(),
                        little
                                ? "its agent stops, and what is left of its permission doesn't outlast that"
                                : "its agent stops before the masters can know that it is open");
            }
        }
        return fenceNeeded(server, wish, nowNanos);
    }

    /** When the permission ends under which the server may be left open at a stop; {@link Long#MIN_VALUE} where there is none. */
    public long heldUntilNanos() {
        if (goal != null) {
            return lease.endNanos();
        }
        return tookOrders ? unansweredEndNanos + AgentLimits.nanos(limits.leaseSlackMillis()) : Long.MIN_VALUE;
    }

    private void noticeSuspension(long nowNanos, long wallMillis) {
        if (lastNanos != Long.MIN_VALUE) {
            long ahead = wallMillis - lastWallMillis - (nowNanos - lastNanos) / 1_000_000;
            if (ahead > limits.jumpMillis()) {
                lease = Lease.NONE;
                // What was sent before is older than this clock says: an answer that lay waiting gives no permission.
                sent.clear();
                rounds.clear();
            }
        }
        lastNanos = nowNanos;
        lastWallMillis = wallMillis;
    }

    /** A restarted agent whose server is open, and whom no leader confirms it, can't let it go on. */
    private Step.@Nullable Fence fenceUnanswered(Observation server, long nowNanos) {
        boolean waited = nowNanos >= unansweredEndNanos;
        // One that hangs may go on and write.
        boolean open = server.state() != ServerState.DEAD && (server.writable() || leftOpen);
        return tookOrders && open && waited
                ? new Step.Fence(
                        knownEpoch, "no leader has confirmed since the agent's start that its server may write")
                : null;
    }

    /** An open connection still works where the server turns new ones away. */
    private static boolean takesCommands(Observation server) {
        return server.state() == ServerState.RUNNING || server.state() == ServerState.REFUSING;
    }

    private Step.@Nullable Fence fenceNeeded(Observation server, Goal wish, long nowNanos) {
        if (server.state() == ServerState.DEAD || (server.state() == ServerState.UNKNOWN && openEpoch == 0)) {
            return null;
        }
        boolean canTell = takesCommands(server);
        return switch (wish.role()) {
            case PRIMARY ->
                mayWrite(server) && !permitted(wish.epoch(), nowNanos)
                        ? new Step.Fence(wish.epoch(), "the permission to write has run out")
                        : null;
            // Nobody can write while its data is replaced, and a fence on top of another would only disturb.
            case REBUILT ->
                !(running instanceof Step.Rebuild && !server.writable())
                                && (fencedEpoch != wish.epoch() || (canTell && server.writable()))
                                && server.state() != ServerState.STARTING
                        ? new Step.Fence(wish.epoch(), wish.reason())
                        : null;
            case FENCED ->
                (fencedEpoch != wish.epoch() || (canTell && server.writable()))
                                && server.state() != ServerState.STARTING
                        ? new Step.Fence(wish.epoch(), wish.reason())
                        : null;
            case SEALED, REPLICA ->
                mayWrite(server) && server.state() != ServerState.STARTING
                        ? new Step.Fence(wish.epoch(), "it is not the primary of epoch " + wish.epoch())
                        : null;
            // Under no epoch: it is fenced then, but not drained, since its commits may still wait, and what they
            // wrote may be with a replica already.
            case DRAINED ->
                mayWrite(server) && !permitted(lease.epoch(), nowNanos)
                        ? new Step.Fence(0, "the permission to write has run out while it is drained")
                        : null;
            case OBSERVE -> null;
        };
    }

    /** Writes are open, or an order to open them is under way, or were open when the server was last able to say. */
    private boolean mayWrite(Observation server) {
        return server.writable() || openEpoch > 0 || leftOpen;
    }

    private @Nullable Step wanted(Observation server, Goal wish, long nowNanos) {
        return switch (wish.role()) {
            case OBSERVE -> null;
            // Whoever is fenced is sealed, too: what an older source still sends, and its own commits that still
            // wait, would part it from the new one after its position was compared.
            case FENCED, SEALED -> sealedEpoch == wish.epoch() ? null : new Step.Seal(wish.epoch());
            case REBUILT -> rebuildStep(server, wish, nowNanos);
            case PRIMARY -> primaryStep(server, wish, nowNanos);
            case DRAINED -> fencedEpoch == wish.epoch() ? null : new Step.Drain(wish.epoch());
            case REPLICA -> {
                Step.Follow follow = new Step.Follow(
                        wish.epoch(), new Following(Objects.requireNonNull(wish.source()), wish.acknowledges()));
                boolean there = sameFollowing(follow)
                        && follows(server, wish)
                        && server.acknowledging() == wish.acknowledges()
                        && !server.writable();
                yield there ? null : follow;
            }
        };
    }

    /** Sealed first, so that what it holds is final; then rebuilt, unless a rebuild is over or its history is whole anyway. */
    private @Nullable Step rebuildStep(Observation server, Goal wish, long nowNanos) {
        if (!server.rebuilding() && sealedEpoch != wish.epoch()) {
            return new Step.Seal(wish.epoch());
        }
        boolean whole = !server.rebuilding()
                && traits.positionKind()
                        .parse(wish.primaryPosition())
                        .covers(traits.positionKind().parse(server.received()));
        // A copy is newer than what the leader has heard of the primary yet.
        return whole || (rebuiltEpoch == wish.epoch() && nowNanos < rebuildNotBeforeNanos)
                ? null
                : new Step.Rebuild(
                        wish.epoch(),
                        Objects.requireNonNull(wish.source()),
                        wish.primaryPosition(),
                        !server.rebuilding());
    }

    private static boolean follows(Observation server, Goal wish) {
        return server.receiving() && Objects.equals(server.source(), wish.source());
    }

    private boolean sameFollowing(Step.Follow follow) {
        return followed instanceof Step.Follow last && last.following().equals(follow.following());
    }

    /**
     * Commits wait for less than the goal says, and no leader has answered since it could know. Before they wait again, the log
     * must say that they didn't, or a proof would count on it.
     */
    private boolean fewerUntold(Observation server, Goal wish) {
        if (!server.writable() || server.acknowledgersRequired() >= wish.acknowledgers()) {
            fewerSequence = 0;
            return false;
        }
        if (fewerSequence == 0 || server.acknowledgersRequired() < fewest) {
            fewerSequence = sequence + 1;
        }
        fewest = server.acknowledgersRequired();
        return answeredSequence < fewerSequence;
    }

    private @Nullable Step primaryStep(Observation server, Goal wish, long nowNanos) {
        if ((openEpoch != wish.epoch() || seenNanos > openedNanos) && fewerUntold(server, wish)) {
            return null;
        }
        if (openEpoch != wish.epoch()) {
            if (server.writable() && wish.upTo().isEmpty() && server.acknowledgersRequired() == wish.acknowledgers()) {
                // A new agent beside an open primary, or the same primary under a new epoch: nothing has to move.
                opened(wish.epoch(), wish.acknowledgers(), nowNanos);
                settledEpoch = wish.epoch();
                return null;
            }
            return permitted(wish.epoch(), nowNanos)
                    ? new Step.Promote(wish.epoch(), new Promotion(wish.epoch(), wish.upTo(), wish.acknowledgers()))
                    : null;
        }
        if (seenNanos <= openedNanos) {
            // What opening did doesn't show yet.
            return null;
        }
        if (server.acknowledgersRequired() != wish.acknowledgers()) {
            return new Step.RequireAcknowledgers(wish.epoch(), server.acknowledgersRequired(), wish.acknowledgers());
        }
        // Not at once: the first writes wait for followers to attach, and settling takes the server's time.
        boolean due = nowNanos >= openedNanos + AgentLimits.nanos(limits.retryMillis());
        return settledEpoch == wish.epoch() || !due ? null : new Step.Settle(wish.epoch());
    }

    private boolean waits(Step step, long nowNanos) {
        return lastStep != null && lastStep.getClass() == step.getClass() && nowNanos < retryNanos;
    }

    private void starting(Step step) {
        if (step instanceof Step.Follow) {
            sealedEpoch = 0;
            fencedEpoch = 0;
        } else if (step instanceof Step.Promote) {
            sealedEpoch = 0;
            fencedEpoch = 0;
        }
    }

    /** How many acknowledgements commits wait for, and will until the next answer. */
    private int acknowledgersRequired(Observation server) {
        // What opening did doesn't show yet.
        int required = openEpoch > 0 && seenNanos <= openedNanos ? acknowledgersSet : server.acknowledgersRequired();
        return running instanceof Step.RequireAcknowledgers step ? Math.min(step.acknowledgers(), required) : required;
    }

    private void opened(long epoch, int acknowledgers, long nowNanos) {
        openEpoch = epoch;
        acknowledgersSet = acknowledgers;
        acknowledgersSetNanos = nowNanos;
        openedNanos = nowNanos;
        fencedEpoch = 0;
        sealedEpoch = 0;
        historyComplete = true;
    }

    /**
     * A step has ended. The engine should be looked at again right away, and a heartbeat sent.
     *
     * @param problem a sentence where it failed; null where it succeeded
     */
    public void ended(Step step, @Nullable String problem, long nowNanos) {
        if (step instanceof Step.Fence) {
            fencing = false;
        } else {
            running = null;
        }
        if (step instanceof Step.Promote) {
            confirmableNanos = nowNanos;
        }
        // Given again after a while if its effect doesn't show.
        lastStep = step;
        retryNanos = nowNanos + AgentLimits.nanos(limits.retryMillis());
        if (step instanceof Step.Rebuild) {
            rebuildNotBeforeNanos = nowNanos + AgentLimits.nanos(limits.rebuildRetryMillis());
            rebuiltEpoch = step.epoch();
        }
        failure = problem;
        if (problem != null) {
            return;
        }
        if (step instanceof Step.Promote promote) {
            Observation server = seen;
            if (server != null && server.state() != ServerState.DEAD) {
                promotedNanos = nowNanos;
                opened(promote.epoch(), promote.promotion().acknowledgers(), nowNanos);
            }
        } else if (step instanceof Step.Fence) {
            openEpoch = 0;
            leftOpen = false;
            unconfirmed = step;
            confirmableNanos = nowNanos;
        } else if (step instanceof Step.Seal || step instanceof Step.Drain) {
            unconfirmed = step;
            confirmableNanos = nowNanos;
            if (step instanceof Step.Drain) {
                openEpoch = 0;
            }
        } else if (step instanceof Step.RequireAcknowledgers required) {
            acknowledgersSet = required.acknowledgers();
            acknowledgersSetNanos = nowNanos;
        } else if (step instanceof Step.Follow) {
            followed = step;
        } else if (step instanceof Step.Settle) {
            settledEpoch = step.epoch();
        }
    }

    /**
     * A step has succeeded, and has looked at the server after its work.
     *
     * @param began when the step began: an answer that came before is one that the look came after
     */
    public void ended(Step step, Observation after, long began, long nowNanos) {
        ended(step, null, nowNanos);
        Observation before = seen;
        // The server may have been restarted, and looked at, since the step's work was done.
        if (before != null && before.instance().equals(after.instance())) {
            shownNanos = nowNanos;
            observed(after, began, nowNanos);
        }
    }

    /**
     * When, after now, {@link #next} may have something to say although nothing has happened; {@link Long#MAX_VALUE} for never.
     */
    public long deadlineNanos(long nowNanos) {
        Lease present = lease;
        long fence = openEpoch > 0 && present.epoch() > 0
                ? present.endNanos() - AgentLimits.nanos(limits.leaseSlackMillis())
                : Long.MAX_VALUE;
        long retry = retryNanos == Long.MIN_VALUE ? Long.MAX_VALUE : retryNanos;
        // What has passed was looked at when it came: whoever waited for it would wait no more.
        long step = Math.min(fence > nowNanos ? fence : Long.MAX_VALUE, retry > nowNanos ? retry : Long.MAX_VALUE);
        return Math.min(step, promises.endNanos(nowNanos));
    }

    /** The goal that is being converged to; null before the first. */
    public @Nullable Goal goal() {
        return goal;
    }

    /** What the masters are told. */
    public Sighting sighting() {
        Observation server = seen;
        if (server == null) {
            server = Observation.unseen(ServerState.UNKNOWN, "not looked at yet", "");
        }
        List<String> problems = new ArrayList<>(server.problems());
        if (failure != null) {
            problems.add(failure);
        }
        problems.addAll(drifts.sentences(lastNanos));
        refusals.forEach((peer, reason) -> problems.add(
                "no master answers, and the agent of " + peer + " doesn't let this primary go on: " + reason));
        Goal wish = goal;
        return new Sighting(
                identity.group(),
                identity.member(),
                identity.site(),
                traits.name(),
                traits.positionKind(),
                identity.address(),
                server.state(),
                server.state() == ServerState.DEAD
                                && !deathEvidence.isEmpty()
                                && server.detail().isEmpty()
                        ? deathEvidence
                        : server.detail(),
                server.instance(),
                server.serverId(),
                server.version(),
                server.writable() || openEpoch > 0,
                server.source(),
                server.receiving(),
                server.applying(),
                server.received(),
                server.applied(),
                server.lagMillis(),
                server.sourceHeardMillis(),
                term,
                wish == null ? 0 : wish.epoch(),
                sealedEpoch,
                fencedEpoch,
                openEpoch,
                server.acknowledgers(),
                acknowledgersRequired(server),
                server.waitingMillis(),
                historyComplete && !server.rebuilding(),
                identity.electable() && !server.rebuilding() ? server.priority() : 0,
                new Peering(
                        identity.agent(),
                        wish != null && wish.role() == Role.PRIMARY
                                ? wish.peers().names()
                                : List.of(),
                        promises.rememberedEpoch(),
                        promises.running(lastNanos),
                        promises.askedMillis(lastNanos)),
                server.rebuilding(),
                surplus,
                Guard.NONE,
                server.node(),
                problems);
    }
}
