package org.haarbiter.master.names;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.TrafficClass;
import org.jspecify.annotations.Nullable;

/**
 * What the zone shall say of a group, which follows from the log alone: the write name holds the primary's address, of a cluster those of its
 * nodes, and only that; the read name those of the replicas that are well, or the primary's where there is none, since a name that doesn't
 * resolve helps nobody; the name of each traffic class what its rule says.
 *
 * @param writeName template with {@code {group}} in it, relative to the zone
 * @param readName likewise
 * @param ttlSeconds of all
 */
public record WantedNamesOfGroup(String writeName, String readName, int ttlSeconds) {

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

    /** The names; while a switch hasn't yet chosen who is next they stay as they were, with the epoch that they had. */
    public Reading of(Group group) {
        List<WantedNames.AddressName> names = new ArrayList<>();
        names.add(named(written(group.name()), primary(group), group));
        names.add(named(read(group.name()), group.readers(), group));
        List<String> sentences = new ArrayList<>();
        for (Map.Entry<String, TrafficClass> each : group.classes().entrySet()) {
            SortedSet<String> members = switch (each.getValue().follows()) {
                case PRIMARY -> primary(group);
                case REPLICAS -> group.readers();
                case NOBODY -> new TreeSet<String>();
                case MEMBERS -> pinned(each, group, sentences);
            };
            names.add(named(each.getKey(), members, group));
        }
        return new Reading(
                new WantedNames(group.name(), group.namesEpoch(), epochName(group.name()), names), sentences);
    }

    /**
     * The name of a group of endpoints, as clients of no region are told it.
     *
     * @param sitesByRegion by region, its sites, the nearest first: other regions' clients take a part of what endpoints can hold
     */
    public WantedNames of(EndpointGroup group, SortedMap<String, List<String>> sitesByRegion) {
        List<String> addresses = group.addresses(sitesByRegion).getOrDefault("", List.of());
        return new WantedNames(
                group.name(),
                group.namesIndex(),
                epochName(group.name()),
                List.of(new WantedNames.AddressName(group.name(), addresses, group.ttlSeconds())));
    }

    /**
     * The name of a group of endpoints that isn't there any more must not exist.
     *
     * @param index of the log entry that removed it
     */
    public WantedNames ofFormerEndpoints(String name, long index) {
        return new WantedNames(
                name, index, epochName(name), List.of(new WantedNames.AddressName(name, List.of(), ttlSeconds)));
    }

    /** Why no traffic class or group of endpoints may have this name; null where one may. */
    public @Nullable String problem(String name, SortedSet<String> groups) {
        for (String group : groups) {
            if (name.equals(written(group)) || name.equals(read(group)) || name.equals(epochName(group))) {
                return "the name '" + name + "' is that of group '" + group + "' itself (another name)";
            }
        }
        return null;
    }

    /**
     * Why the name might be wanted by a group of databases that isn't there yet; null where it can't be, or names of groups are made so
     * that any could.
     */
    public @Nullable String laterProblem(String name) {
        for (String template : List.of(writeName, readName)) {
            String before = template.substring(0, template.indexOf(GROUP));
            String behind = template.substring(template.indexOf(GROUP) + GROUP.length());
            if (!template.equals(GROUP)
                    && name.length() > before.length() + behind.length()
                    && name.startsWith(before)
                    && name.endsWith(behind)) {
                return "the name '" + name + "' is what a group '"
                        + name.substring(before.length(), name.length() - behind.length())
                        + "' of databases would be called by (another name)";
            }
        }
        return null;
    }

    /** The name of the record that says since when its names are as they are. */
    static String epochName(String group) {
        return "_ha-epoch." + group;
    }

    private static SortedSet<String> primary(Group group) {
        return new TreeSet<>(List.of(group.primary()));
    }

    private static SortedSet<String> pinned(Map.Entry<String, TrafficClass> each, Group group, List<String> sentences) {
        TrafficClass trafficClass = each.getValue();
        TreeSet<String> well = new TreeSet<>(trafficClass.pins());
        well.retainAll(group.serving().well());
        if (!well.isEmpty()) {
            return well;
        }
        String unwell = "traffic class " + each.getKey() + " is pinned to " + String.join(", ", trafficClass.pins())
                + ", of which "
                + (trafficClass.pins().size() == 1 ? "it isn't known that it is well" : "none is known to be well");
        if (trafficClass.fallBack() == TrafficClass.FallBack.NONE) {
            sentences.add(unwell + "; it stays there: its rule lets it fall back to nobody");
            return trafficClass.pins();
        }
        SortedSet<String> replicas = group.wellReplicas();
        if (!replicas.isEmpty()) {
            sentences.add(unwell + "; it has fallen back to " + String.join(", ", replicas));
            return replicas;
        }
        if (trafficClass.fallBack() == TrafficClass.FallBack.ANY) {
            sentences.add(unwell + "; it has fallen back to " + group.primary() + ", the primary");
            return primary(group);
        }
        sentences.add(unwell + "; it stays there: there is no healthy replica to fall back to");
        return trafficClass.pins();
    }

    private WantedNames.AddressName named(String name, SortedSet<String> members, Group group) {
        TreeSet<String> hosts = new TreeSet<>();
        members.forEach(member -> hosts.addAll(group.hostsOf(member)));
        return new WantedNames.AddressName(name, List.copyOf(hosts), ttlSeconds);
    }

    /** The name that readers use of a group. */
    String readNameOf(String group) {
        return read(group);
    }

    private String written(String group) {
        return writeName.replace(GROUP, group);
    }

    private String read(String group) {
        return readName.replace(GROUP, group);
    }
}
