package org.haarbiter.master.names;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * What the zone shall say of a group: the write name holds the primary's address, of a cluster those of its nodes, and only that; the read name the healthy
 * replicas', or the primary's where there is none, since a name that doesn't resolve helps nobody; the name of each traffic class what its rule says.
 *
 * @param writeName template with {@code {group}} in it, relative to the zone
 * @param readName likewise
 * @param ttlSeconds of all
 * @param readMaxLagMillis a replica further behind isn't in the read name
 * @param silenceNanos a replica unheard for so long isn't either
 */
public record WantedNamesOfGroup(
        String writeName, String readName, int ttlSeconds, int readMaxLagMillis, long silenceNanos) {

    private static final String GROUP = "{group}";

    /**
     * A group's names, and what speaks against them.
     *
     * @param names what the zone shall say
     * @param sentences about traffic classes that aren't where they belong
     */
    public record Reading(WantedNames names, List<String> sentences) {
        /** Copies the sentences. */
        public Reading {
            sentences = List.copyOf(sentences);
        }
    }

    /** The names; null while a switch hasn't yet chosen who is next, so that the old names stay. */
    public @Nullable Reading of(Group group, SortedMap<String, Heard> heard, long nowNanos) {
        if (group.phase() instanceof Phase.Sealing || group.phase() instanceof Phase.Draining) {
            return null;
        }
        SortedSet<String> pinned = group.pinned();
        TreeSet<String> readers = new TreeSet<>();
        for (Member member : group.followers()) {
            if (!pinned.contains(member.name()) && healthy(group, member.name(), heard, nowNanos)) {
                readers.add(member.name());
            }
        }
        SortedSet<String> primary = new TreeSet<>(List.of(group.primary()));
        SortedSet<String> reading = readers.isEmpty() ? primary : readers;
        List<WantedNames.AddressName> names = new ArrayList<>();
        names.add(named(written(group.name()), primary, group, heard));
        names.add(named(read(group.name()), reading, group, heard));
        List<String> sentences = new ArrayList<>();
        for (Map.Entry<String, TrafficClass> each : group.classes().entrySet()) {
            SortedSet<String> members = switch (each.getValue().follows()) {
                case PRIMARY -> primary;
                case REPLICAS -> reading;
                case NOBODY -> new TreeSet<String>();
                case MEMBERS -> pinned(each, readers, group, heard, nowNanos, sentences);
            };
            names.add(named(each.getKey(), members, group, heard));
        }
        return new Reading(new WantedNames(group.name(), group.epoch(), "_ha-epoch." + group.name(), names), sentences);
    }

    /** Why no traffic class may have this name; null where one may. */
    public @Nullable String problem(String name, SortedSet<String> groups) {
        for (String group : groups) {
            if (name.equals(written(group)) || name.equals(read(group))) {
                return "the name '" + name + "' is that of group '" + group + "' itself (another name)";
            }
        }
        return null;
    }

    private SortedSet<String> pinned(
            Map.Entry<String, TrafficClass> each,
            SortedSet<String> readers,
            Group group,
            SortedMap<String, Heard> heard,
            long nowNanos,
            List<String> sentences) {
        TrafficClass trafficClass = each.getValue();
        String unwell = each.getKey() + " is pinned to " + String.join(", ", trafficClass.pins()) + ", of which "
                + (trafficClass.pins().size() == 1 ? "it isn't known that it is well" : "none is known to be well");
        TreeSet<String> well = new TreeSet<>();
        for (String pin : trafficClass.pins()) {
            if (healthy(group, pin, heard, nowNanos)) {
                well.add(pin);
            }
        }
        if (!well.isEmpty()) {
            return well;
        }
        if (trafficClass.fallBack() == TrafficClass.FallBack.NONE) {
            sentences.add("traffic class " + unwell + "; it stays there: its rule lets it fall back to nobody");
            return trafficClass.pins();
        }
        if (!readers.isEmpty()) {
            sentences.add("traffic class " + unwell + "; it has fallen back to " + String.join(", ", readers));
            return readers;
        }
        if (trafficClass.fallBack() == TrafficClass.FallBack.ANY) {
            sentences.add("traffic class " + unwell + "; it has fallen back to " + group.primary() + ", the primary");
            return new TreeSet<>(List.of(group.primary()));
        }
        sentences.add("traffic class " + unwell + "; it stays there: there is no healthy replica to fall back to");
        return trafficClass.pins();
    }

    private boolean healthy(Group group, String member, SortedMap<String, Heard> heard, long nowNanos) {
        Heard last = heard.get(member);
        if (last == null
                || nowNanos - last.arrivedNanos() >= silenceNanos
                || last.sighting().state() != ServerState.RUNNING) {
            return false;
        }
        // Right after a choice the replicas are on their way to the new primary: that is no reason to send readers
        // away.
        boolean moving = group.phase() instanceof Phase.Promoting || group.phase() instanceof Phase.Preparing;
        boolean replicates = last.sighting().receiving() && last.sighting().applying();
        return member.equals(group.primary())
                || ((moving || replicates) && last.sighting().lagMillis() <= readMaxLagMillis);
    }

    private WantedNames.AddressName named(
            String name, SortedSet<String> members, Group group, SortedMap<String, Heard> heard) {
        return new WantedNames.AddressName(
                name,
                members.stream()
                        .flatMap(member -> hosts(group.member(member), heard.get(member)).stream())
                        .distinct()
                        .sorted()
                        .collect(Collectors.toUnmodifiableList()),
                ttlSeconds);
    }

    /** Where a member serves clients: one address, or those of a cluster's nodes. */
    private static List<String> hosts(Member member, @Nullable Heard last) {
        ClusterNode node = last == null ? null : last.sighting().node();
        if (node == null || node.nodes().isEmpty()) {
            return List.of(member.address().host());
        }
        return node.nodes().values().stream().map(Endpoint::host).toList();
    }

    private String written(String group) {
        return writeName.replace(GROUP, group);
    }

    private String read(String group) {
        return readName.replace(GROUP, group);
    }
}
