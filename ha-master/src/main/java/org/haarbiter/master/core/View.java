package org.haarbiter.master.core;

import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * Everything a rule may look at. Times are the leader's monotonic nanoseconds.
 *
 * @param name the group
 * @param group as the log has it; null while it isn't adopted
 * @param expected what a person announced of the group; null where nobody did, or it is adopted
 * @param taken why no group of databases may have this name; null where one may
 * @param fleetPause the pause of the whole fleet; null where none
 * @param doubt why the primary's silence isn't acted upon yet; null where it may be
 * @param turn why a switch must wait for those of other groups; null where it needn't
 * @param heard what was last heard of each member, by name
 * @param clustersAtWork the members of which an agent of some node was heard lately and says that the cluster is at work
 * @param history what the group's primaries were heard to hold
 * @param grantedNanos for each member that was sent a lease: when the newest heartbeat so answered had arrived
 * @param fewerAskedNanos when the newest heartbeat of the primary's had arrived that was answered with fewer acknowledgements
 *     than wanted, or when the log began to say that fewer are waited for; {@link Long#MIN_VALUE} for never
 * @param limits the times by which rules judge
 * @param term in which this master leads
 * @param leaderSinceNanos since when this master leads
 * @param listeningSinceNanos since when it has listened without a pause of its own; silence counts from here
 * @param phaseSinceNanos when it first saw the group's present epoch and phase
 * @param namesEpoch the newest epoch at which every DNS server was read back; 0 where none
 * @param namesMicros how long after the choice of the candidate that was
 * @param namesGone names that must not exist and that no DNS server showed when all were last read back
 * @param times durations of the present switch so far, for the log
 * @param nowNanos now
 * @param wallMillis the wall clock, a label
 */
public record View(
        String name,
        @Nullable Group group,
        @Nullable Expected expected,
        @Nullable String taken,
        @Nullable Pause fleetPause,
        @Nullable String doubt,
        @Nullable String turn,
        SortedMap<String, Heard> heard,
        SortedSet<String> clustersAtWork,
        PositionHistory history,
        SortedMap<String, Long> grantedNanos,
        long fewerAskedNanos,
        Limits limits,
        long term,
        long leaderSinceNanos,
        long listeningSinceNanos,
        long phaseSinceNanos,
        long namesEpoch,
        long namesMicros,
        SortedSet<String> namesGone,
        SortedMap<String, String> times,
        long nowNanos,
        long wallMillis) {

    /** The adopted group; only for rules that have checked that it is there. */
    Group adopted() {
        return Objects.requireNonNull(group, "the group isn't adopted");
    }

    /** What the group is promised when it is adopted with such positions. */
    Policy policyOnAdoption(PositionKind kind) {
        return expected != null && expected.positionKind() == kind
                ? expected.policy()
                : limits.policies().of(kind);
    }

    /** The expected addresses that no agent speaks for now; empty where none is expected. */
    public SortedSet<Endpoint> awaited() {
        TreeSet<Endpoint> awaited = new TreeSet<>(expected == null ? List.of() : expected.members());
        for (Heard last : heard.values()) {
            if (fresh(last.sighting().member())) {
                awaited.remove(last.sighting().address());
            }
        }
        return awaited;
    }

    @Nullable
    Heard heardOf(String member) {
        return heard.get(member);
    }

    /** Nothing has come from the member for as long as silence allows, while this master was listening. */
    boolean silent(String member) {
        return silentNanos(member) >= Limits.nanos(limits.silenceMillis());
    }

    long silentNanos(String member) {
        return silentNanos(heard.get(member), Math.max(leaderSinceNanos, listeningSinceNanos), nowNanos);
    }

    /** How long nothing has come from a member, while this master was listening. */
    static long silentNanos(@Nullable Heard last, long listeningSinceNanos, long nowNanos) {
        return nowNanos - (last == null ? listeningSinceNanos : Math.max(listeningSinceNanos, last.arrivedNanos()));
    }

    /** Heard lately enough to be believed. */
    boolean fresh(String member) {
        Heard last = heard.get(member);
        return last != null && nowNanos - last.arrivedNanos() < Limits.nanos(limits.silenceMillis());
    }

    /** What was heard tells of a look at the server that began after this moment, on the word of this leader's answers. */
    boolean lookedAfter(long nanos, Heard last) {
        return last.sighting().acceptedTerm() == term && last.lookedNanos() >= nanos;
    }

    /** Fresh and in this state. */
    boolean in(ServerState state, String member) {
        Heard last = heard.get(member);
        return last != null && fresh(member) && last.sighting().state() == state;
    }

    /** When the newest lease the member can have has surely run out, on this master's clock. */
    long leaseEndNanos(String member) {
        Long granted = grantedNanos.get(member);
        long newest = granted == null ? leaderSinceNanos : Math.max(granted, leaderSinceNanos);
        return newest + limits.leaseWaitNanos();
    }

    boolean leaseOver(String member) {
        return nowNanos >= leaseEndNanos(member);
    }

    /**
     * The end of its permission doesn't close the member: that is done by the agent beside the node that a cluster has elected, and while
     * this one isn't known to have done it, others of its nodes are at work, who may elect another.
     */
    boolean outlivesItsLease(String member) {
        Heard last = heard.get(member);
        ClusterNode speaker = last == null ? null : last.sighting().node();
        boolean closed = last != null
                && speaker != null
                && speaker.elected()
                && fresh(member)
                && !last.sighting().writable();
        return clustersAtWork.contains(member) && !closed;
    }

    /**
     * No permission by its peers is left to the primary of the epoch before, and none will be given: one of those whom it must
     * all ask knows the present epoch for good, and keeps no promise any more.
     */
    boolean peerLeaseOver() {
        Group present = adopted();
        return present.peers().isEmpty()
                || present.peers().stream().anyMatch(peer -> {
                    Heard last = heard.get(peer);
                    return last != null
                            && last.sighting().peering().rememberedEpoch() >= present.epoch()
                            && !last.sighting().peering().promised();
                });
    }

    /** A peer that was lately asked by the agent of a primary that writes, and gave its permission; null where none was. */
    @Nullable
    String askedPeer() {
        for (String peer : adopted().peers()) {
            Heard last = heard.get(peer);
            long asked = last == null ? -1 : last.sighting().peering().askedMillis();
            if (last != null
                    && last.sighting().acceptedEpoch() == adopted().epoch()
                    && asked >= 0
                    && asked + silentMillisOf(last) < limits.silenceMillis()) {
                return peer;
            }
        }
        return null;
    }

    /** Why a bounded group's policy doesn't let this one be promoted by itself: what it may lack; null where it lets it. */
    public @Nullable String beyondBound(Heard candidate) {
        Policy policy = adopted().policy();
        Position newest = history.newest();
        String member = candidate.sighting().member();
        if (newest == null) {
            return "it isn't known what " + member + " lacks: this master has heard of no primary that was open";
        }
        long heldAll = history.heldAllNanos(candidate.received());
        if (policy.maxLagMillis() > 0
                && (heldAll == Long.MIN_VALUE || stopNanos() - heldAll > Limits.nanos(policy.maxLagMillis()))) {
            return member + " may lack what was written in "
                    + (heldAll == Long.MIN_VALUE
                            ? "any time"
                            : "the last " + (stopNanos() - heldAll) / 1_000_000 + " ms")
                    + " (the limit is " + policy.maxLagMillis() + " ms)";
        }
        long lacks = newest.beyond(candidate.received());
        return policy.maxLagTransactions() > 0 && lacks > policy.maxLagTransactions()
                ? member + " lacks " + lacks + " " + adopted().positionKind().unit()
                        + " that the primary was heard to have (the limit is " + policy.maxLagTransactions() + ")"
                : null;
    }

    /**
     * Since when the old primary of a switch takes no writes any more, where that is sure: it has ended, is fenced, or has no permission
     * left. Only for a switch of which {@code Choice} has found that it is.
     */
    long closedNanos() {
        String primary = adopted().primary();
        Heard last = heard.get(primary);
        boolean closed = last != null
                && !last.sighting().writable()
                && (last.sighting().state() == ServerState.DEAD
                        || last.sighting().fencedEpoch() == adopted().epoch());
        return last != null && closed ? last.closedNanos() : leaseEndNanos(primary);
    }

    /**
     * Whether a member is known to have heard how far its stream goes at a time when the primary wrote no more.
     *
     * @param candidate of a group whose positions are those of a stream
     */
    boolean knowsStreamsEnd(Heard candidate) {
        long ago = candidate.sighting().sourceHeardMillis();
        return ago >= 0 && candidate.arrivedNanos() - Limits.nanos(ago) > closedNanos();
    }

    /** Until when the primary may have been taking writes, or may still, without having been heard of. */
    private long stopNanos() {
        String primary = adopted().primary();
        Heard last = heard.get(primary);
        if (last != null && last.sighting().state() == ServerState.DEAD) {
            return last.stateNanos();
        }
        if (last != null && fresh(primary)) {
            return last.arrivedNanos();
        }
        // Its peers may have let it go on after that.
        return adopted().peers().isEmpty() ? leaseEndNanos(primary) : Math.max(nowNanos, leaseEndNanos(primary));
    }

    /** How long the group still waits before it fails over by itself again, in ms; 0 where it needn't. */
    public long blockedMillis() {
        Streak streak = adopted().streak();
        long block = limits.blocking().millis(streak.failovers());
        // By two clocks: one that was set back would prolong it, and a master that was started since knows no other.
        long left = Math.min(streak.lastMillis() + block - wallMillis, block - phaseNanos() / 1_000_000);
        return Math.max(0, left);
    }

    /** The number that a failover by itself would have in its row. */
    int nextInARow() {
        Streak streak = adopted().streak();
        boolean newRow = wallMillis - streak.lastMillis() > limits.blocking().forgetMillis();
        return newRow ? 1 : streak.failovers() + 1;
    }

    /** Neither the settings of its agent nor those of its server, which may have changed since it joined, forbid its promotion. */
    public boolean electable(Member member) {
        Heard last = heard.get(member.name());
        return member.electable() && (last == null || last.sighting().electable());
    }

    /** Followers that are heard of, answer, and could be sealed now. */
    List<Member> reachableFollowers() {
        return adopted().followers().stream()
                .filter(m -> in(ServerState.RUNNING, m.name()))
                .toList();
    }

    /** The primary's process is another than the one that may open, or is gone. */
    boolean primaryInstanceGone() {
        Heard primary = heard.get(adopted().primary());
        return primary != null
                && !primary.sighting().instance().isEmpty()
                && !primary.sighting().instance().equals(adopted().primaryInstance());
    }

    long phaseNanos() {
        return nowNanos - phaseSinceNanos;
    }

    /** One line a member, for the switch log. */
    SortedMap<String, String> evidence() {
        TreeMap<String, String> evidence = new TreeMap<>();
        heard.forEach((member, last) -> evidence.put("saw_" + member, describe(member, last)));
        return evidence;
    }

    String describe(String member, Heard last) {
        var s = last.sighting();
        return s.state().name().toLowerCase(java.util.Locale.ROOT)
                + (s.detail().isEmpty() ? "" : " (" + s.detail() + ")")
                + ", heard " + silentMillisOf(last) + " ms ago"
                + (s.writable() ? ", writable" : "")
                + (s.receiving() ? ", receiving" : "")
                + ", holds " + (s.received().isEmpty() ? "nothing" : s.received());
    }

    private long silentMillisOf(Heard last) {
        return (nowNanos - last.arrivedNanos()) / 1_000_000;
    }
}
