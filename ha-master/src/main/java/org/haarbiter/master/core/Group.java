package org.haarbiter.master.core;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * One replicated database as the log has it. Immutable.
 *
 * @param name the group
 * @param engine for people only
 * @param positionKind how its positions compare
 * @param policy what it promises
 * @param epoch its fencing number; never falls
 * @param primary the member that takes writes, or is to; during {@link Phase.Sealing} and {@link Phase.Draining} the one
 *     that is being replaced
 * @param primaryInstance the server process that may open under this epoch; where it was restarted since, it stays fenced
 * @param acknowledgers a lower bound of how many acknowledgements each commit of the primary has waited for; 0 where
 *     that isn't known. With it stands or falls every proof that nothing is lost
 * @param floor every candidate of a lossless group must hold this: what the last one had when it was chosen. Without it
 *     a write that only that one had would be lost if it died before it passed it on
 * @param phase where the group is between two steady states
 * @param members by name
 * @param peers the members whose agents must all permit it when the primary goes on without masters: its agent has no list that
 *     lacks one of them, so that one that refuses is enough. Empty until its agent has said that it has a list; without one it
 *     can't go on
 * @param pause of this group; null where none
 * @param streak the failovers that it made by itself in a row
 * @param classes the traffic classes by their names, which no other group's have
 * @param serving which members clients may be sent to
 * @param publishedEpoch the newest epoch whose DNS records were read back from every server
 */
public record Group(
        String name,
        String engine,
        PositionKind positionKind,
        Policy policy,
        long epoch,
        String primary,
        String primaryInstance,
        int acknowledgers,
        String floor,
        Phase phase,
        SortedMap<String, Member> members,
        SortedSet<String> peers,
        @Nullable Pause pause,
        Streak streak,
        SortedMap<String, TrafficClass> classes,
        Serving serving,
        long publishedEpoch) {

    /** Copies the collections. */
    public Group {
        members = Collections.unmodifiableSortedMap(new TreeMap<>(members));
        peers = Collections.unmodifiableSortedSet(new TreeSet<>(peers));
        classes = Collections.unmodifiableSortedMap(new TreeMap<>(classes));
    }

    /** What it promises of acknowledged writes. */
    public Durability durability() {
        return policy.durability();
    }

    /** It is proved by acknowledgements that nothing is lost, and not by a stream that was applied to its end. */
    public boolean losslessByAcknowledgements() {
        return durability() == Durability.LOSSLESS && !positionKind.streamed();
    }

    /** The member that takes writes, or is to. */
    public Member primaryMember() {
        return member(primary);
    }

    /** A member that is known to exist; throws {@link IllegalArgumentException} otherwise. */
    public Member member(String memberName) {
        Member member = members.get(memberName);
        if (member == null) {
            throw new IllegalArgumentException("group " + name + ": no member '" + memberName + "'");
        }
        return member;
    }

    /** The members to which a traffic class is pinned: other clients are kept from them. */
    public SortedSet<String> pinned() {
        TreeSet<String> names = new TreeSet<>();
        classes.values().forEach(trafficClass -> names.addAll(trafficClass.pins()));
        return names;
    }

    /** The members that may acknowledge the primary's commits, in the order of their names. */
    public List<Member> followers() {
        return members.values().stream()
                .filter(m -> m.standing() == Standing.FOLLOWING && !m.name().equals(primary))
                .toList();
    }

    /** The members that the read name leads to: those that are well and to which no class is pinned; the primary where there is none. */
    public SortedSet<String> readers() {
        SortedSet<String> readers = wellReplicas();
        return readers.isEmpty() ? new TreeSet<>(List.of(primary)) : readers;
    }

    /** The replicas that are well and to which no class is pinned. */
    public SortedSet<String> wellReplicas() {
        SortedSet<String> pinned = pinned();
        TreeSet<String> replicas = new TreeSet<>();
        for (Member follower : followers()) {
            if (serving.well().contains(follower.name()) && !pinned.contains(follower.name())) {
                replicas.add(follower.name());
            }
        }
        return replicas;
    }

    /** Where a member serves clients: its own address, or those of a cluster's nodes. */
    public SortedSet<String> hostsOf(String member) {
        return serving.hosts()
                .getOrDefault(
                        member, new TreeSet<>(List.of(member(member).address().host())));
    }

    /** The epoch that its names belong to: while nobody is chosen yet they lead where they led before the switch. */
    public long namesEpoch() {
        return phase instanceof Phase.Sealing || phase instanceof Phase.Draining ? epoch - 1 : epoch;
    }

    /** Whatever its names follow from is the same. */
    boolean namedAs(Group other) {
        return primary.equals(other.primary)
                && namesEpoch() == other.namesEpoch()
                && members.equals(other.members)
                && classes.equals(other.classes)
                && serving.equals(other.serving);
    }

    /**
     * How many of the followers must be cut off before the old primary can't collect its acknowledgements any more and
     * every acknowledged write is known to one of them: R - W + 1.
     */
    public int sealsNeeded() {
        return followers().size() - acknowledgers + 1;
    }

    /**
     * How many acknowledgements the primary should wait for: half of the followers, so that both one lost follower and
     * one lost primary can be borne; at least one, and no more than the engine can. An engine that doesn't wait refuses writes
     * while less than one replica is attached, where losses are bounded.
     */
    public int acknowledgersWanted() {
        if (positionKind.acknowledgersLimit() == 0) {
            return positionKind.refusesWithoutReplicas() && durability() == Durability.BOUNDED ? 1 : 0;
        }
        if (durability() != Durability.LOSSLESS) {
            return 0;
        }
        return Math.max(
                1, Math.min(positionKind.acknowledgersLimit(), (followers().size() + 1) / 2));
    }

    /** How many of them a new primary waits for from the start: where none waits, refusing writes at first would spare nothing. */
    int acknowledgersAtFirst() {
        return positionKind.acknowledgersLimit() == 0 ? 0 : acknowledgersWanted();
    }

    /** Whom a primary would have to ask, were it asked for now: whoever may be promoted by itself, in the order of names. */
    public SortedSet<String> peersWanted() {
        TreeSet<String> names = new TreeSet<>();
        for (Member follower : followers()) {
            if (follower.electable()) {
                names.add(follower.name());
            }
        }
        return names;
    }

    /** The epoch of the switch that is under way or was the last; of one that is being prepared, the one that it will have. */
    public long nextEpoch() {
        return phase instanceof Phase.Preparing ? epoch + 1 : epoch;
    }

    Group withEpoch(long newEpoch, Phase newPhase) {
        return with(draft -> {
            draft.epoch = newEpoch;
            draft.phase = newPhase;
        });
    }

    Group withPhase(Phase newPhase) {
        return with(draft -> draft.phase = newPhase);
    }

    Group withPeers(SortedSet<String> newPeers) {
        return with(draft -> draft.peers = newPeers);
    }

    Group withPrimary(String newPrimary, String instance, int newAcknowledgers, String newFloor, Phase newPhase) {
        return with(draft -> {
            draft.primary = newPrimary;
            draft.primaryInstance = instance;
            draft.acknowledgers = newAcknowledgers;
            draft.floor = newFloor;
            draft.phase = newPhase;
        });
    }

    Group withMember(Member member) {
        TreeMap<String, Member> changed = new TreeMap<>(members);
        changed.put(member.name(), member);
        return with(draft -> draft.members = changed);
    }

    Group withAcknowledgers(int newAcknowledgers) {
        return with(draft -> draft.acknowledgers = newAcknowledgers);
    }

    Group withPolicy(Policy newPolicy) {
        return with(draft -> draft.policy = newPolicy);
    }

    Group withPause(@Nullable Pause newPause) {
        return with(draft -> draft.pause = newPause);
    }

    Group withStreak(Streak newStreak) {
        return with(draft -> draft.streak = newStreak);
    }

    Group withClass(String className, TrafficClass trafficClass) {
        TreeMap<String, TrafficClass> changed = new TreeMap<>(classes);
        changed.put(className, trafficClass);
        return with(draft -> draft.classes = changed);
    }

    Group withoutClass(String className) {
        TreeMap<String, TrafficClass> left = new TreeMap<>(classes);
        left.remove(className);
        return with(draft -> draft.classes = left);
    }

    Group withServing(Serving newServing) {
        return with(draft -> draft.serving = newServing);
    }

    Group withPublishedEpoch(long newPublishedEpoch) {
        return with(draft -> draft.publishedEpoch = newPublishedEpoch);
    }

    private Group with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.group();
    }

    /** What may change of a group, so that a change names only what it is about. */
    private static final class Draft {
        private final Group before;
        private Policy policy;
        private long epoch;
        private String primary;
        private String primaryInstance;
        private int acknowledgers;
        private String floor;
        private Phase phase;
        private SortedMap<String, Member> members;
        private SortedSet<String> peers;
        private @Nullable Pause pause;
        private Streak streak;
        private SortedMap<String, TrafficClass> classes;
        private Serving serving;
        private long publishedEpoch;

        Draft(Group before) {
            this.before = before;
            this.policy = before.policy;
            this.epoch = before.epoch;
            this.primary = before.primary;
            this.primaryInstance = before.primaryInstance;
            this.acknowledgers = before.acknowledgers;
            this.floor = before.floor;
            this.phase = before.phase;
            this.members = before.members;
            this.peers = before.peers;
            this.pause = before.pause;
            this.streak = before.streak;
            this.classes = before.classes;
            this.serving = before.serving;
            this.publishedEpoch = before.publishedEpoch;
        }

        Group group() {
            return new Group(
                    before.name,
                    before.engine,
                    before.positionKind,
                    policy,
                    epoch,
                    primary,
                    primaryInstance,
                    acknowledgers,
                    floor,
                    phase,
                    members,
                    peers,
                    pause,
                    streak,
                    classes,
                    serving,
                    publishedEpoch);
        }
    }
}
