package org.haarbiter.master.sentinel;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Phase;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;

/**
 * A Redis group as Sentinel's clients know one.
 *
 * @param name the group's
 * @param epoch its fencing number
 * @param primary where writes are taken, or will be in a moment: from the choice of a candidate on, that one
 * @param down nobody takes writes, and no successor is chosen yet
 * @param replicas all other members
 */
record Watched(String name, long epoch, Endpoint primary, boolean down, List<Replica> replicas) {
    /** Copies the list. */
    public Watched {
        replicas = List.copyOf(replicas);
    }

    /**
     * A member that isn't the primary.
     *
     * @param down clients shouldn't read from it: it is away, silent, or doesn't run
     * @param linked it receives from the primary
     */
    record Replica(Endpoint address, boolean down, boolean linked, int priority) {}

    /** Whether clients of Sentinel may ask for it. */
    static boolean watches(Group group) {
        return group.positionKind() == PositionKind.REPLICATION_OFFSET;
    }

    /** @param heard what was last heard of each member */
    static Watched of(Group group, SortedMap<String, Heard> heard, long silenceNanos, long nowNanos) {
        Endpoint primary = group.primaryMember().address();
        List<Member> following = group.followers();
        List<Replica> replicas = new ArrayList<>();
        for (Member member : group.members().values()) {
            if (member.name().equals(group.primary())) {
                continue;
            }
            Heard last = heard.get(member.name());
            boolean runs = last != null
                    && nowNanos - last.arrivedNanos() < silenceNanos
                    && last.sighting().state() == ServerState.RUNNING;
            boolean linked = last != null
                    && runs
                    && last.sighting().receiving()
                    && last.sighting().applying()
                    && primary.equals(last.sighting().source());
            int priority = last == null ? 100 : last.sighting().priority();
            replicas.add(new Replica(member.address(), !runs || !following.contains(member), linked, priority));
        }
        return new Watched(group.name(), group.epoch(), primary, group.phase() instanceof Phase.Sealing, replicas);
    }
}
