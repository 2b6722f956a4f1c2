package org.haarbiter.sim;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Testimony;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.master.core.Trigger;
import org.haarbiter.master.endpoints.EndpointRounds;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Role;
import org.jspecify.annotations.Nullable;

/** A master: the real arbiter, driven as the master's loop drives it, over a small Raft of the simulator's own. */
final class SimMaster extends SimProcess {
    private static final long RAFT_BEAT = 80_000_000;
    private static final long TICK = 50_000_000;
    private static final long ANSWER_LIMIT = 500_000_000;
    private static final long GAP = 450_000_000;
    private static final long LATELY = 1_600_000_000;

    private record Item(long term, @Nullable Entry entry) {}

    private record Awaiting(SimAgent agent, String member, Heartbeat heartbeat, long arrived) {}

    private final World world;
    private final Masters masters;
    private final SimNetwork network;
    private final Chance chance;

    // On disk.
    private final List<Item> log = new ArrayList<>();
    private long term;
    private @Nullable String votedFor;

    // In memory.
    private Arbiter arbiter;
    private @Nullable EndpointRounds endpointRounds;
    private boolean leads;
    private boolean announced;
    private int committed;
    private int applied;
    private ClusterState state = ClusterState.empty();
    private long electionAt;
    private final TreeSet<String> votes = new TreeSet<>();
    private final TreeMap<String, Integer> next = new TreeMap<>();
    private final TreeMap<String, Integer> match = new TreeMap<>();
    private long readNumber;
    private final TreeMap<String, Long> readSeen = new TreeMap<>();
    private boolean confirming;
    private long confirmNumber;
    private List<Awaiting> confirmBatch = List.of();
    private final TreeMap<String, Awaiting> newest = new TreeMap<>();
    private final TreeMap<String, Awaiting> unanswered = new TreeMap<>();
    private final TreeMap<String, List<Awaiting>> beforeProposal = new TreeMap<>();
    private int noopIndex;
    private final TreeMap<String, Long> asking = new TreeMap<>();
    private final TreeMap<String, Long> lastHeard = new TreeMap<>();
    private final TreeMap<String, Long> gapEnded = new TreeMap<>();

    SimMaster(String name, SortedMap<String, String> quorum, World world, Chance chance) {
        super(name, world.timeline, chance);
        this.masters = new Masters(name, quorum);
        this.world = world;
        this.network = world.network;
        this.chance = chance;
        this.arbiter = new Arbiter(world.limits, masters, 0);
    }

    boolean leads() {
        return up() && leads && announced;
    }

    Arbiter arbiter() {
        return arbiter;
    }

    long term() {
        return term;
    }

    void start() {
        begin();
        arbiter = new Arbiter(world.limits, masters, clock());
        asking.clear();
        lastHeard.clear();
        gapEnded.clear();
        leads = false;
        announced = false;
        committed = 0;
        applied = 0;
        state = ClusterState.empty();
        confirming = false;
        newest.clear();
        unanswered.clear();
        beforeProposal.clear();
        resetElection();
        watchElection();
        SimEndpoints endpoints = world.endpoints;
        if (endpoints != null) {
            endpoints.started(this);
            endpointRounds = new EndpointRounds(
                    masters,
                    world.limits.silenceMillis(),
                    () -> CompletableFuture.completedFuture(endpoints.report(this)),
                    other -> askAboutEndpoints(endpoints, other),
                    act -> act.accept(arbiter));
        }
        tick();
    }

    void stop(String how) {
        world.timeline.note("master " + name + " ended: " + how);
        end();
    }

    // ---- Raft

    private void resetElection() {
        electionAt = clock() + chance.millis(300, 700);
    }

    private void watchElection() {
        after(20_000_000, () -> {
            if (!leads && clock() >= electionAt) {
                campaign();
            }
            watchElection();
        });
    }

    private long lastTerm() {
        return log.isEmpty() ? 0 : log.get(log.size() - 1).term();
    }

    private void campaign() {
        term++;
        votedFor = name;
        votes.clear();
        votes.add(name);
        resetElection();
        long mine = term;
        int size = log.size();
        long last = lastTerm();
        for (SimMaster other : world.masters) {
            if (other != this) {
                send(other, () -> other.voteAsked(this, mine, size, last));
            }
        }
        elected();
    }

    /** The leadership is handed to it. */
    void campaignNow() {
        if (!leads) {
            campaign();
        }
    }

    private void send(SimMaster other, Runnable what) {
        int itsLife = other.life();
        network.datagram(name, other.name, () -> other.arrive(itsLife, what));
    }

    private void voteAsked(SimMaster from, long itsTerm, int itsSize, long itsLast) {
        newer(itsTerm);
        boolean upToDate = itsLast > lastTerm() || (itsLast == lastTerm() && itsSize >= log.size());
        if (itsTerm != term || !upToDate || (votedFor != null && !votedFor.equals(from.name))) {
            long mine = term;
            send(from, () -> from.newer(mine));
            return;
        }
        votedFor = from.name;
        resetElection();
        send(from, () -> from.voted(this, itsTerm));
    }

    private void voted(SimMaster from, long itsTerm) {
        if (itsTerm == term && !leads && name.equals(votedFor)) {
            votes.add(from.name);
            elected();
        }
    }

    private void elected() {
        if (leads || votes.size() <= world.masters.size() / 2) {
            return;
        }
        leads = true;
        announced = false;
        world.count("leader-elected");
        world.timeline.note("master " + name + " is elected in term " + term);
        for (SimMaster other : world.masters) {
            next.put(other.name, log.size());
            match.put(other.name, 0);
            readSeen.put(other.name, 0L);
        }
        log.add(new Item(term, null));
        noopIndex = log.size();
        confirming = false;
        beat(term);
    }

    private void newer(long itsTerm) {
        if (itsTerm > term) {
            term = itsTerm;
            votedFor = null;
            stepDown();
        }
    }

    private void stepDown() {
        if (!leads) {
            return;
        }
        leads = false;
        confirming = false;
        resetElection();
        if (announced) {
            announced = false;
            world.timeline.note("master " + name + " steps down");
            arbiter.leaderStopped();
            beforeProposal.clear();
            unanswered.clear();
        }
    }

    private void beat(long inTerm) {
        if (!leads || term != inTerm) {
            return;
        }
        replicate();
        after(RAFT_BEAT, () -> beat(inTerm));
    }

    private void replicate() {
        for (SimMaster other : world.masters) {
            if (other != this) {
                append(other);
            }
        }
        advance();
    }

    private void append(SimMaster other) {
        int from = next.getOrDefault(other.name, log.size());
        long before = from == 0 ? 0 : log.get(from - 1).term();
        List<Item> items = from == log.size() ? List.of() : List.copyOf(log.subList(from, log.size()));
        long mine = term;
        int commit = committed;
        long read = readNumber;
        send(other, () -> other.appended(this, mine, from, before, items, commit, read));
    }

    private void appended(SimMaster from, long itsTerm, int at, long before, List<Item> items, int commit, long read) {
        newer(itsTerm);
        if (itsTerm < term) {
            long mine = term;
            send(from, () -> from.newer(mine));
            return;
        }
        stepDown();
        resetElection();
        if (at > log.size() || (at > 0 && log.get(at - 1).term() != before)) {
            int size = Math.min(log.size(), Math.max(0, at - 1));
            send(from, () -> from.appendAnswered(this, itsTerm, false, size, read));
            return;
        }
        for (int i = 0; i < items.size(); i++) {
            int place = at + i;
            if (place < log.size() && log.get(place).term() != items.get(i).term()) {
                while (log.size() > place) {
                    log.remove(log.size() - 1);
                }
            }
            if (place == log.size()) {
                log.add(items.get(i));
            }
        }
        int matched = at + items.size();
        commitTo(Math.min(commit, matched));
        send(from, () -> from.appendAnswered(this, itsTerm, true, matched, read));
    }

    private void appendAnswered(SimMaster from, long itsTerm, boolean accepted, int size, long read) {
        newer(itsTerm);
        if (!leads || itsTerm != term) {
            return;
        }
        readSeen.merge(from.name, read, Math::max);
        if (accepted) {
            match.merge(from.name, size, Math::max);
            next.merge(from.name, size, Math::max);
        } else {
            next.put(from.name, size);
            append(from);
        }
        advance();
        confirmed();
    }

    private void advance() {
        for (int size = log.size(); size > committed && log.get(size - 1).term() == term; size--) {
            int have = 1;
            for (SimMaster other : world.masters) {
                if (other != this && match.getOrDefault(other.name, 0) >= size) {
                    have++;
                }
            }
            if (have > world.masters.size() / 2) {
                commitTo(size);
                return;
            }
        }
    }

    private void commitTo(int size) {
        committed = Math.max(committed, size);
        while (applied < committed) {
            Item item = log.get(applied);
            applied++;
            Entry entry = item.entry();
            if (entry != null) {
                apply(entry);
            }
            if (leads && !announced && applied >= noopIndex) {
                announced = true;
                beforeProposal.clear();
                unanswered.clear();
                arbiter.leaderStarted(term, clock());
                world.timeline.note("master " + name + " leads term " + term);
                newest.values().forEach(a -> unanswered.put(key(a), a));
                confirm();
            }
        }
    }

    // ---- the loop

    private void apply(Entry entry) {
        ClusterState before = state;
        state = entry.applyTo(before, applied);
        world.truth.applied(this, applied, entry, before, state);
        arbiter.applied(state, clock());
        if (!arbiter.leading() || !leads) {
            return;
        }
        String group = entry.group();
        arbiter.proposalEnded(group);
        List<Awaiting> awaiting = beforeProposal.remove(group);
        if (awaiting != null) {
            awaiting.forEach(this::answer);
        }
        decide(group);
        if (arbiter.waitingForATurn() > 0) {
            decideAll();
        }
    }

    private void decideAll() {
        arbiter.decide(clock(), world.wallMillis()).forEach(this::propose);
    }

    private void lookWhoIsWell() {
        Entry serving = arbiter.serving(clock(), world.wallMillis());
        if (serving != null) {
            propose(serving);
        }
    }

    /** Asks the other masters about whom this one doesn't hear, and lets one lead that hears more. */
    private void listenToOthers() {
        long asked = clock();
        SortedSet<MemberName> unheard = arbiter.toAsk(asked);
        for (SimMaster other : unheard.isEmpty() ? List.<SimMaster>of() : world.masters) {
            Long before = asking.get(other.name);
            if (other == this || (before != null && asked - before < ANSWER_LIMIT)) {
                continue;
            }
            asking.put(other.name, asked);
            send(other, () -> {
                Testimony testimony = other.arbiter.testify(unheard, other.clock());
                other.send(this, () -> {
                    asking.remove(other.name);
                    world.count("testimony");
                    arbiter.testified(other.name, testimony, asked, clock());
                });
            });
        }
        String better = arbiter.betterLeader(asked);
        if (better != null) {
            world.count("leader-handed-over");
            world.timeline.note("master " + name + " hands the lead to " + better);
            for (SimMaster other : world.masters) {
                if (other.name.equals(better)) {
                    send(other, other::campaignNow);
                }
            }
        }
    }

    private CompletableFuture<EndpointReport> askAboutEndpoints(SimEndpoints endpoints, String name) {
        CompletableFuture<EndpointReport> answer = new CompletableFuture<>();
        for (SimMaster other : world.masters) {
            if (other.name.equals(name)) {
                send(other, () -> {
                    EndpointReport report = endpoints.report(other);
                    other.send(this, () -> answer.complete(report));
                });
            }
        }
        after(ANSWER_LIMIT, () -> answer.completeExceptionally(new TimeoutException(name + " doesn't answer")));
        return answer;
    }

    private void judgeEndpoints() {
        SimEndpoints endpoints = world.endpoints;
        if (endpoints == null || endpointRounds == null) {
            return;
        }
        endpointRounds.tick(arbiter, clock());
        if (arbiter.judgeEndpoints(clock(), world.wallMillis()) instanceof Entry.EndpointsJudged judged) {
            endpoints.believes(this, judged);
            propose(judged);
        }
    }

    private static String key(Awaiting awaiting) {
        return key(awaiting.agent());
    }

    private static String key(SimAgent agent) {
        return agent.server.group.name + "/" + agent.server.name;
    }

    /** Whether it may have said lately that it doesn't hear a member. */
    boolean mayMiss(String group, String member) {
        long now = clock();
        String key = group + "/" + member;
        return !up()
                || frozen()
                || now - lastHeard.getOrDefault(key, Long.MIN_VALUE / 2) >= GAP
                || now - gapEnded.getOrDefault(key, Long.MIN_VALUE / 2) < LATELY;
    }

    void heard(SimAgent agent, Heartbeat heartbeat) {
        long now = clock();
        Long before = lastHeard.put(key(agent), now);
        if (before == null || now - before >= GAP) {
            gapEnded.put(key(agent), now);
        }
        String refusal = arbiter.heard(heartbeat, now);
        if (refusal != null) {
            world.count("heartbeat-refused");
            return;
        }
        Awaiting awaiting = new Awaiting(agent, agent.server.name, heartbeat, now);
        newest.put(key(awaiting), awaiting);
        if (arbiter.leading()) {
            unanswered.put(key(awaiting), awaiting);
            decide(agent.server.group.name);
            confirm();
        }
    }

    private void decide(String group) {
        Entry entry = arbiter.decide(group, clock(), world.wallMillis());
        if (entry != null) {
            propose(entry);
        }
    }

    private void propose(Entry entry) {
        if (!leads || arbiter.term() != term) {
            arbiter.proposalEnded(entry.group());
            return;
        }
        world.timeline.note("master " + name + " proposes " + World.describe(entry));
        if (entry instanceof Entry.SwitchStarted started && started.trigger() == Trigger.PRIMARY_SILENT) {
            world.truth.believesSilence(this, started.group());
        }
        List<Awaiting> waiting = new ArrayList<>();
        newest.values().forEach(a -> {
            if (a.agent().server.group.name.equals(entry.group())) {
                waiting.add(a);
            }
        });
        beforeProposal.put(entry.group(), waiting);
        log.add(new Item(term, entry));
        replicate();
    }

    private void tick() {
        after(TICK, this::tick);
        decideAll();
        lookWhoIsWell();
        if (!arbiter.leading()) {
            return;
        }
        listenToOthers();
        judgeEndpoints();
        for (Group group : state.groups().values()) {
            boolean named = group.phase() instanceof Phase.Steady || group.phase() instanceof Phase.Promoting;
            if (named && group.publishedEpoch() < group.epoch()) {
                world.dns.publish(this, group.name(), group.epoch(), group.primary());
            }
        }
        confirm();
    }

    void namesServed(String group, long epoch) {
        arbiter.namesServed(group, epoch, Collections.emptySortedSet(), clock());
        decide(group);
    }

    private void confirm() {
        if (confirming || unanswered.isEmpty() || !arbiter.leading()) {
            return;
        }
        confirming = true;
        confirmBatch = List.copyOf(unanswered.values());
        unanswered.clear();
        confirmNumber = ++readNumber;
        replicate();
    }

    private void confirmed() {
        if (!confirming) {
            return;
        }
        int have = 1;
        for (SimMaster other : world.masters) {
            if (other != this && readSeen.getOrDefault(other.name, 0L) >= confirmNumber) {
                have++;
            }
        }
        if (have <= world.masters.size() / 2) {
            return;
        }
        confirming = false;
        List<Awaiting> batch = confirmBatch;
        confirmBatch = List.of();
        if (arbiter.leading()) {
            batch.forEach(this::answer);
        }
        confirm();
    }

    private void answer(Awaiting awaiting) {
        String group = awaiting.agent().server.group.name;
        Goal goal = arbiter.goal(group, awaiting.member());
        if (goal == null) {
            return;
        }
        if (goal.role() == Role.PRIMARY) {
            arbiter.granted(group, awaiting.member(), goal, awaiting.arrived());
        }
        Heartbeat heartbeat = awaiting.heartbeat();
        world.answer(this, awaiting.agent(), new Answer(heartbeat.session(), heartbeat.sequence(), goal));
    }

    /** A person asks. */
    Command.Outcome command(Command command) {
        Command.Outcome outcome = arbiter.command(command, clock(), world.wallMillis());
        Entry entry = outcome.entry();
        if (entry != null) {
            propose(entry);
        }
        return outcome;
    }
}
