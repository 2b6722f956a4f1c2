package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/** What the leader wants each member to be: a function of the log and of what was heard. */
final class Goals {
    /** Commits that begin to wait for a follower that is further behind would wait until it has caught up. */
    private static final long CLOSE_NANOS = Limits.nanos(2_000);

    private Goals() {}

    /**
     * The goal of a member.
     *
     * @param group as the log has it; null while it isn't adopted
     * @param heard what was last heard of the member
     * @param others what was last heard of each member, by name
     * @param history what the group's primaries were heard to hold
     */
    static Goal of(
            @Nullable Group group,
            Heard heard,
            Map<String, Heard> others,
            PositionHistory history,
            long term,
            Limits limits) {
        if (group == null) {
            return observe(term, 0, "the group isn't adopted yet");
        }
        Member member = group.members().get(heard.sighting().member());
        if (member == null) {
            // A replica of an old primary's is cut off, so that what it holds is final; of anybody else nothing is
            // known.
            boolean ofOldPrimary = !heard.sighting().writable()
                    && group.members().values().stream()
                            .anyMatch(m -> !m.name().equals(group.primary())
                                    && m.address().equals(heard.sighting().source()));
            return ofOldPrimary
                    ? fenced(term, group, "it follows another than the primary")
                    : observe(term, group.epoch(), "the member isn't part of the group yet");
        }
        if (member.name().equals(group.primary())) {
            return ofPrimary(group, heard, others, history, term, limits);
        }
        Heard primary = others.get(group.primary());
        Member donor = donor(group, member, others);
        if (donor != null && primary != null && primary.sighting().openEpoch() == group.epoch()) {
            return new Goal(
                    term,
                    group.epoch(),
                    Role.REBUILT,
                    donor.address(),
                    "",
                    0,
                    0,
                    false,
                    primary.sighting().received(),
                    PeerList.NONE,
                    "it is rebuilt from " + donor.name());
        }
        if (member.standing() == Standing.AWAY) {
            return fenced(term, group, "it is away until its history is known to be part of the primary's");
        }
        return group.phase() instanceof Phase.Sealing || waitsForOpening(group, heard, primary)
                ? new Goal(
                        term,
                        group.epoch(),
                        Role.SEALED,
                        null,
                        "",
                        0,
                        0,
                        false,
                        "",
                        PeerList.NONE,
                        "a switch is under way")
                : new Goal(
                        term,
                        group.epoch(),
                        Role.REPLICA,
                        source(group, member).address(),
                        // A planned switch waits for what it says next.
                        group.phase() instanceof Phase.Draining draining
                                        && draining.candidate().equals(member.name())
                                        && primary != null
                                ? primary.sighting().received()
                                : "",
                        0,
                        0,
                        // As long as the log says that commits wait.
                        group.durability() == Durability.LOSSLESS || group.acknowledgers() > 0,
                        primary != null && primary.sighting().openEpoch() == group.epoch()
                                ? primary.sighting().received()
                                : "",
                        PeerList.NONE,
                        "follows " + source(group, member).name());
    }

    /**
     * A server of an asynchronous engine refuses who asks it for its writes before it is a primary, as Redis does, and is asked again
     * only after a while; nor does its first write wait for anybody. So who is sealed stays so until it has opened.
     */
    private static boolean waitsForOpening(Group group, Heard heard, @Nullable Heard primary) {
        return group.phase() instanceof Phase.Promoting
                && group.positionKind().acknowledgersLimit() == 0
                && heard.sighting().sealedEpoch() == group.epoch()
                && (primary == null || primary.sighting().openEpoch() != group.epoch());
    }

    /** Whom a follower follows: the primary; one that goes ahead in a planned switch, the candidate. */
    private static Member source(Group group, Member member) {
        String vanguard = null;
        String candidate = group.primary();
        if (group.phase() instanceof Phase.Preparing preparing) {
            vanguard = preparing.vanguard();
            candidate = preparing.candidate();
        } else if (group.phase() instanceof Phase.Draining draining) {
            vanguard = draining.vanguard();
            candidate = draining.candidate();
        }
        return group.member(member.name().equals(vanguard) ? candidate : group.primary());
    }

    private static Goal ofPrimary(
            Group group, Heard heard, Map<String, Heard> others, PositionHistory history, long term, Limits limits) {
        if (group.phase() instanceof Phase.Sealing) {
            return fenced(term, group, "it is being replaced");
        }
        if (group.phase() instanceof Phase.Draining) {
            return new Goal(
                    term,
                    group.epoch(),
                    Role.DRAINED,
                    null,
                    "",
                    0,
                    0,
                    false,
                    "",
                    PeerList.NONE,
                    "a planned switch is under way");
        }
        // Whoever said that the process is gone may be believed to have lost its permission: never give it back.
        boolean ended = heard.sighting().state() == ServerState.DEAD;
        if (ended || !heard.sighting().instance().equals(group.primaryInstance())) {
            return fenced(
                    term, group, ended ? "its server has ended" : "its server was restarted since it was made primary");
        }
        String upTo = group.phase() instanceof Phase.Promoting promoting ? promoting.upTo() : "";
        int acknowledgers = acknowledgers(group, heard, others, history, limits);
        return new Goal(
                term,
                group.epoch(),
                Role.PRIMARY,
                null,
                upTo,
                limits.leaseMillis(),
                acknowledgers,
                false,
                "",
                peers(group, others, limits),
                "primary of epoch " + group.epoch());
    }

    /** How many acknowledgements the primary's commits shall wait for. */
    private static int acknowledgers(
            Group group, Heard primary, Map<String, Heard> others, PositionHistory history, Limits limits) {
        if (primary.waitsForFewer(group)) {
            // It is put back once the log says so, or a proof would count on what wasn't.
            return primary.sighting().acknowledgersRequired();
        }
        int wanted = group.acknowledgersWanted();
        int attached = primary.sighting().acknowledgers();
        if (primary.sighting().acknowledgersRequired() < wanted) {
            attached = Math.min(attached, close(group, primary, others, history, limits));
        }
        // Fewer only after the log says so; more only when there are enough to answer, or every commit would hang.
        return wanted > group.acknowledgers() && attached >= wanted ? wanted : group.acknowledgers();
    }

    /** How many followers receive from the primary and lack at most what it wrote a moment ago. */
    private static int close(
            Group group, Heard primary, Map<String, Heard> others, PositionHistory history, Limits limits) {
        int close = 0;
        for (Member follower : group.followers()) {
            Heard heard = others.get(follower.name());
            if (heard != null
                    && heard.sighting().state() == ServerState.RUNNING
                    && heard.sighting().receiving()
                    && primary.arrivedNanos() - heard.arrivedNanos() < Limits.nanos(limits.silenceMillis())
                    && history.heldAllNanos(heard.received()) > primary.arrivedNanos() - CLOSE_NANOS) {
                close++;
            }
        }
        return close;
    }

    /** Whose copy replaces the member's data: the one that was chosen, or another where that one can't be had; null for none. */
    private static @Nullable Member donor(Group group, Member member, Map<String, Heard> others) {
        String wanted = member.donor();
        if (wanted == null || member.standing() != Standing.AWAY) {
            return null;
        }
        List<Member> donors = donors(group, others);
        return donors.stream()
                .filter(donor -> donor.name().equals(wanted))
                .findFirst()
                .orElse(donors.isEmpty() ? null : donors.get(0));
    }

    /** Who may hand out a copy: replicas at work first, since a copy costs the one that gives it something, then the primary. */
    static List<Member> donors(Group group, Map<String, Heard> heard) {
        List<Member> donors = new ArrayList<>();
        for (Member follower : group.followers()) {
            Heard last = heard.get(follower.name());
            if (last != null && last.sighting().state() == ServerState.RUNNING && last.replicates()) {
                donors.add(follower);
            }
        }
        Heard primary = heard.get(group.primary());
        if (primary != null
                && primary.sighting().state() == ServerState.RUNNING
                && primary.sighting().openEpoch() == group.epoch()) {
            donors.add(group.primaryMember());
        }
        return donors;
    }

    /** Everybody who counts already, and whoever shall count once the primary's agent has said that it has this list. */
    private static PeerList peers(Group group, Map<String, Heard> others, Limits limits) {
        if (limits.whenArbiterLost() == WhenArbiterLost.FENCE) {
            return PeerList.NONE;
        }
        TreeSet<String> names = new TreeSet<>(group.peersWanted());
        names.addAll(group.peers());
        List<Peer> peers = new ArrayList<>();
        boolean whole = true;
        for (String name : names) {
            Heard last = others.get(name);
            Endpoint agent = last == null ? null : last.sighting().peering().agent();
            if (agent != null) {
                peers.add(new Peer(name, agent));
            } else {
                whole = whole && !group.peers().contains(name);
            }
        }
        return new PeerList(peers, whole && !group.peers().isEmpty());
    }

    private static Goal observe(long term, long epoch, String reason) {
        return new Goal(term, epoch, Role.OBSERVE, null, "", 0, 0, false, "", PeerList.NONE, reason);
    }

    private static Goal fenced(long term, Group group, String reason) {
        return new Goal(term, group.epoch(), Role.FENCED, null, "", 0, 0, false, "", PeerList.NONE, reason);
    }
}
