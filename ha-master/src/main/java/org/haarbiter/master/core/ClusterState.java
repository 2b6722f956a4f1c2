package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the log says. Immutable; the same on every master at the same index.
 *
 * @param groups by name
 * @param expected by name: groups that aren't adopted yet and for whose agents adoption waits; never one of the above
 * @param fleetPause pauses every group; null where none
 * @param records what people have put into the zone, by {@link RecordsByHand#key}
 * @param endpoints groups of endpoints by name; no database, traffic class or address by hand has the name of one
 * @param formerEndpoints by name, groups of endpoints that were removed, and maybe are in the DNS yet, with the log index of the
 *     entry that did so
 * @param namesIndex the log index of the newest entry by which DNS names may have changed; 0 before the first
 * @param recent the newest lines of the switch log, oldest first, at most {@link #RECENT_LIMIT}
 */
public record ClusterState(
        SortedMap<String, Group> groups,
        SortedMap<String, Expected> expected,
        @Nullable Pause fleetPause,
        SortedMap<String, RecordsByHand> records,
        SortedMap<String, EndpointGroup> endpoints,
        SortedMap<String, Long> formerEndpoints,
        long namesIndex,
        List<AuditEvent> recent) {

    /** How many lines of the switch log are kept in the state, so that a master restored from a snapshot has them. */
    public static final int RECENT_LIMIT = 2_000;

    /** Copies the collections. */
    public ClusterState {
        groups = Collections.unmodifiableSortedMap(new TreeMap<>(groups));
        expected = Collections.unmodifiableSortedMap(new TreeMap<>(expected));
        records = Collections.unmodifiableSortedMap(new TreeMap<>(records));
        endpoints = Collections.unmodifiableSortedMap(new TreeMap<>(endpoints));
        formerEndpoints = Collections.unmodifiableSortedMap(new TreeMap<>(formerEndpoints));
        recent = List.copyOf(recent);
    }

    /** Before the first entry. */
    public static ClusterState empty() {
        return new ClusterState(
                new TreeMap<>(),
                new TreeMap<>(),
                null,
                new TreeMap<>(),
                new TreeMap<>(),
                new TreeMap<>(),
                0,
                List.of());
    }

    /** The group, or null. */
    public @Nullable Group group(String name) {
        return groups.get(name);
    }

    /** The group that has this traffic class, or a removed one whose name is still to go; null where none has. */
    public @Nullable Group groupOfClass(String name) {
        return groups.values().stream()
                .filter(group -> group.classes().containsKey(name))
                .findFirst()
                .orElse(null);
    }

    /** The group that is expected under this name, or null. */
    public @Nullable Expected expectedGroup(String name) {
        return expected.get(name);
    }

    ClusterState with(Group group, AuditEvent event) {
        TreeMap<String, Group> changed = new TreeMap<>(groups);
        Group before = changed.put(group.name(), group);
        boolean sameNames = before != null && before.namedAs(group);
        return new ClusterState(
                changed,
                expected,
                fleetPause,
                records,
                endpoints,
                formerEndpoints,
                sameNames ? namesIndex : event.index(),
                appended(event));
    }

    ClusterState withServing(SortedMap<String, Group> newGroups, AuditEvent event) {
        TreeMap<String, Group> changed = new TreeMap<>(groups);
        changed.putAll(newGroups);
        return new ClusterState(
                changed, expected, fleetPause, records, endpoints, formerEndpoints, event.index(), appended(event));
    }

    ClusterState withRecords(RecordsByHand set, AuditEvent event) {
        TreeMap<String, RecordsByHand> changed = new TreeMap<>(records);
        if (set.values().isEmpty()) {
            changed.remove(set.key());
        } else {
            changed.put(set.key(), set);
        }
        return new ClusterState(
                groups, expected, fleetPause, changed, endpoints, formerEndpoints, event.index(), appended(event));
    }

    /** With these groups of endpoints instead of those of the same names. */
    ClusterState withEndpoints(Iterable<EndpointGroup> changes, AuditEvent event) {
        TreeMap<String, EndpointGroup> changed = new TreeMap<>(endpoints);
        TreeMap<String, Long> former = new TreeMap<>(formerEndpoints);
        boolean sameNames = true;
        for (EndpointGroup group : changes) {
            EndpointGroup before = endpoints.get(group.name());
            boolean same = before != null && before.namedAs(group);
            changed.put(group.name(), same ? group : group.named(event.index()));
            former.remove(group.name());
            sameNames &= same;
        }
        return withEndpoints(changed, former, sameNames ? namesIndex : event.index(), event);
    }

    ClusterState withoutEndpoints(String name, AuditEvent event) {
        TreeMap<String, EndpointGroup> left = new TreeMap<>(endpoints);
        left.remove(name);
        TreeMap<String, Long> former = new TreeMap<>(formerEndpoints);
        former.put(name, event.index());
        return withEndpoints(left, former, event.index(), event);
    }

    /** These names of removed groups of endpoints aren't in the DNS any more. */
    ClusterState withoutFormerEndpoints(Iterable<String> names, AuditEvent event) {
        TreeMap<String, Long> former = new TreeMap<>(formerEndpoints);
        names.forEach(former::remove);
        return withEndpoints(endpoints, former, event.index(), event);
    }

    private ClusterState withEndpoints(
            SortedMap<String, EndpointGroup> changed, SortedMap<String, Long> former, long index, AuditEvent event) {
        return new ClusterState(groups, expected, fleetPause, records, changed, former, index, appended(event));
    }

    /** A group that is adopted is expected no more. */
    ClusterState withAdopted(Group group, AuditEvent event) {
        return without(group.name()).with(group, event);
    }

    ClusterState withExpected(Expected group, AuditEvent event) {
        TreeMap<String, Expected> changed = new TreeMap<>(expected);
        changed.put(group.group(), group);
        return new ClusterState(
                groups, changed, fleetPause, records, endpoints, formerEndpoints, namesIndex, appended(event));
    }

    ClusterState withoutExpected(String group, AuditEvent event) {
        return without(group).withEvent(event);
    }

    private ClusterState without(String name) {
        TreeMap<String, Expected> left = new TreeMap<>(expected);
        left.remove(name);
        return new ClusterState(groups, left, fleetPause, records, endpoints, formerEndpoints, namesIndex, recent);
    }

    ClusterState withFleetPause(@Nullable Pause pause, AuditEvent event) {
        return new ClusterState(
                groups, expected, pause, records, endpoints, formerEndpoints, namesIndex, appended(event));
    }

    ClusterState withEvent(AuditEvent event) {
        return new ClusterState(
                groups, expected, fleetPause, records, endpoints, formerEndpoints, namesIndex, appended(event));
    }

    private List<AuditEvent> appended(AuditEvent event) {
        List<AuditEvent> events = new ArrayList<>(recent.size() + 1);
        events.addAll(
                recent.size() < RECENT_LIMIT
                        ? recent
                        : recent.subList(recent.size() - RECENT_LIMIT + 1, recent.size()));
        events.add(event);
        return events;
    }
}
