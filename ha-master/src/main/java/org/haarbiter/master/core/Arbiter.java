package org.haarbiter.master.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * One master's mind: the state the log gives it, what it heard, and what it therefore does. Every master keeps hearing, so
 * that a new leader knows at once what was last said; only a leader decides. Confined to one thread; time comes in as
 * monotonic nanoseconds of this master.
 */
public final class Arbiter {

    /** When a member's latest heartbeats came in, so that it is known what a look is newer than. */
    private static final class Arrivals {
        private static final int LIMIT = 256;

        private record Arrival(long sequence, long nanos) {}

        private final ArrayDeque<Arrival> latest = new ArrayDeque<>();
        private long lookedNanos = Long.MIN_VALUE;
        private long term;

        long lookedNanos(Heartbeat heartbeat, long arrivedNanos, boolean sessionGoesOn) {
            if (!sessionGoesOn || heartbeat.sighting().acceptedTerm() != term) {
                term = heartbeat.sighting().acceptedTerm();
                lookedNanos = Long.MIN_VALUE;
            }
            if (!sessionGoesOn) {
                latest.clear();
            }
            Arrival next = latest.peek();
            while (next != null && next.sequence() <= heartbeat.lookAnswered()) {
                lookedNanos = next.sequence() == heartbeat.lookAnswered() ? next.nanos() : lookedNanos;
                latest.remove();
                next = latest.peek();
            }
            latest.add(new Arrival(heartbeat.sequence(), arrivedNanos));
            if (latest.size() > LIMIT) {
                latest.remove();
            }
            return lookedNanos;
        }
    }

    /** The newest heartbeat of an agent. */
    private record Spoken(long session, long sequence) {}

    /** Soft knowledge of one group. */
    private static final class GroupMemory {
        final TreeMap<String, Heard> heard = new TreeMap<>();

        /** Of the members that are clusters of several servers. */
        final TreeMap<String, ClusterSightings> clusters = new TreeMap<>();

        /** These three by agent. */
        final TreeMap<String, Spoken> spoken = new TreeMap<>();

        final TreeMap<String, Long> replacedSessions = new TreeMap<>();
        final TreeMap<String, Arrivals> arrivals = new TreeMap<>();
        final TreeMap<String, Long> granted = new TreeMap<>();
        final PositionHistory history = new PositionHistory();

        @Nullable
        Entry pending;

        long epoch = -1;

        @Nullable
        Phase phase;

        long phaseSinceNanos;
        long noticedNanos;
        long decidedNanos;
        long startedNanos;
        long chosenNanos;

        /** Since when nobody takes writes for the sake of a planned switch; 0 where that isn't so, or isn't known. */
        long frozenSinceNanos;

        /**
         * When the newest heartbeat arrived whose answer let the primary's commits wait for fewer acknowledgements than wanted, or
         * the log began to say so.
         */
        long fewerAskedNanos = Long.MIN_VALUE;

        long namesEpoch;
        long namesMicros;
        SortedSet<String> namesGone = Collections.emptySortedSet();
        long servingReturnedNanos = Long.MIN_VALUE / 2;
        final TreeMap<String, String> times = new TreeMap<>();
    }

    /** A leader hears for so many silences before it finds that another one hears more. */
    private static final int HAND_OVER_SILENCES = 4;

    /** What a master said of endpoints counts for so many silences; it is asked more often than once in one. */
    private static final int ENDPOINT_VOTE_SILENCES = 2;

    private final Limits limits;
    private final Doubt doubt;
    private final Turns turns;
    private final EndpointVotes endpointVotes;
    private final TreeMap<String, GroupMemory> memories = new TreeMap<>();
    private ClusterState state = ClusterState.empty();
    private long term;
    private boolean leading;
    private long leaderSinceNanos;
    private long listeningSinceNanos;
    private long lastLookNanos;
    private long handedOverNanos = Long.MIN_VALUE / 2;

    /** A change of whom clients are sent to is being committed. */
    private boolean servingPending;

    /** The end of the fleet's pause is being committed. */
    private boolean resumePending;

    /** A change of what is known of endpoints is being committed. */
    private boolean judgementPending;

    /** A master has spoken of endpoints since they were last judged. */
    private boolean endpointsReported;

    /** Names of removed endpoints that no DNS server shows, with the index of their removal. */
    private final TreeMap<String, Long> endpointNamesGone = new TreeMap<>();

    /** Knows nothing yet. */
    public Arbiter(Limits limits, Masters masters, long nowNanos) {
        this.limits = limits;
        this.doubt = new Doubt(limits, masters);
        this.turns = new Turns(limits);
        this.endpointVotes = new EndpointVotes(masters, ENDPOINT_VOTE_SILENCES * Limits.nanos(limits.silenceMillis()));
        this.listeningSinceNanos = nowNanos;
        this.lastLookNanos = nowNanos;
    }

    /** What the log says now. */
    public ClusterState state() {
        return state;
    }

    /** True between {@link #leaderStarted} and {@link #leaderStopped}. */
    public boolean leading() {
        return leading;
    }

    /** The term in which it leads or last led. */
    public long term() {
        return term;
    }

    /** It leads from here on. Every lease is taken to have been renewed at this very moment. */
    public void leaderStarted(long newTerm, long nowNanos) {
        term = newTerm;
        leading = true;
        leaderSinceNanos = nowNanos;
        doubt.forget();
        endpointVotes.forget();
        endpointNamesGone.clear();
        servingPending = false;
        judgementPending = false;
        resumePending = false;
        memories.values().forEach(memory -> {
            memory.pending = null;
            memory.granted.clear();
            memory.fewerAskedNanos = Long.MIN_VALUE;
            memory.times.clear();
            memory.frozenSinceNanos = 0;
        });
    }

    /** It leads no more. */
    public void leaderStopped() {
        leading = false;
    }

    /**
     * A heartbeat came in.
     *
     * @return a sentence why it isn't believed; null where it is
     */
    public @Nullable String heard(Heartbeat heartbeat, long arrivedNanos) {
        String name = heartbeat.sighting().group();
        String member = heartbeat.sighting().member();
        GroupMemory memory = memories.computeIfAbsent(name, n -> new GroupMemory());
        String agent = heartbeat.sighting().agentName();
        Spoken before = memory.spoken.get(agent);
        boolean goesOn = before != null && before.session() == heartbeat.session();
        if (before != null && goesOn && before.sequence() >= heartbeat.sequence()) {
            return null;
        }
        if (before != null && !goesOn) {
            Long replaced = memory.replacedSessions.get(agent);
            if (replaced != null && replaced == heartbeat.session()) {
                return "two agents speak for member " + agent + " of group " + name + ": stop one of them";
            }
            memory.replacedSessions.put(agent, before.session());
        }
        try {
            long looked = memory.arrivals
                    .computeIfAbsent(agent, m -> new Arrivals())
                    .lookedNanos(heartbeat, arrivedNanos, goesOn);
            memory.spoken.put(agent, new Spoken(heartbeat.session(), heartbeat.sequence()));
            Sighting said = ofMember(memory, heartbeat.sighting(), arrivedNanos);
            if (said == null) {
                return null;
            }
            Heard heard = Heard.next(memory.heard.get(member), said, arrivedNanos, looked);
            memory.heard.put(member, heard);
            Group group = state.group(name);
            if (group != null
                    && member.equals(group.primary())
                    && heard.sighting().openEpoch() == group.epoch()) {
                memory.history.add(arrivedNanos, heard.lookedNanos(), heard.received());
            }
        } catch (IllegalArgumentException e) {
            return "member " + member + " of group " + name + " reports a position that can't be read: "
                    + e.getMessage();
        }
        return null;
    }

    /** What is said of the whole member by that; null where it tells nothing of it. */
    private @Nullable Sighting ofMember(GroupMemory memory, Sighting sighting, long arrivedNanos) {
        return sighting.node() == null
                ? sighting
                : memory.clusters
                        .computeIfAbsent(sighting.member(), m -> new ClusterSightings())
                        .heard(sighting, arrivedNanos, Limits.nanos(limits.silenceMillis()));
    }

    /** The log went on: this is the state now. */
    public void applied(ClusterState newState, long nowNanos) {
        ClusterState before = state;
        state = newState;
        for (Group group : newState.groups().values()) {
            GroupMemory memory = memories.computeIfAbsent(group.name(), n -> new GroupMemory());
            Group was = before.group(group.name());
            if (was != null && group.acknowledgers() < was.acknowledgers()) {
                memory.fewerAskedNanos = Math.max(memory.fewerAskedNanos, nowNanos);
            }
            if (was != null && group.serving().returnsSince(was.serving())) {
                memory.servingReturnedNanos = nowNanos;
            }
            if (was != null && !was.classes().equals(group.classes())) {
                // What was read back before tells nothing of what is wanted now.
                memory.namesGone = Collections.emptySortedSet();
            }
            if (memory.epoch == group.epoch() && group.phase().equals(memory.phase)) {
                continue;
            }
            if (group.phase() instanceof Phase.Sealing) {
                turns.began(group.name(), group.primaryMember().site(), nowNanos);
            } else if (!(group.phase() instanceof Phase.Promoting)) {
                turns.ended(group.name());
            }
            memory.epoch = group.epoch();
            memory.phase = group.phase();
            memory.phaseSinceNanos = nowNanos;
            if (group.phase() instanceof Phase.Preparing) {
                memory.startedNanos = nowNanos;
                memory.times.clear();
            } else if (group.phase() instanceof Phase.Sealing) {
                memory.startedNanos = nowNanos;
                memory.frozenSinceNanos = 0;
                memory.times.clear();
                time(memory, "notice_to_decision_micros", memory.noticedNanos, memory.decidedNanos);
                time(memory, "start_committed_micros", memory.decidedNanos, nowNanos);
            } else if (group.phase() instanceof Phase.Draining) {
                time(memory, "prepared_micros", memory.startedNanos, memory.decidedNanos);
                time(memory, "start_committed_micros", memory.decidedNanos, nowNanos);
                memory.startedNanos = nowNanos;
                memory.frozenSinceNanos = nowNanos;
            } else if (group.phase() instanceof Phase.Promoting) {
                memory.chosenNanos = nowNanos;
                time(
                        memory,
                        memory.frozenSinceNanos == 0 ? "sealed_micros" : "drained_micros",
                        memory.startedNanos,
                        memory.decidedNanos);
                time(memory, "choice_committed_micros", memory.decidedNanos, nowNanos);
            }
        }
    }

    private static void time(GroupMemory memory, String name, long from, long to) {
        // A new leader doesn't know when a step that another one took began.
        if (from != 0 && to >= from) {
            memory.times.put(name, Long.toString((to - from) / 1_000));
        }
    }

    /** A proposal of this group's, or of the fleet's where empty, ended, in whatever way: it may be decided on again. */
    public void proposalEnded(String group) {
        servingPending &= !group.isEmpty();
        judgementPending &= !group.isEmpty();
        resumePending &= !group.isEmpty();
        GroupMemory memory = memories.get(group);
        if (memory != null) {
            memory.pending = null;
        }
        Group present = state.group(group);
        if (present == null || present.phase() instanceof Phase.Steady) {
            turns.ended(group);
        }
    }

    /** An answer with a lease went out to a heartbeat that had arrived at this time. */
    public void granted(String group, String member, Goal goal, long arrivedNanos) {
        GroupMemory memory = memories.computeIfAbsent(group, n -> new GroupMemory());
        memory.granted.merge(member, arrivedNanos, Math::max);
        Group known = state.group(group);
        if (known != null && goal.acknowledgers() < known.acknowledgersWanted()) {
            memory.fewerAskedNanos = Math.max(memory.fewerAskedNanos, arrivedNanos);
        }
    }

    /**
     * Every authoritative DNS server was read back with the names of this epoch.
     *
     * @param group of databases, or of endpoints
     * @param epoch of a group of endpoints, the log index since which they are wanted
     * @param gone names that must not exist, and don't
     */
    public void namesServed(String group, long epoch, SortedSet<String> gone, long nowNanos) {
        if (state.endpoints().containsKey(group) || state.formerEndpoints().containsKey(group)) {
            if (gone.contains(group)) {
                endpointNamesGone.put(group, epoch);
            }
            return;
        }
        GroupMemory memory = memories.computeIfAbsent(group, n -> new GroupMemory());
        memory.namesGone = Collections.unmodifiableSortedSet(new TreeSet<>(gone));
        if (memory.namesEpoch < epoch) {
            memory.namesEpoch = epoch;
            memory.namesMicros = memory.chosenNanos == 0 ? 0 : (nowNanos - memory.chosenNanos) / 1_000;
        }
    }

    /** Every group that the log names or an agent has reported. */
    public SortedSet<String> groups() {
        TreeSet<String> names = new TreeSet<>(state.groups().keySet());
        names.addAll(state.expected().keySet());
        memories.forEach((name, memory) -> {
            if (!memory.heard.isEmpty()) {
                names.add(name);
            }
        });
        return Collections.unmodifiableSortedSet(names);
    }

    /** What was last heard of a group's members. */
    public SortedMap<String, Heard> heardOf(String group) {
        GroupMemory memory = memories.get(group);
        return memory == null ? Collections.emptySortedMap() : Collections.unmodifiableSortedMap(memory.heard);
    }

    /** Looks at every group; what it says is to be proposed in {@link #term}. Empty while it doesn't lead. */
    public List<Entry> decide(long nowNanos, long wallMillis) {
        noticeOwnPause(nowNanos);
        List<Entry> entries = new ArrayList<>();
        if (!leading) {
            return entries;
        }
        listen(nowNanos);
        turns.askAll();
        for (String group : byPriority()) {
            Entry entry = decideOn(group, nowNanos, wallMillis);
            if (entry != null) {
                entries.add(entry);
            }
        }
        turns.asked();
        return entries;
    }

    private List<String> byPriority() {
        List<String> names = new ArrayList<>(groups());
        names.sort(Comparator.comparing(name -> {
            Group group = state.group(name);
            return group == null ? Policy.USUAL_PRIORITY : group.policy().priority();
        }));
        return names;
    }

    /** How many groups wait for a turn. Where one may have become free all are to be looked at, the most important first. */
    public int waitingForATurn() {
        return leading ? turns.waiting() : 0;
    }

    /** So many primaries are silent at once that this leader suspects itself. */
    public boolean doubts() {
        return leading && doubt.sentence() != null;
    }

    /** How many members of adopted groups this leader didn't hear when it last looked at all groups. */
    public int unheard() {
        return leading ? doubt.unheard().size() : 0;
    }

    private void listen(long nowNanos) {
        TreeSet<MemberName> unheard = new TreeSet<>();
        int hearing = 0;
        int primaries = 0;
        for (Group group : state.groups().values()) {
            for (String member : group.members().keySet()) {
                if (!silent(group.name(), member, nowNanos)) {
                    hearing++;
                    continue;
                }
                unheard.add(new MemberName(group.name(), member));
                primaries += member.equals(group.primary()) ? 1 : 0;
            }
        }
        doubt.look(unheard, hearing, primaries, state.groups().size(), nowNanos);
    }

    private boolean silent(String group, String member, long nowNanos) {
        return silentNanos(group, member, nowNanos) >= Limits.nanos(limits.silenceMillis());
    }

    private long silentNanos(String group, String member, long nowNanos) {
        GroupMemory memory = memories.get(group);
        return View.silentNanos(
                memory == null ? null : memory.heard.get(member),
                Math.max(leaderSinceNanos, listeningSinceNanos),
                nowNanos);
    }

    /** Of whom a leader should ask each other master now, by {@link #testify}; empty where there is no need. */
    public SortedSet<MemberName> toAsk(long nowNanos) {
        return leading ? doubt.toAsk(nowNanos) : Collections.emptySortedSet();
    }

    /** What this master can say of members that the leader doesn't hear. */
    public Testimony testify(SortedSet<MemberName> asked, long nowNanos) {
        TreeSet<MemberName> heard = new TreeSet<>();
        int hearing = 0;
        for (Group group : state.groups().values()) {
            GroupMemory memory = memories.get(group.name());
            for (String member : group.members().keySet()) {
                Heard last = memory == null ? null : memory.heard.get(member);
                if (last == null || nowNanos - last.arrivedNanos() >= Limits.nanos(limits.silenceMillis())) {
                    continue;
                }
                hearing++;
                MemberName name = new MemberName(group.name(), member);
                if (asked.contains(name)) {
                    heard.add(name);
                }
            }
        }
        boolean canTell = nowNanos - listeningSinceNanos >= Limits.nanos(limits.silenceMillis());
        return new Testimony(canTell ? asked : heard, heard, hearing);
    }

    /**
     * Another master has answered.
     *
     * @param askedNanos when it was asked, on this master's clock
     */
    public void testified(String master, Testimony testimony, long askedNanos, long nowNanos) {
        if (leading && askedNanos >= leaderSinceNanos) {
            doubt.testified(master, testimony, askedNanos, nowNanos);
        }
    }

    /** The master that should lead instead of this one, since it hears more; null where none does, or one was named lately. */
    public @Nullable String betterLeader(long nowNanos) {
        long silence = Limits.nanos(limits.silenceMillis());
        // Not again at once where it didn't take the lead, nor back and forth.
        long since = Math.max(Math.max(leaderSinceNanos, listeningSinceNanos), handedOverNanos);
        if (!leading || nowNanos - since < HAND_OVER_SILENCES * silence) {
            return null;
        }
        TreeSet<MemberName> longUnheard = new TreeSet<>();
        for (MemberName name : doubt.unheard()) {
            if (silentNanos(name.group(), name.member(), nowNanos) >= 2 * silence) {
                longUnheard.add(name);
            }
        }
        String better = doubt.better(longUnheard);
        handedOverNanos = better == null ? handedOverNanos : nowNanos;
        return better;
    }

    /** How it stands with many groups at once, as sentences; empty where it is quiet. */
    public List<String> fleetSentences() {
        List<String> sentences = new ArrayList<>();
        String doubted = leading ? doubt.sentence() : null;
        if (doubted != null) {
            sentences.add(doubted);
        }
        if (waitingForATurn() > 0) {
            sentences.add(turns.underWay() + " groups switch now, and " + turns.waiting()
                    + " wait for their turn, by priority");
        }
        return sentences;
    }

    /** Looks which members of all groups clients may be sent to; null where nothing changes, or this master doesn't lead. */
    public @Nullable Entry serving(long nowNanos, long wallMillis) {
        if (!leading || servingPending) {
            return null;
        }
        long rest = Serving.REST_SILENCES * Limits.nanos(limits.silenceMillis());
        TreeMap<String, Serving> changes = new TreeMap<>();
        for (Group group : state.groups().values()) {
            GroupMemory memory = memories.computeIfAbsent(group.name(), n -> new GroupMemory());
            Serving found = Serving.found(
                    view(group.name(), nowNanos, wallMillis), nowNanos - memory.servingReturnedNanos >= rest);
            if (!found.equals(group.serving())) {
                changes.put(group.name(), found);
            }
        }
        servingPending = !changes.isEmpty();
        return servingPending ? new Entry.ServingChanged(changes, wallMillis) : null;
    }

    /** Ends a pause of the fleet that was set for a while; null where there is none to end, or this master doesn't lead. */
    public @Nullable Entry endFleetPause(long wallMillis) {
        String over = leading && !resumePending ? Pause.overBecause(state.fleetPause(), wallMillis) : null;
        resumePending |= over != null;
        return over == null ? null : new Entry.Resumed("", "arbiter", over, wallMillis);
    }

    /**
     * A master, this one or another, has said what it finds of endpoints.
     *
     * @param askedNanos when it was asked, on this master's clock
     */
    public void reportedEndpoints(String master, EndpointReport report, long askedNanos) {
        if (leading && askedNanos >= leaderSinceNanos) {
            endpointVotes.reported(master, report, askedNanos);
            endpointsReported = true;
        }
    }

    /** Judges the endpoints by what the masters say, or forgets those that were removed and have left the DNS; null where nothing changes, the fleet is paused, or this master doesn't lead. */
    public @Nullable Entry judgeEndpoints(long nowNanos, long wallMillis) {
        if (!leading || judgementPending) {
            return null;
        }
        if (!endpointNamesGone.isEmpty()) {
            Entry gone = new Entry.EndpointNamesGone(endpointNamesGone, wallMillis);
            endpointNamesGone.clear();
            judgementPending = true;
            return gone;
        }
        if (!endpointsReported || state.fleetPause() != null) {
            return null;
        }
        endpointsReported = false;
        TreeMap<String, Entry.EndpointsJudged.OfEndpointGroup> judged = new TreeMap<>();
        endpointVotes.judge(state.endpoints(), nowNanos).forEach((name, found) -> {
            EndpointGroup group = state.endpoints().get(name);
            if (group != null) {
                judged.put(name, new Entry.EndpointsJudged.OfEndpointGroup(group.setIndex(), found));
            }
        });
        judgementPending = !judged.isEmpty();
        return judgementPending ? new Entry.EndpointsJudged(judged, wallMillis) : null;
    }

    /** By master, what it says of an endpoint now; null for one that hasn't said anything lately. Empty on followers. */
    public SortedMap<String, EndpointReport.@Nullable Finding> findingsOf(
            EndpointGroup group, String endpoint, long nowNanos) {
        return leading ? endpointVotes.of(group, endpoint, nowNanos) : Collections.emptySortedMap();
    }

    /** Looks at one group; null where there is nothing to do, or this master doesn't lead. */
    public @Nullable Entry decide(String group, long nowNanos, long wallMillis) {
        noticeOwnPause(nowNanos);
        Group known = state.group(group);
        if (leading
                && known != null
                && silent(group, known.primary(), nowNanos)
                && !doubt.unheard().contains(new MemberName(group, known.primary()))) {
            // Others may have fallen silent in the same moment.
            listen(nowNanos);
        }
        return decideOn(group, nowNanos, wallMillis);
    }

    private @Nullable Entry decideOn(String name, long nowNanos, long wallMillis) {
        if (name.isEmpty()) {
            return null; // of an entry for all groups, or for none: a memory kept for it would be shown as a group
        }
        GroupMemory memory = memories.computeIfAbsent(name, n -> new GroupMemory());
        if (!leading || memory.pending != null) {
            return null;
        }
        Verdict verdict = Rule.decide(view(name, nowNanos, wallMillis));
        if (verdict instanceof Verdict.Hold hold && hold.forTurn()) {
            turns.waits(name);
        }
        return verdict instanceof Verdict.Act act ? taken(memory, act.entry(), nowNanos) : null;
    }

    private Entry taken(GroupMemory memory, Entry entry, long nowNanos) {
        memory.pending = entry;
        memory.decidedNanos = nowNanos;
        if (entry instanceof Entry.SwitchStarted started) {
            Group group = state.group(entry.group());
            if (group != null && !started.planned()) {
                turns.began(entry.group(), group.primaryMember().site(), nowNanos);
            }
            Heard primary = group == null ? null : memory.heard.get(group.primary());
            memory.noticedNanos = primary == null ? nowNanos : noticed(started.trigger(), primary, nowNanos);
        }
        return entry;
    }

    /** When this master was first told what set the switch off, or last heard of a primary that fell silent. */
    private long noticed(Trigger trigger, Heard primary, long nowNanos) {
        return switch (trigger) {
            // A person's wish isn't noticed late, however long the primary has been as it is.
            case MANUAL -> nowNanos;
            case PRIMARY_SILENT -> Math.max(primary.arrivedNanos(), listeningSinceNanos);
            case PRIMARY_DEAD, PRIMARY_RESTARTED, PRIMARY_HUNG, CANDIDATE_LOST, DRAIN_LOST ->
                Math.max(primary.stateNanos(), listeningSinceNanos);
        };
    }

    /** A master that didn't run for a while has heard nothing in it: that silence is its own. */
    private void noticeOwnPause(long nowNanos) {
        if (nowNanos - lastLookNanos > Limits.nanos(limits.silenceMillis()) / 2) {
            listeningSinceNanos = nowNanos;
        }
        lastLookNanos = nowNanos;
    }

    /** A decision on the group is being committed: a command would be refused. */
    public boolean deciding(String group) {
        GroupMemory memory = memories.get(group);
        return memory != null && memory.pending != null;
    }

    /** Judges a command; an accepted one is to be proposed like a decision. */
    public Command.Outcome command(Command command, long nowNanos, long wallMillis) {
        if (command instanceof Command.SetRecords set) {
            return Commands.setRecords(state, set, wallMillis);
        }
        if (command instanceof Command.OfEndpoints ofEndpoints) {
            return EndpointCommands.check(state, ofEndpoints, wallMillis);
        }
        if (command.group().isEmpty()) {
            return Commands.check(view("", nowNanos, wallMillis), command);
        }
        GroupMemory memory = memories.getOrDefault(command.group(), new GroupMemory());
        if (!groups().contains(command.group()) && !(command instanceof Command.ExpectGroup)) {
            return Command.Outcome.refused(
                    "no group '" + command.group() + "' (known: " + String.join(", ", groups()) + ")");
        }
        if (command instanceof Command.SetClass set) {
            Group carrier = state.groupOfClass(set.name());
            if (carrier != null && !carrier.name().equals(set.group())) {
                return Command.Outcome.refused("the name '" + set.name() + "' belongs to a traffic class of group '"
                        + carrier.name() + "' (another name, or remove that one first)");
            }
        }
        String taken = command instanceof Command.SetClass set
                ? EndpointCommands.takenProblem(state, set.name())
                : command instanceof Command.ExpectGroup ? EndpointCommands.takenProblem(state, command.group()) : null;
        if (taken != null) {
            return Command.Outcome.refused(taken);
        }
        if (memory.pending != null) {
            return Command.Outcome.refused(
                    "a decision on group '" + command.group() + "' is being committed; ask again");
        }
        Command.Outcome outcome = Commands.check(view(command.group(), nowNanos, wallMillis), command);
        if (outcome.entry() != null) {
            memories.put(command.group(), memory);
            taken(memory, outcome.entry(), nowNanos);
        }
        return outcome;
    }

    /** What each rule says of a group now, in order. */
    public List<Explanation> why(String group, long nowNanos, long wallMillis) {
        View view = view(group, nowNanos, wallMillis);
        List<Explanation> explanations = new ArrayList<>();
        boolean ended = false;
        for (Rule rule : Rule.values()) {
            if (ended || (view.group() == null && rule != Rule.ADOPT)) {
                explanations.add(new Explanation(rule, "not asked", ""));
                continue;
            }
            Verdict verdict = rule.check(view);
            ended = !(verdict instanceof Verdict.Pass);
            String outcome =
                    verdict instanceof Verdict.Act ? "acts" : verdict instanceof Verdict.Hold ? "holds" : "passes";
            explanations.add(new Explanation(rule, outcome, verdict.sentence()));
        }
        return explanations;
    }

    /** The whole wish for a member that was heard; null where nothing was heard of it, or it can't be said yet. */
    public @Nullable Goal goal(String group, String member) {
        GroupMemory memory = memories.get(group);
        Heard heard = memory == null ? null : memory.heard.get(member);
        if (memory == null || heard == null) {
            return null;
        }
        if (memory.pending instanceof Entry.MemberAway away && away.member().equals(member)) {
            // It may have come back meanwhile: it must not follow, and acknowledge, while it is being taken off.
            return null;
        }
        return Goals.of(state.group(group), heard, memory.heard, memory.history, term, limits);
    }

    /** Of a member that is a cluster, what the agents of its nodes said lately, a node each; empty of one that is a server. */
    public List<String> nodesOf(String group, String member, long nowNanos) {
        GroupMemory memory = memories.get(group);
        ClusterSightings cluster = memory == null ? null : memory.clusters.get(member);
        return cluster == null ? List.of() : cluster.heardNodes(nowNanos - Limits.nanos(limits.silenceMillis()));
    }

    private SortedSet<String> atWork(GroupMemory memory, long nowNanos) {
        TreeSet<String> members = new TreeSet<>();
        memory.clusters.forEach((member, cluster) -> {
            if (cluster.atWork(nowNanos - Limits.nanos(limits.silenceMillis()))) {
                members.add(member);
            }
        });
        return members;
    }

    /** Everything a rule may look at. */
    public View view(String name, long nowNanos, long wallMillis) {
        GroupMemory memory = memories.get(name);
        GroupMemory known = memory == null ? new GroupMemory() : memory;
        Group group = state.group(name);
        TreeMap<String, String> times = new TreeMap<>(known.times);
        if (known.phase instanceof Phase.Promoting && known.chosenNanos != 0) {
            times.put("promoted_micros", Long.toString((nowNanos - known.chosenNanos) / 1_000));
            if (known.frozenSinceNanos != 0) {
                times.put("frozen_micros", Long.toString((nowNanos - known.frozenSinceNanos) / 1_000));
            }
        }
        return new View(
                name,
                group,
                state.expectedGroup(name),
                group == null ? EndpointCommands.takenProblem(state, name) : null,
                state.fleetPause(),
                group == null ? null : doubt.about(new MemberName(name, group.primary()), nowNanos),
                group == null ? null : turns.notYet(name, group.primaryMember().site(), nowNanos),
                Collections.unmodifiableSortedMap(known.heard),
                atWork(known, nowNanos),
                known.history,
                Collections.unmodifiableSortedMap(known.granted),
                known.fewerAskedNanos,
                limits,
                term,
                leaderSinceNanos,
                listeningSinceNanos,
                known.phaseSinceNanos,
                known.namesEpoch,
                known.namesMicros,
                known.namesGone,
                times,
                nowNanos,
                wallMillis);
    }
}
