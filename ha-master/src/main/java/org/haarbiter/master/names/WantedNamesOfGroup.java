package org.haarbiter.master.names;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeSet;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Phase;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * What the zone shall say of a group: the write name holds the primary's address, of a cluster those of its nodes, and only that; the read name the healthy
 * replicas', or the primary's where there is none, since a name that doesn't resolve helps nobody.
 *
 * @param writeName template with {@code {group}} in it, relative to the zone
 * @param readName likewise
 * @param ttlSeconds of both
 * @param readMaxLagMillis a replica further behind isn't in the read name
 * @param silenceNanos a replica unheard for so long isn't either
 */
public record WantedNamesOfGroup(
        String writeName, String readName, int ttlSeconds, int readMaxLagMillis, long silenceNanos) {

    /** The names; null while a switch hasn't yet chosen who is next, so that the old names stay. */
    public @Nullable WantedNames of(Group group, SortedMap<String, Heard> heard, long nowNanos) {
        if (group.phase() instanceof Phase.Sealing || group.phase() instanceof Phase.Draining) {
            return null;
        }
        // Right after a choice the replicas are on their way to the new primary: that is no reason to send readers
        // away.
        boolean moving = group.phase() instanceof Phase.Promoting || group.phase() instanceof Phase.Preparing;
        TreeSet<String> readers = new TreeSet<>();
        for (Member member : group.followers()) {
            Heard last = heard.get(member.name());
            if (last != null && healthy(last, moving, nowNanos)) {
                readers.addAll(hosts(member, last));
            }
        }
        List<String> primary = hosts(group.primaryMember(), heard.get(group.primary()));
        if (readers.isEmpty()) {
            readers.addAll(primary);
        }
        return new WantedNames(
                group.name(),
                group.epoch(),
                "_ha-epoch." + group.name(),
                List.of(
                        new WantedNames.AddressName(named(writeName, group), primary, ttlSeconds),
                        new WantedNames.AddressName(named(readName, group), List.copyOf(readers), ttlSeconds)));
    }

    private boolean healthy(Heard heard, boolean moving, long nowNanos) {
        return nowNanos - heard.arrivedNanos() < silenceNanos
                && heard.sighting().state() == ServerState.RUNNING
                && (moving || (heard.sighting().receiving() && heard.sighting().applying()))
                && heard.sighting().lagMillis() <= readMaxLagMillis;
    }

    /** Where a member serves clients: one address, or those of a cluster's nodes. */
    private static List<String> hosts(Member member, @Nullable Heard last) {
        ClusterNode node = last == null ? null : last.sighting().node();
        if (node == null || node.nodes().isEmpty()) {
            return List.of(member.address().host());
        }
        return node.nodes().values().stream()
                .map(Endpoint::host)
                .distinct()
                .sorted()
                .toList();
    }

    private static String named(String template, Group group) {
        return template.replace("{group}", group.name());
    }
}
