package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.haarbiter.master.core.Entry.AcknowledgersChanged;
import org.haarbiter.master.core.Entry.CandidateChosen;
import org.haarbiter.master.core.Entry.Degraded;
import org.haarbiter.master.core.Entry.GroupAdopted;
import org.haarbiter.master.core.Entry.MemberAway;
import org.haarbiter.master.core.Entry.MemberJoined;
import org.haarbiter.master.core.Entry.NamesPublished;
import org.haarbiter.master.core.Entry.PeersChanged;
import org.haarbiter.master.core.Entry.PreparationEnded;
import org.haarbiter.master.core.Entry.RebuildStarted;
import org.haarbiter.master.core.Entry.Resumed;
import org.haarbiter.master.core.Entry.SwitchAbandoned;
import org.haarbiter.master.core.Entry.SwitchCompleted;
import org.haarbiter.master.core.Entry.SwitchStarted;
import org.haarbiter.master.core.Verdict.Act;
import org.haarbiter.master.core.Verdict.Hold;
import org.haarbiter.master.core.Verdict.Pass;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** What the leader does about a group: an ordered table, the first rule that acts or holds ends the search. */
public enum Rule {
    /** See the sentence. */
    ADOPT(
            "A group is adopted once every expected member is heard of, one follows nobody, all others follow it, and nothing speaks against it.") {
        @Override
        public Verdict check(View view) {
            if (view.group() != null) {
                return new Pass("the group is adopted");
            }
            return view.taken() != null ? new Hold(view.taken()) : Adoption.byTopology(view);
        }
    },
    /** See the sentence. */
    COMPLETE("A switch is complete when the new primary says that it opened writes under the switch's epoch.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (!(group.phase() instanceof Phase.Promoting)) {
                return new Pass("nobody is being promoted");
            }
            Heard primary = view.heardOf(group.primary());
            if (primary != null && primary.sighting().openEpoch() == group.epoch()) {
                return new Act(
                        new SwitchCompleted(group.name(), group.epoch(), view.times(), view.wallMillis()),
                        group.primary() + " has opened writes");
            }
            return new Pass(group.primary() + " hasn't opened writes yet");
        }
    },
    /** See the sentence. */
    CANDIDATE_LOST("A candidate that dies, hangs or falls silent before it has opened is given up for another.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (!(group.phase() instanceof Phase.Promoting)) {
                return new Pass("nobody is being promoted");
            }
            String lost = whyLost(view);
            if (lost != null
                    && group.epoch() == 1
                    && (group.durability() != Durability.LOSSLESS || group.acknowledgers() == 0)
                    && view.silent(group.primary())) {
                // It may have been open before anybody adopted it: then no permission runs out until it knows of one.
                // Where
                // commits wait, a proof by acknowledgements needs none; without one a person would be asked to accept a
                // loss, and not two writers.
                return new Hold(group.primary() + " was adopted and hasn't been heard of since: it may be taking writes"
                        + " without a permission that could run out");
            }
            if (lost != null && view.doubt() != null && view.silent(group.primary())) {
                return new Hold("candidate " + group.primary() + " is silent; but " + view.doubt());
            }
            return lost == null
                    ? new Hold("waiting for " + group.primary() + " to open writes")
                    : start(view, Trigger.CANDIDATE_LOST, "candidate " + group.primary() + " was lost: " + lost, null);
        }
    },
    /** See the sentence. */
    PREPARE(
            "Before a planned switch the candidate catches up and another replica goes over to it; then the primary is drained.") {
        @Override
        public Verdict check(View view) {
            return view.adopted().phase() instanceof Phase.Preparing preparing
                    ? Preparation.check(view, preparing)
                    : new Pass("no planned switch is being prepared");
        }
    },
    /** See the sentence. */
    DRAIN_LOST("A planned switch becomes an unplanned one when the old primary is lost while it is drained.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (!(group.phase() instanceof Phase.Draining)) {
                return new Pass("no planned switch is under way");
            }
            String lost = whyLost(view);
            return lost == null
                    ? new Pass(group.primary() + " is there")
                    : start(
                            view,
                            Trigger.DRAIN_LOST,
                            group.primary() + " was lost while drained: " + lost,
                            // The service is down now: whoever is best, not whom a person had wished for.
                            null);
        }
    },
    /** See the sentence. */
    CHOOSE_DRAINED(
            "In a planned switch the candidate is chosen once it holds everything that the drained primary has.") {
        @Override
        public Verdict check(View view) {
            return view.adopted().phase() instanceof Phase.Draining draining
                    ? Choice.afterDrain(view, draining)
                    : new Pass("no planned switch is under way");
        }
    },
    /** See the sentence. */
    ABANDON(
            "A planned switch whose primary can't be drained, or whose candidate doesn't catch up in time, is given up.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (!(group.phase() instanceof Phase.Draining)) {
                return new Pass("no planned switch is under way");
            }
            if (view.phaseNanos() < Limits.nanos(view.limits().drainMillis())) {
                return new Hold("the planned switch has time left");
            }
            String cause = "not drained and caught up within " + view.limits().drainMillis() + " ms";
            return new Act(new SwitchAbandoned(group.name(), group.epoch(), cause, view.wallMillis()), cause);
        }
    },
    /** See the sentence. */
    CHOOSE_SEALED(
            "After a failure the candidate is chosen when it is proved that the old primary can't write and nothing is lost.") {
        @Override
        public Verdict check(View view) {
            return view.adopted().phase() instanceof Phase.Sealing sealing
                    ? Choice.afterSeal(view, sealing)
                    : new Pass("no switch is under way");
        }
    },
    /** See the sentence. */
    NAMES_PUBLISHED("The DNS part of a switch is complete when every authoritative server shows the new epoch.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (view.namesEpoch() != group.epoch() || group.publishedEpoch() >= group.epoch()) {
                return new Pass(
                        group.publishedEpoch() >= group.epoch()
                                ? "every DNS server shows epoch " + group.epoch()
                                : "DNS still shows epoch " + group.publishedEpoch());
            }
            TreeMap<String, String> times = new TreeMap<>();
            times.put("names_micros", Long.toString(view.namesMicros()));
            return new Act(
                    new NamesPublished(group.name(), group.epoch(), times, view.wallMillis()),
                    "every DNS server shows epoch " + group.epoch());
        }
    },
    /** See the sentence. */
    CLASS_GONE("A traffic class that was removed is forgotten once no DNS server shows its name any more.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            String left = null;
            for (Map.Entry<String, TrafficClass> each : group.classes().entrySet()) {
                if (each.getValue().follows() != TrafficClass.Follows.NOBODY) {
                    continue;
                }
                if (view.namesGone().contains(each.getKey())) {
                    return new Act(
                            new Entry.ClassForgotten(group.name(), each.getKey(), view.wallMillis()),
                            "no DNS server shows '" + each.getKey() + "' any more");
                }
                left = each.getKey();
            }
            return new Pass(
                    left == null
                            ? "no traffic class is to go"
                            : "the name of the removed class '" + left + "' isn't known to be gone from the DNS");
        }
    },
    /** See the sentence. */
    ACKNOWLEDGERS_DRIFTED(
            "Where somebody else made commits wait for fewer acknowledgements, the log says so before they wait again.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            return primary != null && group.phase() instanceof Phase.Steady && primary.waitsForFewer(group)
                    ? acknowledgersChanged(
                            view,
                            primary.sighting().acknowledgersRequired(),
                            "somebody else changed the settings of " + group.primary())
                    : new Pass("commits wait for what the log says");
        }
    },
    /** See the sentence. */
    PAUSE_OVER("A pause that was set for a while ends by itself.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            String over = Pause.overBecause(group.pause(), view.wallMillis());
            return over == null
                    ? new Pass(group.pause() == null ? "not paused" : "the pause isn't over")
                    : new Act(new Resumed(group.name(), "arbiter", over, view.wallMillis()), over);
        }
    },
    /** See the sentence. */
    REOPEN_PAUSED("A primary that is restarted while its group is paused opens again; nobody else is promoted.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            if (pauseOf(view) == null) {
                return new Pass("not paused");
            }
            return view.primaryInstanceGone() && view.in(ServerState.RUNNING, group.primary())
                    ? start(
                            view,
                            Trigger.PRIMARY_RESTARTED,
                            group.primary() + " was restarted while the group is paused",
                            group.primary())
                    : new Pass(group.primary() + " wasn't restarted");
        }
    },
    /** See the sentence. */
    PAUSED("A pause stops everything automatic; commands still work.") {
        @Override
        public Verdict check(View view) {
            Pause pause = pauseOf(view);
            return pause == null
                    ? new Pass("not paused")
                    : new Hold("paused by " + pause.by() + ": " + pause.reason() + " (hactl resume ends it)");
        }
    },
    /** See the sentence. */
    PRIMARY_DEAD("When the primary's process has ended, a replica takes over.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (primary == null || !view.in(ServerState.DEAD, group.primary())) {
                return new Pass("the process of " + group.primary() + " isn't known to have ended");
            }
            return startIfReachable(
                    view,
                    Trigger.PRIMARY_DEAD,
                    "the process of " + group.primary() + " has ended: "
                            + primary.sighting().detail());
        }
    },
    /** See the sentence. */
    PRIMARY_RESTARTED(
            "A primary that was restarted comes up fenced; it opens again, or a replica does, under a new epoch.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            return view.primaryInstanceGone() && view.in(ServerState.RUNNING, group.primary())
                    ? startInTurn(view, Trigger.PRIMARY_RESTARTED, group.primary() + " was restarted and is fenced")
                    : new Pass(group.primary() + " wasn't restarted");
        }
    },
    /** See the sentence. */
    PRIMARY_HUNG("When the primary's process lives but answers nothing, it is killed and a replica takes over.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (primary == null || !view.in(ServerState.HUNG, group.primary())) {
                return new Pass(group.primary() + " isn't hung");
            }
            return startIfReachable(
                    view,
                    Trigger.PRIMARY_HUNG,
                    group.primary() + " is hung: " + primary.sighting().detail());
        }
    },
    /** See the sentence. */
    PRIMARY_SILENT("When neither the masters nor its replicas hear of the primary any more, a replica takes over.") {
        @Override
        public Verdict check(View view) {
            return Silence.check(view);
        }
    },
    /** See the sentence. */
    FEWER_ACKNOWLEDGERS("Before commits may wait for fewer acknowledgements, the log says so.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            int wanted = group.acknowledgersWanted();
            return wanted < group.acknowledgers()
                    ? acknowledgersChanged(
                            view,
                            wanted,
                            group.durability() == Durability.LOSSLESS
                                    ? group.followers().size() + " followers"
                                    : "the group is " + group.policy().words(group.positionKind()))
                    : new Pass("commits wait for no more acknowledgements than wanted");
        }
    },
    /** See the sentence. */
    ACKNOWLEDGERS_LOST(
            "When too few are left to acknowledge, commits wait for fewer; for none only where the group's policy says so.") {
        @Override
        public Verdict check(View view) {
            return Acknowledging.check(view);
        }
    },
    /** See the sentence. */
    MEMBER_AWAY(
            "A replica whose server has ended stops counting, once all others hold everything it can have acknowledged.") {
        @Override
        public Verdict check(View view) {
            return Membership.leaving(view);
        }
    },
    /** See the sentence. */
    MEMBER_JOINS("A fenced member whose history is part of the primary's follows it.") {
        @Override
        public Verdict check(View view) {
            return Membership.joining(view);
        }
    },
    /** See the sentence. */
    MEMBER_COPIES(
            "A fenced Redis member that holds what the primary lacks has it saved, and takes a copy of the data.") {
        @Override
        public Verdict check(View view) {
            return Membership.copying(view);
        }
    },
    /** See the sentence. */
    PEERS("Whoever may be promoted must permit a primary to go on without masters; the log says so before it counts.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (primary == null || primary.sighting().openEpoch() != group.epoch()) {
                return new Pass(group.primary() + " isn't known to be open");
            }
            TreeSet<String> next = new TreeSet<>(group.peersWanted());
            // One that the primary's agent doesn't have in its list yet would permit nothing and refuse nothing.
            next.removeIf(peer -> !group.peers().contains(peer)
                    && !primary.sighting().peering().list().contains(peer));
            if (next.isEmpty() || next.equals(group.peers())) {
                return new Pass(
                        group.peers().isEmpty()
                                ? "without masters, " + group.primary() + " would be fenced"
                                : "without masters, " + group.primary() + " goes on while the agents of "
                                        + String.join(", ", group.peers()) + " permit it");
            }
            return new Act(
                    new PeersChanged(group.name(), group.epoch(), next, view.wallMillis()),
                    "the agent of " + group.primary() + " knows that it must ask " + String.join(", ", next));
        }
    },
    /** See the sentence. */
    MORE_ACKNOWLEDGERS("Once commits wait for more acknowledgements, the log says so, and proofs may count on it.") {
        @Override
        public Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (primary == null
                    || primary.sighting().openEpoch() != group.epoch()
                    || primary.sighting().acknowledgersRequired() <= group.acknowledgers()
                    || group.acknowledgersWanted() <= group.acknowledgers()) {
                return new Pass(group.positionKind().acknowledgement(group.acknowledgers()));
            }
            int reached = Math.min(primary.sighting().acknowledgersRequired(), group.acknowledgersWanted());
            // Whoever was told to let them wait for fewer may yet do so, until a look follows another answer.
            if (!view.lookedAfter(Math.max(view.fewerAskedNanos() + 1, view.leaderSinceNanos()), primary)) {
                return new Pass("it isn't known yet that " + group.primary() + " has obeyed the newest answer");
            }
            // A heartbeat that was under way for long tells of a time since when somebody may have changed it again.
            if (view.nowNanos() - primary.lookedNanos()
                    > Limits.nanos(view.limits().silenceMillis())) {
                return new Pass("what is known of " + group.primary() + " is too old");
            }
            // What was committed before may have waited for fewer: as many followers must hold that, too.
            long holders = !view.lookedAfter(primary.requiredNanos(), primary)
                    ? 0
                    : view.reachableFollowers().stream()
                            .map(m -> view.heard().get(m.name()))
                            .filter(h -> h != null
                                    && h.sighting().receiving()
                                    && h.received().covers(primary.received()))
                            .count();
            if (holders < reached) {
                return new Pass(holders + " followers are known to hold what was committed before commits waited for "
                        + reached);
            }
            return acknowledgersChanged(view, reached, group.primary() + " says so");
        }
    };

    /** A candidate of a planned switch that lags by no more than this, in ms, catches up within the time for draining. */
    private static final long CLOSE_MILLIS = 1_000;

    private final String sentence;

    Rule(String sentence) {
        this.sentence = sentence;
    }

    /** What the rule does, for operators. */
    public String sentence() {
        return sentence;
    }

    /** What the rule says of this view. Every rule but {@link #ADOPT} needs an adopted group. Same view, same verdict. */
    public abstract Verdict check(View view);

    /** The first verdict that acts or holds; null where every rule passes. */
    static @Nullable Verdict decide(View view) {
        for (Rule rule : values()) {
            Verdict verdict = rule.check(view);
            if (!(verdict instanceof Pass)) {
                return verdict;
            }
            if (view.group() == null) {
                return null;
            }
        }
        return null;
    }

    /** The name that stands in the switch log. */
    String by() {
        return "rule " + name();
    }

    private static @Nullable Pause pauseOf(View view) {
        Pause own = view.adopted().pause();
        return own != null ? own : view.fleetPause();
    }

    /** Why the group's primary can't be counted on any more; null where it can. */
    private static @Nullable String whyLost(View view) {
        String primary = view.adopted().primary();
        Heard last = view.heardOf(primary);
        if (view.silent(primary) && !view.clustersAtWork().contains(primary)) {
            return "nothing heard for " + view.silentNanos(primary) / 1_000_000 + " ms";
        }
        if (last == null) {
            return null;
        }
        if (view.primaryInstanceGone()) {
            return "its server was restarted";
        }
        return switch (last.sighting().state()) {
            case DEAD, HUNG -> last.sighting().detail();
            case UNKNOWN, RUNNING, STARTING, REFUSING -> null;
        };
    }

    /** Begins a switch only where it could end well: enough replicas can be sealed, or one can be promoted. */
    static Verdict startIfReachable(View view, Trigger trigger, String cause) {
        Group group = view.adopted();
        List<Member> reachable = view.reachableFollowers();
        int needed = group.losslessByAcknowledgements() ? group.sealsNeeded() : 1;
        if (group.losslessByAcknowledgements() && group.acknowledgers() == 0) {
            return new Hold(
                    cause + "; but it isn't known that its commits waited for acknowledgements, so a switch could lose "
                            + "writes (hactl promote --accept-data-loss overrides)");
        }
        if (reachable.size() < needed || reachable.stream().noneMatch(view::electable)) {
            return new Hold(cause + "; but only " + reachable.size() + " of the " + needed
                    + " replicas that are needed can be reached, or none is electable; waiting for more");
        }
        String far = group.durability() == Durability.BOUNDED ? allTooFar(view, reachable) : null;
        if (far != null) {
            return new Hold(cause + "; but " + far + " (hactl promote --accept-data-loss overrides)");
        }
        long blocked = view.blockedMillis();
        if (blocked > 0) {
            return new Hold(cause + "; but the group has failed over before ("
                    + group.streak().failovers()
                    + " in a row), and waits another " + blocked + " ms (hactl ack " + group.name()
                    + " ends the wait)");
        }
        return startInTurn(view, trigger, cause);
    }

    /** Why none of these may be promoted in a bounded group; null where one may. */
    private static @Nullable String allTooFar(View view, List<Member> reachable) {
        List<String> far = new ArrayList<>();
        for (Member follower : reachable) {
            Heard heard = view.heardOf(follower.name());
            String beyond = heard == null || !view.electable(follower) ? null : view.beyondBound(heard);
            if (beyond != null) {
                far.add(beyond);
            }
        }
        boolean all = far.size() == reachable.stream().filter(view::electable).count();
        return all ? String.join("; ", far) : null;
    }

    private static Verdict startInTurn(View view, Trigger trigger, String cause) {
        String turn = view.turn();
        return turn == null ? start(view, trigger, cause, null) : new Hold(cause + "; it waits: " + turn, true);
    }

    private static Act acknowledgersChanged(View view, int acknowledgers, String evidence) {
        Group group = view.adopted();
        return new Act(
                new AcknowledgersChanged(group.name(), group.epoch(), acknowledgers, evidence, view.wallMillis()),
                group.positionKind().acknowledgement(acknowledgers) + " now: " + evidence);
    }

    private static Act start(View view, Trigger trigger, String cause, @Nullable String target) {
        Group group = view.adopted();
        return new Act(
                new SwitchStarted(
                        group.name(),
                        group.epoch(),
                        trigger,
                        false,
                        target,
                        null,
                        false,
                        trigger.isFailover() ? view.nextInARow() : 0,
                        "rule " + trigger.name(),
                        cause,
                        view.evidence(),
                        view.wallMillis()),
                cause);
    }

    /** When nothing is heard of the primary. */
    private static final class Silence {
        static Verdict check(View view) {
            Group group = view.adopted();
            String primary = group.primary();
            if (!view.silent(primary)) {
                return new Pass(primary + " is heard of");
            }
            String cause = "nothing heard of " + primary + " for " + view.silentNanos(primary) / 1_000_000 + " ms";
            String asked = view.askedPeer();
            if (asked != null) {
                return new Hold(cause + "; but its agent is there and writes go on by its peers' permission, that of "
                        + asked + " among them: the masters and " + primary + " don't reach each other");
            }
            if (view.clustersAtWork().contains(primary)) {
                // Whoever speaks for it would fence it; the others don't.
                return new Hold(
                        cause + "; but agents of other nodes say that the cluster is at work, so only the agent beside"
                                + " its elected node is gone or cut off, and the cluster may be taking writes (start that agent, or"
                                + " stop its node)");
            }
            if (view.doubt() != null) {
                return new Hold(cause + "; but " + view.doubt());
            }
            for (Member follower : view.reachableFollowers()) {
                Heard heard = view.heard().get(follower.name());
                // What comes by a stream doesn't come from the primary.
                if (heard == null || group.positionKind().streamed()) {
                    continue;
                }
                Sighting s = heard.sighting();
                // One that goes ahead in a planned switch hears the candidate.
                boolean hears = s.receiving()
                        && group.primaryMember().address().equals(s.source())
                        && s.sourceHeardMillis() >= 0
                        && s.sourceHeardMillis() < view.limits().silenceMillis();
                if (!hears) {
                    continue;
                }
                if (group.durability() != Durability.LOSSLESS) {
                    return new Hold(
                            cause + "; but replica " + follower.name()
                                    + " still hears its server, so its agent is gone or cut off and the server may be taking writes");
                }
                // A cut-off agent fences its server when the lease ends, and then no new write arrives. Where writes
                // still arrive after that, the agent is dead and the server is well.
                long quietFor = view.nowNanos() - Math.max(heard.receivedNanos(), view.leaseEndNanos(primary));
                if (quietFor < Limits.nanos(view.limits().silenceMillis())) {
                    return new Hold(cause + "; but replica " + follower.name()
                            + " still receives from its server: an agent's death isn't its server's");
                }
            }
            return startIfReachable(view, Trigger.PRIMARY_SILENT, cause);
        }
    }

    /** The time before a planned switch, in which the primary writes on. */
    private static final class Preparation {
        static Verdict check(View view, Phase.Preparing preparing) {
            Group group = view.adopted();
            String lost = whyLost(view);
            if (lost != null) {
                return abandon(view, group.primary() + " was lost before: " + lost);
            }
            String candidate = preparing.candidate();
            Heard heard = view.heardOf(candidate);
            if (heard == null || !view.in(ServerState.RUNNING, candidate)) {
                return abandon(
                        view,
                        heard == null
                                ? "nothing is heard of " + candidate
                                : candidate + " is " + view.describe(candidate, heard));
            }
            boolean timeIsUp = view.phaseNanos() >= Limits.nanos(view.limits().drainMillis());
            Sighting s = heard.sighting();
            boolean close = heard.replicates() && s.lagMillis() <= CLOSE_MILLIS;
            if (!close) {
                String behind = candidate + " isn't close behind " + group.primary() + ": "
                        + (heard.replicates() ? s.lagMillis() + " ms" : "its replication stands still");
                return timeIsUp
                        ? abandon(view, behind + " after " + view.limits().drainMillis() + " ms")
                        : new Hold(behind);
            }
            String vanguard = preparing.vanguard();
            boolean ahead = vanguard == null || follows(view, vanguard, group.member(candidate));
            if (!ahead && !timeIsUp) {
                return new Hold(vanguard + " goes over to " + candidate);
            }
            if (vanguard != null && ahead && !caughtUp(view, vanguard) && !timeIsUp) {
                return new Hold(vanguard + " follows " + candidate + ", and hasn't received through it yet all that "
                        + group.primary() + " had when it went over");
            }
            String evidence = candidate + " is close behind"
                    + (vanguard == null
                            ? ""
                            : ahead ? ", " + vanguard + " follows it" : ", " + vanguard + " doesn't yet");
            return new Act(
                    new SwitchStarted(
                            group.name(),
                            group.epoch(),
                            Trigger.MANUAL,
                            true,
                            candidate,
                            ahead ? vanguard : null,
                            false,
                            0,
                            preparing.by(),
                            preparing.reason(),
                            view.evidence(),
                            view.wallMillis()),
                    group.primary() + " is drained now: " + evidence);
        }

        private static boolean follows(View view, String replica, Member source) {
            Heard heard = view.heardOf(replica);
            return heard != null
                    && view.in(ServerState.RUNNING, replica)
                    && heard.sighting().receiving()
                    && source.address().equals(heard.sighting().source());
        }

        /**
         * Its new source reads through its own log for what to send first: with gigabytes of log for seconds, in which the first
         * write after the switch would wait for its acknowledgement.
         */
        private static boolean caughtUp(View view, String vanguard) {
            Heard heard = view.heardOf(vanguard);
            return heard != null && view.history().heldAllOfLookNanos(heard.received()) >= heard.followsNanos();
        }

        private static Act abandon(View view, String cause) {
            Group group = view.adopted();
            return new Act(new PreparationEnded(group.name(), group.epoch(), cause, view.wallMillis()), cause);
        }
    }

    /** Which member becomes the primary. */
    static final class Choice {

        /** Whom a planned switch without a named candidate goes to; null where nobody can take over. */
        static @Nullable Heard bestFollower(View view) {
            List<Heard> able = new ArrayList<>();
            for (Member follower : view.reachableFollowers()) {
                Heard heard = view.heard().get(follower.name());
                if (heard != null && view.electable(follower) && heard.replicates()) {
                    able.add(heard);
                }
            }
            return able.isEmpty() ? null : best(view, able);
        }

        static Verdict afterDrain(View view, Phase.Draining draining) {
            Group group = view.adopted();
            Heard from = view.heardOf(group.primary());
            if (from == null
                    || from.sighting().fencedEpoch() != group.epoch()
                    || from.sighting().writable()) {
                return new Pass(group.primary() + " isn't drained yet");
            }
            List<Heard> ready = new ArrayList<>();
            for (Member follower : view.reachableFollowers()) {
                Heard heard = view.heard().get(follower.name());
                if (heard != null
                        && follower.name().equals(draining.candidate())
                        && heard.received().covers(from.received())) {
                    ready.add(heard);
                }
            }
            if (ready.isEmpty()) {
                return new Pass(draining.candidate() + " doesn't hold everything of " + group.primary() + " yet");
            }
            Heard best = best(view, ready);
            if (group.durability() == Durability.LOSSLESS
                    && group.positionKind().streamed()) {
                // What was acknowledged last may be in the stream only.
                return view.knowsStreamsEnd(best)
                        ? choose(
                                view,
                                best,
                                best.received(),
                                List.of(),
                                "it opens once it has applied its stream to the end; " + group.primary()
                                        + " is drained")
                        : new Pass(draining.candidate() + " hasn't been told yet how far its stream goes since "
                                + group.primary() + " was drained");
            }
            return choose(
                    view,
                    best,
                    from.received(),
                    List.of(),
                    "it holds everything that the drained primary " + group.primary() + " has");
        }

        static Verdict afterSeal(View view, Phase.Sealing sealing) {
            Group group = view.adopted();
            List<Heard> sealed = new ArrayList<>();
            List<String> missing = new ArrayList<>();
            for (Member follower : group.followers()) {
                Heard heard = view.heardOf(follower.name());
                if (heard != null && heard.sighting().sealedEpoch() == group.epoch()) {
                    sealed.add(heard);
                } else if (view.in(ServerState.RUNNING, follower.name())) {
                    missing.add(follower.name());
                }
            }
            if (!missing.isEmpty()
                    && view.phaseNanos() < Limits.nanos(view.limits().gatherMillis())) {
                return new Hold("waiting for " + String.join(", ", missing) + " to be sealed");
            }
            List<Heard> candidates = new ArrayList<>();
            Heard old = oldPrimary(view, sealed);
            boolean oldFirst = sealing.trigger() == Trigger.PRIMARY_RESTARTED;
            if (old != null && mayBe(view, old, sealing) && (oldFirst || sealing.target() != null)) {
                return choose(view, old, old.received(), sealed, "its own history holds every write it acknowledged");
            }
            for (Heard heard : newest(view, sealed)) {
                if (mayBe(view, heard, sealing)) {
                    candidates.add(heard);
                }
            }
            String stopped = stopped(view);
            Heard named = sealing.acceptDataLoss() ? cutOff(view, sealing.target()) : null;
            if (named != null && stopped != null) {
                return choose(
                        view,
                        named,
                        named.received(),
                        sealed,
                        "data loss accepted by a person; " + stopped + lost(view, named));
            }
            if (group.losslessByAcknowledgements() && !sealing.acceptDataLoss()) {
                String gap = gapInProof(view, sealed);
                List<Heard> whole = gap != null
                        ? List.of()
                        : candidates.stream()
                                .filter(c ->
                                        c.received().covers(group.positionKind().parse(group.floor())))
                                .toList();
                if (!whole.isEmpty()) {
                    Heard best = best(view, whole);
                    return choose(
                            view,
                            best,
                            best.received(),
                            sealed,
                            "lossless: " + complete(sealed) + " of "
                                    + group.followers().size() + " followers are sealed, commits waited for "
                                    + group.acknowledgers() + ", and it holds all that any of them has"
                                    + (stopped == null ? "" : "; " + stopped));
                }
                if (old != null && mayBe(view, old, sealing)) {
                    return choose(
                            view, old, old.received(), sealed, "its own history holds every write it acknowledged");
                }
                return new Hold("no proof that nothing is lost: " + (gap != null ? gap : noCandidate(sealed))
                        + " (hactl promote --accept-data-loss overrides)");
            }
            if (stopped == null) {
                return new Hold("it isn't sure yet that " + group.primary() + " takes no writes; "
                        + (view.leaseOver(group.primary()) && view.outlivesItsLease(group.primary())
                                ? "its permission has run out, but nodes of it are at work, and take writes once they have"
                                        + " elected one of them, until the agent beside that one has fenced it (start the agents"
                                        + " of its nodes, or stop the nodes)"
                                : view.leaseOver(group.primary())
                                        ? "its peers may have permitted it to go on: one of "
                                                + String.join(", ", group.peers())
                                                + " must say that it does so no more"
                                        : "its permission ends in "
                                                + (view.leaseEndNanos(group.primary()) - view.nowNanos()) / 1_000_000
                                                + " ms"));
            }
            if (!sealing.acceptDataLoss() && !candidates.isEmpty() && mayHoldMore(group, sealed)) {
                List<Heard> whole = candidates.stream()
                        .filter(candidate -> candidate.sighting().historyComplete())
                        .toList();
                if (whole.isEmpty()) {
                    return comeBackAlone(group, candidates.get(0).sighting().member());
                }
                candidates = whole;
            }
            if (group.durability() == Durability.LOSSLESS && !sealing.acceptDataLoss() && !candidates.isEmpty()) {
                List<Heard> drained =
                        candidates.stream().filter(view::knowsStreamsEnd).toList();
                if (drained.isEmpty()) {
                    return new Hold("no proof that nothing is lost: "
                            + candidates.get(0).sighting().member()
                            + " hasn't been told yet how far its stream goes since "
                            + stopped + " (hactl promote --accept-data-loss overrides)");
                }
                candidates = drained;
            }
            if (group.durability() == Durability.BOUNDED && !sealing.acceptDataLoss() && !candidates.isEmpty()) {
                List<Heard> close = candidates.stream()
                        .filter(candidate -> view.beyondBound(candidate) == null)
                        .toList();
                if (close.isEmpty()) {
                    return old != null && mayBe(view, old, sealing)
                            ? choose(view, old, old.received(), sealed, "its own history is the newest, and it is back")
                            : new Hold(candidates.stream()
                                            .map(candidate -> String.valueOf(view.beyondBound(candidate)))
                                            .collect(Collectors.joining("; "))
                                    + " (hactl promote --accept-data-loss overrides)");
                }
                candidates = close;
            }
            if (candidates.isEmpty()) {
                // Where nobody else is left its own history is the newest there is, even if a restart has shortened it.
                boolean whole = old != null;
                old = whole ? old : cutOff(view, group.primary());
                if (old != null && !whole && mayHoldMore(group, sealed)) {
                    return comeBackAlone(group, group.primary());
                }
                String beyond = old == null || group.durability() != Durability.BOUNDED || sealing.acceptDataLoss()
                        ? null
                        : view.beyondBound(old);
                if (beyond != null) {
                    return new Hold(beyond + " (hactl promote --accept-data-loss overrides)");
                }
                return old != null && mayBe(view, old, sealing) && coversAll(old.received(), sealed)
                        ? choose(view, old, old.received(), sealed, "no replica could take over, and it is back")
                        : new Hold(noCandidate(sealed) + " (hactl promote --accept-data-loss overrides)");
            }
            Heard best = best(view, candidates);
            return choose(
                    view,
                    best,
                    best.received(),
                    sealed,
                    (sealing.acceptDataLoss()
                                    ? "data loss accepted by a person; "
                                    : group.durability() == Durability.LOSSLESS
                                            ? "lossless: it opens once it has applied its stream to the end; "
                                            : "newest replica; ")
                            + stopped
                            + lost(view, best));
        }

        /** Followers that can't be reached may hold what a restart took from one that can, and would be overwritten by it. */
        private static boolean mayHoldMore(Group group, List<Heard> sealed) {
            return group.positionKind().copiedByFollowing()
                    && sealed.size() < group.followers().size();
        }

        private static Hold comeBackAlone(Group group, String member) {
            return new Hold(member
                    + " was restarted and came back without its history, and whoever followed it would lose what"
                    + " it has: waiting until all of "
                    + String.join(
                            ", ", group.followers().stream().map(Member::name).toList())
                    + " are sealed (hactl promote --accept-data-loss overrides)");
        }

        /** A member that takes no writes and has no input, whatever it holds, unless it is half a copy; null where that isn't sure. */
        private static @Nullable Heard cutOff(View view, @Nullable String member) {
            long epoch = view.adopted().epoch();
            Heard heard = member == null ? null : view.heardOf(member);
            if (heard == null || !view.in(ServerState.RUNNING, heard.sighting().member())) {
                return null;
            }
            Sighting s = heard.sighting();
            boolean asked = s.fencedEpoch() == epoch || s.sealedEpoch() == epoch;
            return asked && !s.writable() && !s.receiving() && !s.rebuilding() ? heard : null;
        }

        /** What the old primary had and the candidate lacks, as far as anybody knows. */
        private static String lost(View view, Heard candidate) {
            Heard from = view.heardOf(view.adopted().primary());
            if (from == null) {
                return "";
            }
            Position beyond = from.received().minus(candidate.received());
            return beyond.isEmpty() ? "" : "; lost at least " + beyond;
        }

        private static String noCandidate(List<Heard> sealed) {
            return sealed.isEmpty()
                    ? "no replica is sealed"
                    : "no sealed, electable and reachable replica holds all that the others have";
        }

        /** Why it can't be proved that every acknowledged write is known; null where it is proved. */
        private static @Nullable String gapInProof(View view, List<Heard> sealed) {
            Group group = view.adopted();
            if (group.acknowledgers() < 1) {
                return "it isn't known that commits waited for acknowledgements";
            }
            long complete = complete(sealed);
            if (complete < group.sealsNeeded()) {
                return complete + " of the " + group.sealsNeeded()
                        + " followers that are needed are sealed with a whole history";
            }
            Heard from = view.heardOf(group.primary());
            if (from != null
                    && from.sighting().acknowledgers() > group.followers().size()) {
                return group.primary() + " had " + from.sighting().acknowledgers()
                        + " acknowledgers, and the group has only "
                        + group.followers().size() + " followers";
            }
            return null;
        }

        private static long complete(List<Heard> sealed) {
            return sealed.stream().filter(h -> h.sighting().historyComplete()).count();
        }

        /** The old primary, back and fenced, where it may be the candidate: it holds all that the sealed have. */
        private static @Nullable Heard oldPrimary(View view, List<Heard> sealed) {
            Group group = view.adopted();
            Heard from = view.heardOf(group.primary());
            return from != null
                            && from.sighting().fencedEpoch() == group.epoch()
                            && !from.sighting().writable()
                            && from.sighting().historyComplete()
                            && coversAll(from.received(), sealed)
                            && from.received().covers(group.positionKind().parse(group.floor()))
                    ? from
                    : null;
        }

        /** Those that hold all that the others hold. */
        private static List<Heard> newest(View view, List<Heard> sealed) {
            if (!view.adopted().positionKind().copiedByFollowing()) {
                return covering(sealed, sealed);
            }
            List<Heard> whole = sealed.stream()
                    .filter(heard -> heard.sighting().historyComplete())
                    .toList();
            List<Heard> present = ofPresentHistory(view, sealed);
            List<Heard> newest = covering(present, present).stream()
                    .filter(heard -> heard.sighting().historyComplete() || coversAll(heard.received(), sealed))
                    .toList();
            return newest.isEmpty() ? covering(whole, whole) : newest;
        }

        private static List<Heard> covering(List<Heard> some, List<Heard> others) {
            return some.stream()
                    .filter(heard -> coversAll(heard.received(), others))
                    .toList();
        }

        /**
         * A Redis server that was restarted, or was away while two histories began, doesn't know that it is part of the present
         * one, and can't be compared with those that do.
         */
        private static List<Heard> ofPresentHistory(View view, List<Heard> sealed) {
            Group group = view.adopted();
            Position floor = group.positionKind().parse(group.floor());
            Position newest = view.history().newest();
            List<Heard> present = sealed.stream()
                    .filter(h -> share(floor, h.received()) || (newest != null && share(newest, h.received())))
                    .toList();
            return present.isEmpty() ? sealed : present;
        }

        private static boolean share(Position some, Position other) {
            return some.minus(other).transactions() < some.transactions();
        }

        private static boolean mayBe(View view, Heard heard, Phase.Sealing sealing) {
            String name = heard.sighting().member();
            return view.in(ServerState.RUNNING, name)
                    && (sealing.target() == null
                            ? view.electable(view.adopted().member(name))
                            : sealing.target().equals(name));
        }

        private static boolean coversAll(Position position, List<Heard> others) {
            return others.stream().allMatch(other -> position.covers(other.received()));
        }

        /** Why the old primary can't be taking writes; null where that isn't sure. */
        private static @Nullable String stopped(View view) {
            Group group = view.adopted();
            String primary = group.primary();
            Heard from = view.heardOf(primary);
            if (from != null && from.sighting().state() == ServerState.DEAD) {
                return "the process of " + primary + " has ended";
            }
            if (from != null
                    && from.sighting().fencedEpoch() == group.epoch()
                    && !from.sighting().writable()) {
                return primary + " is fenced";
            }
            return view.leaseOver(primary) && view.peerLeaseOver() && !view.outlivesItsLease(primary)
                    ? "the permission of " + primary + " has run out"
                    : null;
        }

        /** The most applied first, so that it opens soonest; then by priority; then the old primary's site; then the name. */
        private static Heard best(View view, List<Heard> candidates) {
            String site = view.adopted().primaryMember().site();
            Heard best = candidates.get(0);
            Comparator<Heard> byPriority =
                    Comparator.comparingInt(h -> h.sighting().priority());
            Comparator<Heard> order = byPriority
                    .thenComparing(h -> !h.sighting().site().equals(site))
                    .thenComparing(h -> h.sighting().member());
            for (Heard next : candidates) {
                boolean more = next.applied().covers(best.applied());
                boolean less = best.applied().covers(next.applied());
                if ((more && !less) || (more == less && order.compare(next, best) < 0)) {
                    best = next;
                }
            }
            return best;
        }

        private static Act choose(View view, Heard candidate, Position upTo, List<Heard> sealed, String proof) {
            Group group = view.adopted();
            TreeSet<String> behind = new TreeSet<>();
            // The followers of a primary hold nothing that it lacks, unless it has lost something itself; of other
            // members only the final positions count.
            boolean whole = candidate.sighting().member().equals(group.primary())
                    && candidate.sighting().historyComplete();
            if (whole || group.phase() instanceof Phase.Draining) {
                group.followers().forEach(m -> behind.add(m.name()));
            } else {
                sealed.stream()
                        .filter(h -> candidate.received().covers(h.received()))
                        .forEach(h -> behind.add(h.sighting().member()));
            }
            TreeMap<String, String> evidence = new TreeMap<>(view.evidence());
            evidence.putAll(view.times());
            return new Act(
                    new CandidateChosen(
                            group.name(),
                            group.epoch(),
                            candidate.sighting().member(),
                            candidate.sighting().instance(),
                            upTo.toString(),
                            behind,
                            proof,
                            evidence,
                            view.wallMillis()),
                    candidate.sighting().member() + " is chosen: " + proof);
        }
    }

    /** When commits wait for acknowledgements that nobody gives. */
    private static final class Acknowledging {
        static Verdict check(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            int required = group.acknowledgers();
            if (primary == null
                    || required == 0
                    || !view.fresh(group.primary())
                    || primary.sighting().openEpoch() != group.epoch()
                    || primary.sighting().acknowledgersRequired() != required) {
                return new Pass("commits aren't known to wait");
            }
            Sighting s = primary.sighting();
            long patience = Limits.nanos(view.limits().noAcknowledgerMillis());
            boolean tooFew = s.acknowledgers() < required;
            long missing = tooFew ? view.nowNanos() - primary.shortNanos() : 0;
            long waited = Limits.nanos(Math.max(0, s.waitingMillis()));
            if (!tooFew && waited == 0) {
                return new Pass(s.acknowledgers() + " replicas acknowledge, " + required + " must");
            }
            String evidence = tooFew
                    ? s.acknowledgers() + " replicas acknowledge, " + required + " must, for " + missing / 1_000_000
                            + " ms"
                    : "a commit has waited " + s.waitingMillis() + " ms for an acknowledgement";
            // Counted from when it was heard that they wait for so many: what went before was another number's fault.
            if (view.nowNanos() - primary.requiredNanos() < patience || Math.max(missing, waited) < patience) {
                return new Pass(evidence + "; something is done about it after "
                        + view.limits().noAcknowledgerMillis() + " ms");
            }
            // One that is attached and doesn't answer is worth as little as one that is gone.
            int left = Math.max(0, Math.min(s.acknowledgers(), required - 1));
            if (left > 0) {
                return acknowledgersChanged(
                        view,
                        left,
                        evidence + "; after a failure " + (group.followers().size() - left + 1) + " of "
                                + group.followers().size() + " followers must be reached");
            }
            return group.policy().onNoAcknowledger() == OnNoAcknowledger.DEGRADE
                    ? new Act(
                            new Degraded(group.name(), group.epoch(), evidence, view.wallMillis()),
                            "commits go on without acknowledgement: " + evidence)
                    : new Pass(evidence + "; writes wait, since on-no-acknowledger is wait");
        }
    }

    /** Who counts as a follower. */
    private static final class Membership {

        static Verdict leaving(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            String unproved = null;
            for (Member follower : group.followers()) {
                Heard gone = view.heardOf(follower.name());
                // Said after it had heard of this leader: an earlier one may have let its next process follow already.
                if (gone == null
                        || !view.in(ServerState.DEAD, follower.name())
                        || gone.sighting().acceptedTerm() != view.term()) {
                    continue;
                }
                // Others that have ended hold nothing more than those that are left.
                List<Member> others = group.followers().stream()
                        .filter(m -> !view.in(ServerState.DEAD, m.name()))
                        .toList();
                // Compared with a look at the primary after the death, when the dead one's connection was gone and
                // its last acknowledgements had come: what it acknowledged is part of that.
                boolean held = primary != null
                        && view.lookedAfter(gone.stateNanos(), primary)
                        && (group.durability() != Durability.LOSSLESS
                                || primary.sighting().acknowledgers() <= others.size())
                        && view.in(ServerState.RUNNING, group.primary())
                        && primary.sighting().openEpoch() == group.epoch()
                        && !others.isEmpty()
                        && others.stream().allMatch(m -> {
                            Heard heard = view.heardOf(m.name());
                            return heard != null
                                    && view.in(ServerState.RUNNING, m.name())
                                    && view.lookedAfter(gone.stateNanos(), heard)
                                    && heard.sighting().receiving()
                                    && heard.received().covers(primary.received());
                        });
                if (held) {
                    return new Act(
                            new MemberAway(
                                    group.name(),
                                    group.epoch(),
                                    follower.name(),
                                    gone.sighting().detail(),
                                    view.wallMillis()),
                            follower.name() + " has ended, and the others hold everything");
                }
                unproved = follower.name();
            }
            return new Pass(
                    unproved == null
                            ? "no follower has ended"
                            : unproved + " has ended, and it isn't proved yet that the others hold everything");
        }

        static Verdict joining(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (primary == null
                    || primary.sighting().openEpoch() != group.epoch()
                    || !view.in(ServerState.RUNNING, group.primary())) {
                return new Pass(group.primary() + " isn't known to be open");
            }
            String waiting = "";
            for (Heard heard : view.heard().values()) {
                Sighting s = heard.sighting();
                Member known = group.members().get(s.member());
                boolean outside = known == null || known.standing() == Standing.AWAY;
                if (!outside
                        || s.member().equals(group.primary())
                        || !view.in(ServerState.RUNNING, s.member())
                        || s.writable()
                        || s.positionKind() != group.positionKind()) {
                    continue;
                }
                if (s.rebuilding()) {
                    waiting = s.member() + "'s data isn't whole: " + String.join("; ", s.problems());
                    continue;
                }
                // Nothing was asked of it: what it follows is the primary, or nobody.
                boolean stranger = known == null
                        && (s.source() == null
                                || group.primaryMember().address().equals(s.source()));
                // Of everybody else the position is final only once it is sealed in this epoch: what an old source
                // still has may come yet, and so may commits of an old primary that wait for acknowledgements.
                if (!stranger && (s.fencedEpoch() != group.epoch() || s.sealedEpoch() != group.epoch())) {
                    waiting = s.member() + " isn't fenced and sealed yet, so what it holds isn't final";
                    continue;
                }
                if (!primary.received().covers(heard.received())) {
                    waiting = surplus(heard, primary);
                    continue;
                }
                Member member = new Member(
                        s.member(), s.site(), s.address(), s.serverId(), s.electable(), Standing.FOLLOWING, null);
                return new Act(
                        new MemberJoined(
                                group.name(),
                                group.epoch(),
                                member,
                                "what it holds is part of the primary's history: " + s.received()
                                        + (s.surplus().isEmpty() ? "" : "; " + s.surplus()),
                                view.wallMillis()),
                        s.member() + " joins");
            }
            return new Pass(waiting.isEmpty() ? "nobody waits to join" : waiting);
        }

        static Verdict copying(View view) {
            Group group = view.adopted();
            Heard primary = view.heardOf(group.primary());
            if (!group.positionKind().copiedByFollowing()
                    || primary == null
                    || primary.sighting().openEpoch() != group.epoch()
                    || !view.in(ServerState.RUNNING, group.primary())) {
                return new Pass("nobody takes a copy by itself");
            }
            List<Member> donors = Goals.donors(group, view.heard());
            for (Member member : group.members().values()) {
                Heard heard = view.heardOf(member.name());
                if (member.standing() == Standing.AWAY
                        && member.donor() == null
                        && heard != null
                        && view.in(ServerState.RUNNING, member.name())
                        && heard.sighting().fencedEpoch() == group.epoch()
                        && heard.sighting().sealedEpoch() == group.epoch()
                        && !primary.received().covers(heard.received())
                        && !donors.isEmpty()) {
                    String reason = surplus(heard, primary);
                    return new Act(
                            new RebuildStarted(
                                    group.name(),
                                    group.epoch(),
                                    member.name(),
                                    donors.get(0).name(),
                                    "rule MEMBER_COPIES",
                                    reason,
                                    view.evidence(),
                                    view.wallMillis()),
                            member.name() + " takes a copy: " + reason);
                }
            }
            return new Pass("nobody holds what " + group.primary() + " lacks");
        }
    }

    private static String surplus(Heard holder, Heard other) {
        return holder.sighting().member() + " holds " + holder.received().minus(other.received()) + ", which "
                + other.sighting().member() + " lacks";
    }

    /** How groups come to be. */
    static final class Adoption {

        static Verdict byTopology(View view) {
            List<Heard> members = List.copyOf(view.heard().values());
            String unexpected = unlikeExpected(view);
            if (unexpected != null) {
                return new Hold("not adopted: " + unexpected + " (hactl promote " + view.name()
                        + " MEMBER adopts it as it is, hactl group forget " + view.name() + " ends the waiting)");
            }
            if (members.size() < 2) {
                return new Hold("not adopted: " + (members.isEmpty() ? "no member is" : "only one member is")
                        + " heard of (hactl promote GROUP MEMBER adopts it)");
            }
            long settledSince = Math.max(view.leaderSinceNanos(), view.listeningSinceNanos());
            List<Heard> heads = new ArrayList<>();
            for (Heard heard : members) {
                Sighting s = heard.sighting();
                settledSince = Math.max(settledSince, Math.max(heard.firstNanos(), heard.stateNanos()));
                if (!view.in(ServerState.RUNNING, s.member())) {
                    return new Hold("not adopted: " + s.member() + " is " + view.describe(s.member(), heard));
                }
                if (s.rebuilding()) {
                    return new Hold("not adopted: the data of " + s.member() + " isn't whole");
                }
                if (s.positionKind().streamed() ? s.writable() : s.source() == null) {
                    heads.add(heard);
                }
            }
            if (heads.size() != 1) {
                boolean streamed = members.get(0).sighting().positionKind().streamed();
                return new Hold("not adopted: " + heads.size()
                        + (streamed ? " members take writes (" : " members follow nobody (")
                        + String.join(
                                ", ",
                                heads.stream().map(h -> h.sighting().member()).toList())
                        + "), so it isn't clear which is the primary (hactl promote GROUP MEMBER says it)");
            }
            Heard head = heads.get(0);
            if (!head.sighting().historyComplete() && !head.sighting().writable()) {
                return new Hold("not adopted: " + head.sighting().member()
                        + " was restarted and may have dropped acknowledged writes (hactl promote GROUP MEMBER"
                        + " --accept-data-loss adopts it)");
            }
            for (Heard heard : members) {
                Sighting s = heard.sighting();
                if (s.member().equals(head.sighting().member())) {
                    continue;
                }
                if (!s.positionKind().streamed() && !head.sighting().address().equals(s.source())) {
                    return new Hold("not adopted: " + s.member() + " follows " + s.source()
                            + ", which is not the address of " + head.sighting().member() + " ("
                            + head.sighting().address() + ")");
                }
                if (s.writable()) {
                    return new Hold("not adopted: " + s.member() + " is a replica and takes writes (set it read-only)");
                }
                if (s.positionKind() != head.sighting().positionKind()) {
                    return new Hold("not adopted: " + s.member() + " and "
                            + head.sighting().member() + " are different engines");
                }
                if (!head.received().covers(heard.received())
                        && !head.sighting().writable()) {
                    return new Hold("not adopted: " + surplus(heard, head));
                }
            }
            if (view.nowNanos() - settledSince < Limits.nanos(view.limits().adoptMillis())) {
                return new Hold("not adopted yet: the topology is new");
            }
            return adopt(
                    view,
                    head,
                    false,
                    "rule ADOPT",
                    "the others follow " + head.sighting().address());
        }

        /** What differs from what a person announced, with what to do; null where nothing does, or nothing was announced. */
        static @Nullable String unlikeExpected(View view) {
            Expected expected = view.expected();
            if (expected == null) {
                return null;
            }
            List<String> differences = new ArrayList<>();
            for (Heard heard : view.heard().values()) {
                Sighting s = heard.sighting();
                if (!expected.members().contains(s.address())) {
                    differences.add(s.member() + " is at " + s.address() + ", and expected are "
                            + words(expected.members()) + " (see 'address' in its agent's settings)");
                }
                if (!s.engine().equals(expected.engine())) {
                    differences.add(s.member() + " is a server of engine " + s.engine() + ", and expected is "
                            + expected.engine() + " (see 'group' and 'engine' in its agent's settings)");
                }
            }
            SortedSet<Endpoint> awaited = view.awaited();
            if (!awaited.isEmpty()) {
                differences.add("nothing is heard of the agents of " + words(awaited)
                        + ", which are expected (start ha-agent beside these servers)");
            }
            return differences.isEmpty() ? null : String.join("; ", differences);
        }

        static String words(SortedSet<Endpoint> addresses) {
            return addresses.stream().map(Endpoint::toString).collect(Collectors.joining(", "));
        }

        static Act adopt(View view, Heard head, boolean acceptDataLoss, String by, String evidence) {
            Sighting primary = head.sighting();
            TreeMap<String, Member> members = new TreeMap<>();
            for (Heard heard : view.heard().values()) {
                Sighting s = heard.sighting();
                // Whoever follows the primary may have acknowledged, and counts even while it is down. Others join once
                // they are fenced and their history is known: one that took writes before may have commits that still
                // wait, and show in no position until its server is restarted.
                boolean follows = (primary.positionKind().streamed()
                                ? !s.writable()
                                : primary.address().equals(s.source()))
                        && (head.received().covers(heard.received()) || (primary.writable() && !acceptDataLoss));
                boolean there = s.member().equals(primary.member()) || follows;
                Standing standing = there ? Standing.FOLLOWING : Standing.AWAY;
                members.put(
                        s.member(),
                        new Member(s.member(), s.site(), s.address(), s.serverId(), s.electable(), standing, null));
            }
            Group group = new Group(
                    view.name(),
                    primary.engine(),
                    primary.positionKind(),
                    view.policyOnAdoption(primary.positionKind()),
                    1,
                    primary.member(),
                    primary.instance(),
                    0,
                    "",
                    new Phase.Steady(),
                    members,
                    new TreeSet<>(),
                    null,
                    Streak.NONE,
                    new TreeMap<>(),
                    Serving.ofAll(members.navigableKeySet()),
                    0);
            // A primary that is open already promises only what it does already; a fenced one opens on our terms.
            int acknowledgers = primary.writable()
                    ? Math.min(primary.acknowledgersRequired(), group.acknowledgersWanted())
                    : group.acknowledgersAtFirst();
            return new Act(
                    new GroupAdopted(
                            view.name(),
                            primary.engine(),
                            primary.positionKind(),
                            view.policyOnAdoption(primary.positionKind()),
                            primary.member(),
                            primary.instance(),
                            acknowledgers,
                            primary.received(),
                            acceptDataLoss,
                            members,
                            by,
                            evidence,
                            view.wallMillis()),
                    "adopted with primary " + primary.member());
        }
    }
}
