package org.haarbiter.sim;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Invariants;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.Trigger;
import org.jspecify.annotations.Nullable;

/** Knows all that happened, and checks the invariants of the design against it. */
final class Truth {

    /** A broken invariant; ends the run. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final String invariant;

        Violation(String invariant, String sentence) {
            super(invariant + ": " + sentence);
            this.invariant = invariant;
        }
    }

    /** What was seen of a position is older than when it was heard, by a look and a slow link. */
    private static final long BOUND_SLACK_MILLIS = 1_200;

    private static final long TURN_NANOS = 4_000_000_000L;
    private static final long SILENCE_NANOS = 500_000_000;
    private static final long SLACK_NANOS = 100_000_000;

    private record Acknowledged(long transaction, long nanos) {}

    private static final class Known {
        final TreeMap<String, Long> writerEpochs = new TreeMap<>();
        final List<Long> acknowledged = new ArrayList<>();
        final ArrayList<Acknowledged> recent = new ArrayList<>();

        /** Acknowledged while somebody kept commits from waiting, by server. */
        final TreeMap<String, List<Long>> meddled = new TreeMap<>();

        /** The newest primary was chosen by the proof that nobody acknowledges to the one before. */
        boolean choseLossless;

        @Nullable
        SimServer newestWriter;

        long newestEpoch;

        @Nullable
        SimServer newestOpened;

        long openedEpoch;
        /** Who followed when the newest primary was chosen. */
        List<String> followers = List.of();

        boolean lossAccepted;
        long lossEpoch;
        boolean diverged;
        long acknowledgedAt = Long.MIN_VALUE;

        /** Since when a switch is under way; {@link Long#MAX_VALUE} while none is. */
        long switchingSince = Long.MAX_VALUE;

        @Nullable
        SimServer acknowledgedBy;
    }

    private final World world;
    private final TreeMap<String, Known> groups = new TreeMap<>();
    private final List<ClusterState> states = new ArrayList<>();
    private final List<Integer> indexes = new ArrayList<>();

    Truth(World world) {
        this.world = world;
    }

    private Known known(String group) {
        return groups.computeIfAbsent(group, g -> new Known());
    }

    Violation violated(String invariant, String sentence) {
        return new Violation(invariant, sentence);
    }

    ClusterState newest() {
        return states.isEmpty() ? ClusterState.empty() : states.get(states.size() - 1);
    }

    void applied(SimMaster by, int index, Entry entry, ClusterState before, ClusterState after) {
        String broken = Invariants.broken(before, after, entry);
        if (broken != null) {
            throw violated("2 epochs only grow", broken);
        }
        int known = indexes.isEmpty() ? 0 : indexes.get(indexes.size() - 1);
        if (index <= known) {
            int at = java.util.Collections.binarySearch(indexes, index);
            if (at < 0 || !states.get(at).equals(after)) {
                throw violated("9 nothing is skipped", by.name + " has another state at index " + index);
            }
            return;
        }
        indexes.add(index);
        states.add(after);
        boolean late = before.equals(after);
        world.count(late ? "entry-too-late" : entry.getClass().getSimpleName());
        world.timeline.note("applied " + index + ": " + World.describe(entry) + (late ? " (too late)" : ""));
        if (world.endpoints != null) {
            world.endpoints.applied();
        }
        Group was = before.group(entry.group());
        Group is = after.group(entry.group());
        if (is == null || late) {
            return;
        }
        Known about = known(is.name());
        if (entry instanceof Entry.GroupAdopted adopted && adopted.acceptDataLoss()) {
            about.lossAccepted = true;
            about.lossEpoch = is.epoch();
            world.count("data-loss-accepted");
        }
        if (is.phase() instanceof Phase.Steady) {
            about.switchingSince = Long.MAX_VALUE;
        }
        if (entry instanceof Entry.SwitchStarted started) {
            world.count("switch-" + started.trigger());
            inTurn(started);
            about.switchingSince =
                    started.planned() ? Long.MAX_VALUE : Math.min(about.switchingSince, world.timeline.now());
            if (started.planned()) {
                world.count("switch-planned" + (started.vanguard() == null ? "" : "-with-vanguard"));
            }
            if (started.acceptDataLoss()) {
                about.lossAccepted = true;
                about.lossEpoch = is.epoch();
                world.count("data-loss-accepted");
            }
        }
        if (entry instanceof Entry.CandidateChosen && was != null) {
            about.followers = was.followers().stream().map(Member::name).toList();
        }
        if (is.phase() instanceof Phase.Promoting
                && (was == null || !was.phase().equals(is.phase()))) {
            about.writerEpochs.put(is.primary(), is.epoch());
            about.choseLossless = is.durability() == Durability.LOSSLESS;
        }
        if (entry instanceof Entry.PolicyChanged) {
            about.acknowledged.clear();
            about.recent.clear();
        }
    }

    /** So many groups at once, and no more, fail over by themselves. One that takes very long counts no more. */
    private void inTurn(Entry.SwitchStarted started) {
        boolean limited = started.trigger() == Trigger.PRIMARY_DEAD
                || started.trigger() == Trigger.PRIMARY_HUNG
                || started.trigger() == Trigger.PRIMARY_SILENT;
        long recently = world.timeline.now() - TURN_NANOS;
        long others = groups.entrySet().stream()
                .filter(known -> !known.getKey().equals(started.group()))
                .map(Map.Entry::getValue)
                .filter(known -> known.switchingSince != Long.MAX_VALUE && known.switchingSince > recently)
                .count();
        if (limited && others >= world.limits.storms().atOnce()) {
            throw violated(
                    "11 switches take turns",
                    "group " + started.group() + " begins to switch while " + others + " others do");
        }
    }

    /** A leader is about to act on a primary's silence. Where many are silent, another site's master hasn't heard it either. */
    void believesSilence(SimMaster leader, String group) {
        long now = leader.clock();
        List<Long> silences = new ArrayList<>();
        int adopted = 0;
        for (Group other : leader.arbiter().state().groups().values()) {
            adopted++;
            Heard heard = leader.arbiter().heardOf(other.name()).get(other.primary());
            long silence = heard == null ? now : now - heard.arrivedNanos();
            if (silence > SILENCE_NANOS + SLACK_NANOS) {
                silences.add(silence);
            }
        }
        int many = Math.max(
                world.limits.storms().doubtGroups(),
                (adopted * world.limits.storms().doubtPercent() + 99) / 100);
        Group about = leader.arbiter().state().group(group);
        if (silences.size() < many || about == null) {
            return;
        }
        silences.sort(Comparator.reverseOrder());
        long doubted = silences.get(many - 1) - SILENCE_NANOS;
        if (doubted > (world.limits.storms().doubtMillis() - 500) * 1_000_000L) {
            return;
        }
        world.count("silence-of-many-believed");
        String own = world.sites.getOrDefault(leader.name, "");
        for (SimMaster master : world.masters) {
            if (!own.equals(world.sites.get(master.name)) && master.mayMiss(group, about.primary())) {
                return;
            }
        }
        throw violated(
                "12 many silences are confirmed",
                leader.name + " takes " + about.primary() + " for silent, as " + (silences.size() - 1)
                        + " others, and every master of another site hears it");
    }

    /** The server's commits are made to wait again, so the log must know by now which of them didn't. */
    void putBack(SimServer server) {
        Known about = known(server.group.name);
        Group committed = newest().group(server.group.name);
        if (committed != null && committed.primary().equals(server.name) && server.group.lossless()) {
            world.count("meddling-put-back");
            about.acknowledged.addAll(about.meddled.getOrDefault(server.name, List.of()));
        }
        about.meddled.remove(server.name);
    }

    /** Whatever was kept from waiting: it is as safe as the hand left it. */
    void gaveUp(SimServer server) {
        known(server.group.name).meddled.remove(server.name);
    }

    /** What a bounded group's new primary lacks was acknowledged not long before the last acknowledgement that it lacks. */
    private void lostWithinBound(Known about, SimGroup group, SimServer server, long epoch) {
        long limit = group.policy().maxLagMillis();
        boolean accepted = about.lossAccepted && epoch >= about.lossEpoch;
        List<Acknowledged> lost = about.recent.stream()
                .filter(a -> !server.holds(a.transaction()))
                .toList();
        if (!lost.isEmpty() && group.policy().durability() == Durability.BOUNDED && limit > 0 && !accepted) {
            world.count("lost-within-bound");
            long newest = lost.get(lost.size() - 1).nanos();
            long oldest = lost.get(0).nanos();
            if (newest - oldest > (limit + BOUND_SLACK_MILLIS) * 1_000_000L) {
                throw violated(
                        "3 bounded means bounded",
                        server.name + " opened under epoch " + epoch + " without the acknowledged writes of "
                                + (newest - oldest) / 1_000_000 + " ms (the limit is " + limit + ")");
            }
        }
        about.recent.removeAll(lost);
        about.lossAccepted &= !accepted;
    }

    /** Who came back with less than it had isn't opened before those who followed it and have more. */
    private void keptItsHistory(Known about, SimServer server, long epoch) {
        if (!server.shortened || (about.lossAccepted && epoch >= about.lossEpoch)) {
            return;
        }
        for (String name : about.followers) {
            SimServer follower = server.group.server(name);
            long extra = follower.beyond(server);
            if (extra != 0 && !follower.restarted) {
                throw violated(
                        "13 an empty restart wipes nobody",
                        server.name + " was restarted and opened under epoch " + epoch + " without "
                                + SimServer.text(extra) + ", which its follower " + name + " has");
            }
        }
    }

    /** A server has opened writes. */
    void opened(SimServer server, long epoch) {
        SimGroup group = server.group;
        world.timeline.note("server " + server.name + " opens under epoch " + epoch);
        world.count("opened");
        Known about = known(group.name);
        // In a lossless group a switch needn't wait for the old primary's permission to end: until then it may even
        // open
        // again, since nobody acknowledges to it.
        boolean harmless = about.choseLossless
                && epoch < about.openedEpoch
                && about.writerEpochs.getOrDefault(server.name, 0L) == epoch;
        if (epoch <= about.openedEpoch && server != about.newestOpened && !harmless) {
            throw violated(
                    "2 epochs only grow",
                    server.name + " opened under epoch " + epoch + " after epoch " + about.openedEpoch);
        }
        if (harmless) {
            return;
        }
        if (epoch > about.openedEpoch) {
            keptItsHistory(about, server, epoch);
        }
        about.openedEpoch = epoch;
        about.newestOpened = server;
        if (!group.lossless()) {
            lostWithinBound(about, group, server, epoch);
            return;
        }
        if (about.lossAccepted && epoch >= about.lossEpoch) {
            about.acknowledged.removeIf(t -> !server.holds(t));
            about.lossAccepted = false;
            about.diverged = true;
        }
        for (long transaction : about.acknowledged) {
            if (!server.holds(transaction)) {
                throw violated(
                        "3 lossless means lossless",
                        server.name + " opened under epoch " + epoch + " without acknowledged write "
                                + SimServer.text(transaction));
            }
        }
    }

    /** A client has seen its write acknowledged. */
    void acknowledged(SimServer server, long transaction) {
        world.writes++;
        SimGroup group = server.group;
        Known about = known(group.name);
        long epoch = about.writerEpochs.getOrDefault(server.name, 0L);
        SimServer opened = about.newestOpened;
        Group committed = newest().group(group.name);
        boolean needntWait =
                committed != null && committed.primary().equals(server.name) && committed.acknowledgers() == 0;
        if (server.meddled && !needntWait) {
            // Nobody can promise anything of a commit that somebody kept from waiting, until the log knows.
            world.count("acknowledged-while-meddled");
            about.meddled
                    .computeIfAbsent(server.name, name -> new ArrayList<>())
                    .add(transaction);
            return;
        }
        boolean lossless = group.lossless();
        // An acknowledgement that was under way when the replica was sealed may still come; what it acknowledges isn't
        // lost.
        boolean heldByNewer = about.choseLossless && opened != null && opened.holds(transaction);
        // A person who accepts a loss gives up the proof, that an old primary gets no acknowledgement, which stands in
        // for an
        // agent that can't fence.
        boolean accepted = server.unguarded && epoch < about.lossEpoch;
        if (epoch < about.newestEpoch && !heldByNewer && !accepted) {
            SimServer writer = about.newestWriter;
            throw violated(
                    "1 one writer",
                    server.name + " (epoch " + epoch + ") acknowledged " + SimServer.text(transaction) + " after "
                            + (writer == null ? "?" : writer.name) + " had under epoch " + about.newestEpoch);
        }
        if (lossless
                && about.choseLossless
                && opened != null
                && about.openedEpoch > epoch
                && !heldByNewer
                && epoch >= about.lossEpoch) {
            throw violated(
                    "3 lossless means lossless",
                    server.name + " acknowledged " + SimServer.text(transaction) + " which " + opened.name
                            + ", open under epoch " + about.openedEpoch + ", lacks");
        }
        if (epoch >= about.newestEpoch) {
            about.newestEpoch = epoch;
            about.newestWriter = server;
            about.acknowledgedAt = world.timeline.now();
            about.acknowledgedBy = server;
        }
        if (committed == null && server.required == 0) {
            // The group isn't adopted, so nobody has promised anything of what only this server had.
            return;
        }
        if (lossless && (epoch >= about.lossEpoch)) {
            about.acknowledged.add(transaction);
        } else if (group.policy().durability() == Durability.BOUNDED) {
            about.recent.add(new Acknowledged(transaction, world.timeline.now()));
        }
    }

    /** Load balancers are told that this server takes writes: of no other one of the group, but for one to which nobody acknowledges. */
    void toldWritable(SimServer server) {
        Known about = known(server.group.name);
        long epoch = server.group.agent(server.name).toldWritableEpoch();
        for (SimServer other : server.group.servers) {
            long others = other == server ? 0 : server.group.agent(other.name).toldWritableEpoch();
            if (others == 0) {
                continue;
            }
            world.count("two-told-writable");
            // A switch of a lossless group needn't wait until the former primary's permission ends.
            if (epoch == others || !about.choseLossless) {
                throw violated(
                        "16 load balancers are sent to one",
                        server.name + " (epoch " + epoch + ") and " + other.name + " (epoch " + others
                                + ") are both said to take writes");
            }
        }
    }

    /** A replica has begun to receive from a source. */
    void follows(SimServer replica, SimServer source) {
        Known about = known(replica.group.name);
        if (about.openedEpoch == 0 || about.newestOpened != source || about.diverged) {
            return;
        }
        Group group = newest().group(replica.group.name);
        if (group == null
                || !group.primary().equals(source.name)
                || !group.members().containsKey(replica.name)
                || group.member(replica.name).standing() != Standing.FOLLOWING) {
            return;
        }
        long extra = replica.beyond(source);
        if (extra != 0 && source.up() && !(group.phase() instanceof Phase.Sealing)) {
            throw violated(
                    "10 histories don't part",
                    replica.name + " follows " + source.name + " and holds " + SimServer.text(extra)
                            + ", which that one lacks");
        }
    }

    /** Why a group isn't well; null where it is: steady, its primary acknowledges, DNS shows it, clients are sent to whoever follows. */
    @Nullable
    String notWell(SimGroup simGroup, long since) {
        Group group = newest().group(simGroup.name);
        if (group == null) {
            return "not adopted";
        }
        if (!(group.phase() instanceof Phase.Steady)) {
            return "phase " + group.phase();
        }
        Known about = known(simGroup.name);
        SimServer writer = about.acknowledgedBy;
        if (about.acknowledgedAt < since || writer == null || !writer.name.equals(group.primary())) {
            return "primary " + group.primary() + " acknowledges nothing";
        }
        if (group.publishedEpoch() != group.epoch()
                || !world.dns.shows(simGroup.name, group.epoch(), group.primary())) {
            return "DNS doesn't show epoch " + group.epoch();
        }
        for (SimServer server : simGroup.servers) {
            boolean follows = group.members().containsKey(server.name)
                    && group.member(server.name).standing() == Standing.FOLLOWING;
            if (!follows && server.beyond(simGroup.server(group.primary())) == 0) {
                return server.name + " doesn't follow, though it holds nothing that the primary lacks";
            }
            if (follows && !group.serving().well().contains(server.name)) {
                return "clients aren't sent to " + server.name + ", though it follows";
            }
        }
        return null;
    }
}
