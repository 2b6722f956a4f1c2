package org.haarbiter.master.core;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the Raft log: decisions, never heartbeats. Applying is the only way in which the state changes, on
 * every node from the same bytes. Each entry carries the epoch it was based on and changes nothing when that has passed.
 */
public sealed interface Entry {

    /** The group it is about; empty for the whole fleet. */
    String group();

    /** The leader's wall clock when it was proposed; a label for people. */
    long wallMillis();

    /**
     * The state after it.
     *
     * @param index its index in the log
     * @return the same object where the entry came too late and changes nothing
     */
    ClusterState applyTo(ClusterState state, long index);

    /**
     * A topology was unambiguous, or a person said which member is the primary.
     *
     * @param instance the primary's server process
     * @param acknowledgers how many acknowledgements its commits are known to have waited for
     * @param floor what the primary held: how its commits were acknowledged before isn't known, so every later candidate of a
     *     lossless group must hold that
     * @param acceptDataLoss a person accepts that what other members hold may be lost
     */
    record GroupAdopted(
            String group,
            String engine,
            PositionKind positionKind,
            Policy policy,
            String primary,
            String instance,
            int acknowledgers,
            String floor,
            boolean acceptDataLoss,
            SortedMap<String, Member> members,
            String by,
            String evidence,
            long wallMillis)
            implements Entry {
        /** Copies the members. */
        public GroupAdopted {
            members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            if (state.group(group) != null) {
                return state;
            }
            Group adopted = new Group(
                    group,
                    engine,
                    positionKind,
                    policy,
                    1,
                    primary,
                    instance,
                    acknowledgers,
                    floor,
                    new Phase.Promoting(""),
                    members,
                    new TreeSet<>(),
                    null,
                    Streak.NONE,
                    new TreeMap<>(),
                    Serving.ofAll(new TreeSet<>(members.keySet())),
                    0);
            return state.withAdopted(
                    adopted,
                    event(
                            index,
                            this,
                            1,
                            "group-adopted",
                            by,
                            "adopted with primary " + primary + " and " + (members.size() - 1) + " replicas"
                                    + (acceptDataLoss ? "; data loss accepted by a person" : ""),
                            details(
                                    "evidence",
                                    evidence,
                                    "members",
                                    String.join(",", members.keySet()),
                                    "primary",
                                    primary)));
        }
    }

    /**
     * A person has announced a group whose agents haven't all reported: it is adopted by itself once they have, with this policy.
     * Announced again it is expected as said last; an adopted one isn't expected any more.
     *
     * @param expected the group, and what it is promised
     */
    record GroupExpected(Expected expected) implements Entry {
        @Override
        public String group() {
            return expected.group();
        }

        @Override
        public long wallMillis() {
            return expected.wallMillis();
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            if (state.group(expected.group()) != null) {
                return state;
            }
            String addresses = Rule.Adoption.words(expected.members());
            return state.withExpected(
                    expected,
                    event(
                            index,
                            this,
                            0,
                            "group-expected",
                            expected.by(),
                            "expected at " + addresses + ", to be "
                                    + expected.policy().words(expected.positionKind()) + ": " + expected.reason(),
                            details("engine", expected.engine(), "members", addresses)));
        }
    }

    /** A person expects the group no more: what its agents report is enough again. */
    record GroupForgotten(String group, String by, String reason, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            return state.expectedGroup(group) == null
                    ? state
                    : state.withoutExpected(
                            group, event(index, this, 0, "group-forgotten", by, reason, new TreeMap<>()));
        }
    }

    /** A new member, or one that was away, follows the primary from here on and may acknowledge. */
    record MemberJoined(String group, long epoch, Member member, String evidence, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null || member.name().equals(present.primary())) {
                return state;
            }
            boolean known = present.members().containsKey(member.name());
            return state.with(
                    present.withMember(member.with(Standing.FOLLOWING)),
                    event(
                            index,
                            this,
                            epoch,
                            known ? "member-rejoined" : "member-joined",
                            "arbiter",
                            member.name() + (known ? " follows again" : " is a new replica"),
                            details("member", member.name(), "evidence", evidence)));
        }
    }

    /** A replica's server has ended and everything it acknowledged is held by the others: it counts no more. */
    record MemberAway(String group, long epoch, String member, String evidence, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null || !present.members().containsKey(member) || member.equals(present.primary())) {
                return state;
            }
            return state.with(
                    present.withMember(present.member(member).with(Standing.AWAY)),
                    event(
                            index,
                            this,
                            epoch,
                            "member-away",
                            "arbiter",
                            member + " no longer counts as an acknowledger",
                            details("member", member, "evidence", evidence)));
        }
    }

    /** All data of a member that is away is to be replaced by a copy of the donor's. */
    record RebuildStarted(
            String group,
            long epoch,
            String member,
            String donor,
            String by,
            String reason,
            SortedMap<String, String> evidence,
            long wallMillis)
            implements Entry {
        /** Copies the evidence. */
        public RebuildStarted {
            evidence = Collections.unmodifiableSortedMap(new TreeMap<>(evidence));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null
                    || !present.members().containsKey(member)
                    || present.member(member).standing() != Standing.AWAY
                    || member.equals(present.primary())) {
                return state;
            }
            TreeMap<String, String> details = new TreeMap<>(evidence);
            details.put("member", member);
            details.put("donor", donor);
            return state.with(
                    present.withMember(present.member(member).rebuiltFrom(donor)),
                    event(
                            index,
                            this,
                            epoch,
                            "rebuild-started",
                            by,
                            member + " is rebuilt from " + donor + ": " + reason,
                            details));
        }
    }

    /** Commits wait for this many acknowledgements: already, where it grows; from here on, where it shrinks. */
    record AcknowledgersChanged(String group, long epoch, int acknowledgers, String evidence, long wallMillis)
            implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null) {
                return state;
            }
            return state.with(
                    present.withAcknowledgers(acknowledgers),
                    event(
                            index,
                            this,
                            epoch,
                            "acknowledgers-changed",
                            "arbiter",
                            present.positionKind().acknowledgement(acknowledgers) + " (before: "
                                    + present.acknowledgers() + ")",
                            details("evidence", evidence)));
        }
    }

    /**
     * Nobody is left to acknowledge, and commits go on without. From here on a failover may lose writes, so none is automatic until
     * the log says again that commits wait.
     */
    record Degraded(String group, long epoch, String evidence, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null) {
                return state;
            }
            return state.with(
                    present.withAcknowledgers(0),
                    event(
                            index,
                            this,
                            epoch,
                            "degraded",
                            "arbiter",
                            present.positionKind().acknowledgersLimit() > 0
                                    ? "commits go on without acknowledgement, and no switch is automatic until they wait"
                                            + " again"
                                    : "writes go on without any replica, and no switch is automatic until one is attached"
                                            + " again",
                            details("evidence", evidence)));
        }
    }

    /** A person has changed what the group promises. */
    record PolicyChanged(String group, long epoch, Policy policy, String by, String reason, long wallMillis)
            implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null) {
                return state;
            }
            return state.with(
                    present.withPolicy(policy),
                    event(
                            index,
                            this,
                            epoch,
                            "policy-changed",
                            by,
                            policy.words(present.positionKind()) + " (before: "
                                    + present.policy().words(present.positionKind()) + "): " + reason,
                            new TreeMap<>()));
        }
    }

    /**
     * The primary's agent has a list of peers with all of these in it, and may go on without masters only while all of them
     * permit it.
     */
    record PeersChanged(String group, long epoch, SortedSet<String> peers, long wallMillis) implements Entry {
        /** Copies the peers. */
        public PeersChanged {
            peers = Collections.unmodifiableSortedSet(new TreeSet<>(peers));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null || present.peers().equals(peers)) {
                return state;
            }
            String names = String.join(", ", peers);
            return state.with(
                    present.withPeers(peers),
                    event(
                            index,
                            this,
                            epoch,
                            "peers-changed",
                            "arbiter",
                            "without masters, " + present.primary() + " goes on while the agents of " + names
                                    + " permit it",
                            details("peers", names)));
        }
    }

    /**
     * A person wants a planned switch. The primary writes on under its epoch while the candidate catches up.
     *
     * @param vanguard the replica that goes over to the candidate beforehand; null for none
     */
    record PreparationStarted(
            String group,
            long epoch,
            String candidate,
            @Nullable String vanguard,
            String by,
            String reason,
            long wallMillis)
            implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = steady(state, group, epoch);
            if (present == null || !present.members().containsKey(candidate)) {
                return state;
            }
            TreeMap<String, String> details = new TreeMap<>();
            details.put("candidate", candidate);
            if (vanguard != null) {
                details.put("vanguard", vanguard);
            }
            return state.with(
                    present.withPhase(new Phase.Preparing(candidate, vanguard, by, reason)),
                    event(index, this, epoch, "preparation-started", by, reason, details));
        }
    }

    /** A planned switch is given up before the primary was drained. */
    record PreparationEnded(String group, long epoch, String cause, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.epoch() != epoch || !(present.phase() instanceof Phase.Preparing)) {
                return state;
            }
            return state.with(
                    present.withPhase(new Phase.Steady()),
                    event(
                            index,
                            this,
                            epoch,
                            "preparation-ended",
                            "arbiter",
                            "given up, " + present.primary() + " stays primary: " + cause,
                            new TreeMap<>()));
        }
    }

    /**
     * A switch begins: the epoch grows, the old primary is to be fenced (or drained, when planned) and the replicas sealed.
     *
     * @param baseEpoch the epoch it was decided on; the new one is one more
     * @param planned drain the primary instead of sealing the replicas
     * @param target the only member that may be chosen; null for the best, but never when planned
     * @param vanguard when planned, the replica that follows the candidate already; null for none
     * @param acceptDataLoss a person has said that acknowledged writes may be lost
     * @param failovers in a row that the group has made by itself, this one included; 0 where it is none
     */
    record SwitchStarted(
            String group,
            long baseEpoch,
            Trigger trigger,
            boolean planned,
            @Nullable String target,
            @Nullable String vanguard,
            boolean acceptDataLoss,
            int failovers,
            String by,
            String cause,
            SortedMap<String, String> evidence,
            long wallMillis)
            implements Entry {
        /** Copies the evidence. */
        public SwitchStarted {
            evidence = Collections.unmodifiableSortedMap(new TreeMap<>(evidence));
            if (planned && target == null) {
                throw new IllegalArgumentException("a planned switch names its candidate");
            }
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.epoch() != baseEpoch) {
                return state;
            }
            Phase phase = planned
                    ? new Phase.Draining(Objects.requireNonNull(target), vanguard)
                    : new Phase.Sealing(trigger, target, acceptDataLoss);
            TreeMap<String, String> details = new TreeMap<>(evidence);
            details.put("from", present.primary());
            details.put("trigger", trigger.name());
            if (target != null) {
                details.put("target", target);
            }
            if (planned) {
                details.put("planned", "true");
            }
            if (vanguard != null) {
                details.put("vanguard", vanguard);
            }
            if (acceptDataLoss) {
                details.put("accept_data_loss", "true");
            }
            Streak streak = trigger.isFailover() ? new Streak(failovers, wallMillis) : present.streak();
            if (trigger == Trigger.MANUAL) {
                streak = Streak.NONE;
            }
            return state.with(
                    present.withEpoch(baseEpoch + 1, phase).withStreak(streak),
                    event(index, this, baseEpoch + 1, "switch-started", by, cause, details));
        }
    }

    /**
     * The next primary. From here on it, and only it, may get a lease.
     *
     * @param instance its server process; another one may not open under this epoch
     * @param upTo the position it must have applied before it opens
     * @param behind the members whose whole history is part of the candidate's; every other follower is away from here on,
     *     since what it holds beyond that would part it from the new primary without a word
     * @param proof why no acknowledged write is lost, or that it may be
     */
    record CandidateChosen(
            String group,
            long epoch,
            String candidate,
            String instance,
            String upTo,
            SortedSet<String> behind,
            String proof,
            SortedMap<String, String> evidence,
            long wallMillis)
            implements Entry {
        /** Copies the collections. */
        public CandidateChosen {
            behind = Collections.unmodifiableSortedSet(new TreeSet<>(behind));
            evidence = Collections.unmodifiableSortedMap(new TreeMap<>(evidence));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null
                    || present.epoch() != epoch
                    || !present.members().containsKey(candidate)) {
                return state;
            }
            boolean choosing = present.phase() instanceof Phase.Sealing || present.phase() instanceof Phase.Draining;
            if (!choosing) {
                return state;
            }
            Group next = present;
            for (Member follower : present.followers()) {
                if (!behind.contains(follower.name()) && !follower.name().equals(candidate)) {
                    next = next.withMember(follower.with(Standing.AWAY));
                }
            }
            if (!candidate.equals(present.primary())) {
                next = next.withMember(present.primaryMember().with(Standing.AWAY));
                next = next.withMember(next.member(candidate).with(Standing.FOLLOWING));
            }
            next = next.withPrimary(candidate, instance, present.acknowledgers(), upTo, new Phase.Promoting(upTo));
            // The new primary has no list yet. Under this epoch it can't go on without masters until the log says that
            // it has.
            next = next.withAcknowledgers(next.acknowledgersAtFirst()).withPeers(new TreeSet<>());
            TreeMap<String, String> details = new TreeMap<>(evidence);
            details.put("candidate", candidate);
            details.put("up_to", upTo);
            details.put("proof", proof);
            return state.with(
                    next, event(index, this, epoch, "candidate-chosen", "arbiter", candidate + ": " + proof, details));
        }
    }

    /**
     * The new primary has opened writes.
     *
     * @param times durations of the phases as the leader saw them, names ending in {@code _micros}
     */
    record SwitchCompleted(String group, long epoch, SortedMap<String, String> times, long wallMillis)
            implements Entry {
        /** Copies the times. */
        public SwitchCompleted {
            times = Collections.unmodifiableSortedMap(new TreeMap<>(times));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.epoch() != epoch || !(present.phase() instanceof Phase.Promoting)) {
                return state;
            }
            return state.with(
                    present.withPhase(new Phase.Steady()),
                    event(
                            index,
                            this,
                            epoch,
                            "switch-completed",
                            "arbiter",
                            present.primary() + " takes writes",
                            times));
        }
    }

    /** A planned switch is given up; the primary opens again, under the new epoch. */
    record SwitchAbandoned(String group, long epoch, String cause, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.epoch() != epoch || !(present.phase() instanceof Phase.Draining)) {
                return state;
            }
            return state.with(
                    present.withPhase(new Phase.Promoting("")),
                    event(
                            index,
                            this,
                            epoch,
                            "switch-abandoned",
                            "arbiter",
                            "given up, " + present.primary() + " stays primary: " + cause,
                            new TreeMap<>()));
        }
    }

    /** Every authoritative server was read back with the names of this epoch. */
    record NamesPublished(String group, long epoch, SortedMap<String, String> times, long wallMillis) implements Entry {
        /** Copies the times. */
        public NamesPublished {
            times = Collections.unmodifiableSortedMap(new TreeMap<>(times));
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.epoch() != epoch || present.publishedEpoch() >= epoch) {
                return state;
            }
            return state.with(
                    present.withPublishedEpoch(epoch),
                    event(
                            index,
                            this,
                            epoch,
                            "names-published",
                            "arbiter",
                            "every DNS server shows " + present.primary() + " as primary",
                            times));
        }
    }

    /**
     * A person has said where a class of the group's clients is to be sent, or that there is no such class any more.
     *
     * @param name the class, and its name in the DNS
     */
    record ClassSet(String group, String name, TrafficClass trafficClass, String by, String reason, long wallMillis)
            implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            Group carrier = state.groupOfClass(name);
            if (present == null
                    || (carrier != null && !carrier.name().equals(group))
                    || state.endpoints().containsKey(name)) {
                return state;
            }
            TrafficClass before = present.classes().get(name);
            return state.with(
                    present.withClass(name, trafficClass),
                    event(
                            index,
                            this,
                            present.epoch(),
                            trafficClass.equals(TrafficClass.REMOVED) ? "class-removed" : "class-set",
                            by,
                            "traffic class '" + name + "': " + trafficClass.words()
                                    + (before == null ? "" : " (before: " + before.words() + ")") + ": " + reason,
                            details("class", name)));
        }
    }

    /** No DNS server shows the name of a removed class any more: another group may have it. */
    record ClassForgotten(String group, String name, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null
                    || !TrafficClass.REMOVED.equals(present.classes().get(name))) {
                return state;
            }
            return state.with(
                    present.withoutClass(name),
                    event(
                            index,
                            this,
                            present.epoch(),
                            "class-forgotten",
                            "arbiter",
                            "no DNS server shows '" + name + "' any more",
                            details("class", name)));
        }
    }

    /**
     * Which members clients may be sent to has changed. Of many groups at once, so that it never comes between a group and a decision
     * about it; based on no epoch, since it tells of members, whoever is primary.
     *
     * @param changes by group
     */
    record ServingChanged(SortedMap<String, Serving> changes, long wallMillis) implements Entry {
        /** Copies the changes. */
        public ServingChanged {
            changes = Collections.unmodifiableSortedMap(new TreeMap<>(changes));
        }

        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            TreeMap<String, Group> changed = new TreeMap<>();
            TreeMap<String, String> details = new TreeMap<>();
            changes.forEach((name, serving) -> {
                Group present = state.group(name);
                if (present != null && !present.serving().equals(serving)) {
                    changed.put(name, present.withServing(serving));
                    details.put(name, serving.changedFrom(present.serving()));
                }
            });
            if (changed.isEmpty()) {
                return state;
            }
            Group first = changed.firstEntry().getValue();
            boolean one = changed.size() == 1;
            return state.withServing(
                    changed,
                    new AuditEvent(
                            index,
                            wallMillis,
                            one ? first.name() : "",
                            one ? first.epoch() : 0,
                            "serving-changed",
                            "arbiter",
                            one
                                    ? "where clients are sent: " + details.get(first.name())
                                    : "where clients of " + changed.size() + " groups are sent",
                            one ? new TreeMap<>() : details));
        }
    }

    /** A person has put records into the zone; without values: has taken them out. */
    record RecordsSet(RecordsByHand records, String by, String reason, long wallMillis) implements Entry {
        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            if (records.problemBeside(state.records()) != null
                    || state.endpoints().containsKey(records.name())) {
                return state;
            }
            boolean removed = records.values().isEmpty();
            return state.withRecords(
                    records,
                    event(
                            index,
                            this,
                            0,
                            removed ? "records-removed" : "records-set",
                            by,
                            "DNS records " + (removed ? records.key() + " removed" : records.words()) + ": " + reason,
                            details("reason", reason)));
        }
    }

    /**
     * A person has said what endpoints a name leads to. What is known of endpoints that it had before is kept.
     *
     * @param wanted what a person can set of it; whatever else it holds is not looked at
     */
    record EndpointGroupSet(EndpointGroup wanted, String by, String reason, long wallMillis) implements Entry {
        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            EndpointGroup before = state.endpoints().get(wanted.name());
            EndpointGroup after = wanted.after(before, index, wallMillis);
            if (after.problem() != null
                    || (before == null && EndpointCommands.nameProblem(state, wanted.name()) != null)) {
                return state;
            }
            return state.withEndpoints(
                    List.of(after),
                    new AuditEvent(
                            index,
                            wallMillis,
                            wanted.name(),
                            0,
                            "endpoints-set",
                            by,
                            "endpoints: " + after.words() + ": " + reason,
                            details("reason", reason)));
        }
    }

    /** A person has removed a group of endpoints. */
    record EndpointGroupRemoved(String name, String by, String reason, long wallMillis) implements Entry {
        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            EndpointGroup before = state.endpoints().get(name);
            return before == null
                    ? state
                    : state.withoutEndpoints(
                            name,
                            new AuditEvent(
                                    index,
                                    wallMillis,
                                    name,
                                    0,
                                    "endpoints-removed",
                                    by,
                                    "no endpoints any more (before: " + before.words() + "): " + reason,
                                    details("reason", reason)));
        }
    }

    /**
     * The names of groups of endpoints that were removed are in no DNS server any more.
     *
     * @param removed by name, the log index of the entry that removed it; of a later one this says nothing
     */
    record EndpointNamesGone(SortedMap<String, Long> removed, long wallMillis) implements Entry {
        /** Copies the names. */
        public EndpointNamesGone {
            removed = Collections.unmodifiableSortedMap(new TreeMap<>(removed));
        }

        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            TreeSet<String> gone = new TreeSet<>();
            removed.forEach((name, removal) -> {
                if (removal.equals(state.formerEndpoints().get(name))) {
                    gone.add(name);
                }
            });
            return gone.isEmpty()
                    ? state
                    : state.withoutFormerEndpoints(
                            gone,
                            new AuditEvent(
                                    index,
                                    wallMillis,
                                    gone.size() == 1 ? gone.first() : "",
                                    0,
                                    "endpoint-names-gone",
                                    "arbiter",
                                    "no DNS server shows " + String.join(", ", gone) + " any more",
                                    new TreeMap<>()));
        }
    }

    /**
     * What a quorum of masters finds of endpoints has changed. Of many groups at once, so that it never comes between a group of
     * databases and a decision about it.
     *
     * @param judgements by group of endpoints and endpoint
     */
    record EndpointsJudged(SortedMap<String, OfEndpointGroup> judgements, long wallMillis) implements Entry {
        /**
         * Of one group.
         *
         * @param setIndex of the group that was checked; of another this says nothing
         * @param found by endpoint
         */
        public record OfEndpointGroup(long setIndex, SortedMap<String, EndpointGroup.Judgement> found) {
            /** Copies the findings. */
            public OfEndpointGroup {
                found = Collections.unmodifiableSortedMap(new TreeMap<>(found));
            }
        }

        /** Copies the judgements. */
        public EndpointsJudged {
            judgements = Collections.unmodifiableSortedMap(new TreeMap<>(judgements));
        }

        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            TreeMap<String, EndpointGroup> changed = new TreeMap<>();
            TreeMap<String, String> details = new TreeMap<>();
            judgements.forEach((name, judged) -> {
                EndpointGroup present = state.endpoints().get(name);
                if (present == null || present.setIndex() != judged.setIndex()) {
                    return;
                }
                EndpointGroup after = present.judged(judged.found(), wallMillis);
                if (!after.equals(present)) {
                    changed.put(name, after);
                    details.put(name, after.changedFrom(present));
                }
            });
            if (changed.isEmpty()) {
                return state;
            }
            boolean one = changed.size() == 1;
            String first = changed.firstKey();
            return state.withEndpoints(
                    changed.values(),
                    new AuditEvent(
                            index,
                            wallMillis,
                            one ? first : "",
                            0,
                            "endpoints-judged",
                            "arbiter",
                            one ? "endpoints: " + details.get(first) : "endpoints of " + changed.size() + " groups",
                            one ? new TreeMap<>() : details));
        }
    }

    /**
     * A person has ordered where clients of a group of endpoints are sent.
     *
     * @param order null where an earlier one has ended
     */
    record EndpointOrdered(
            String name,
            String endpoint,
            CheckedEndpoint.@Nullable ByHand order,
            String by,
            String reason,
            long wallMillis)
            implements Entry {
        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            EndpointGroup present = state.endpoints().get(name);
            if (present == null || present.orderProblem(endpoint, order) != null) {
                return state;
            }
            EndpointGroup after = present.ordered(endpoint, order);
            if (after.equals(present)) {
                return state;
            }
            return state.withEndpoints(
                    List.of(after),
                    new AuditEvent(
                            index,
                            wallMillis,
                            name,
                            0,
                            "endpoint-ordered",
                            by,
                            "endpoint " + endpoint + " is "
                                    + (order == null
                                            ? "left to the checks again"
                                            : order.order().words())
                                    + ", clients are sent to " + String.join(", ", after.served()) + ": " + reason,
                            details("endpoint", endpoint, "reason", reason)));
        }
    }

    /**
     * Automatic action stops, for a group or (empty group) the fleet; set again it only changes reason and end.
     *
     * @param forMillis how long at most; 0 until somebody ends it
     */
    record Paused(String group, String by, String reason, long wallMillis, long forMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Pause pause = new Pause(by, reason, wallMillis, forMillis == 0 ? 0 : wallMillis + forMillis);
            String text = reason + (forMillis == 0 ? "" : " (for " + forMillis / 1_000 + " s at the most)");
            return pauseChanged(state, this, index, pause, "paused", by, text);
        }
    }

    /** Automatic action goes on. */
    record Resumed(String group, String by, String reason, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            return pauseChanged(state, this, index, null, "resumed", by, reason);
        }
    }

    /** A person knows of the group's failovers: the next one needn't wait because of them. */
    record FailoversAcknowledged(String group, String by, String reason, long wallMillis) implements Entry {
        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            Group present = state.group(group);
            if (present == null || present.streak().failovers() == 0) {
                return state;
            }
            return state.with(
                    present.withStreak(Streak.NONE),
                    event(index, this, present.epoch(), "failovers-acknowledged", by, reason, new TreeMap<>()));
        }
    }

    /**
     * A person has changed who votes among the masters. The members themselves are the Raft log's own matter: this puts who
     * asked, and why, on record.
     *
     * @param master its name and Raft address, or the address alone where the leader's settings don't name it
     * @param problem why it stays; empty but with {@link MasterChange#STAYS}
     */
    record MasterChanged(String master, MasterChange change, String problem, String by, String reason, long wallMillis)
            implements Entry {
        @Override
        public String group() {
            return "";
        }

        @Override
        public ClusterState applyTo(ClusterState state, long index) {
            String text = "master " + master + " " + change.words() + (problem.isEmpty() ? "" : " (" + problem + ")")
                    + (reason.isEmpty() ? "" : ": " + reason);
            return state.withEvent(
                    event(index, this, 0, change.kind(), by, text, details("master", master, "reason", reason)));
        }
    }

    private static ClusterState pauseChanged(
            ClusterState state, Entry entry, long index, @Nullable Pause pause, String kind, String by, String reason) {
        if (entry.group().isEmpty()) {
            return state.withFleetPause(pause, event(index, entry, 0, kind, by, reason, new TreeMap<>()));
        }
        Group present = state.group(entry.group());
        if (present == null) {
            return state;
        }
        return state.with(
                present.withPause(pause), event(index, entry, present.epoch(), kind, by, reason, new TreeMap<>()));
    }

    /** The group, where it is at this epoch and no switch is under way; otherwise null. */
    private static @Nullable Group steady(ClusterState state, String group, long epoch) {
        Group present = state.group(group);
        return present != null && present.epoch() == epoch && present.phase() instanceof Phase.Steady ? present : null;
    }

    private static AuditEvent event(
            long index,
            Entry entry,
            long epoch,
            String kind,
            String by,
            String text,
            SortedMap<String, String> details) {
        return new AuditEvent(index, entry.wallMillis(), entry.group(), epoch, kind, by, text, details);
    }

    private static SortedMap<String, String> details(String... namesAndValues) {
        TreeMap<String, String> details = new TreeMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            details.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return details;
    }
}
