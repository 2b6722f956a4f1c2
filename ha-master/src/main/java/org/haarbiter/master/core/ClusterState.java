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
 * @param fleetPause pauses every group; null where none
 * @param recent the newest lines of the switch log, oldest first, at most {@link #RECENT_LIMIT}
 */
public record ClusterState(
        SortedMap<String, Group> groups, @Nullable Pause fleetPause, List<AuditEvent> recent) {

    /** How many lines of the switch log are kept in the state, so that a master restored from a snapshot has them. */
    public static final int RECENT_LIMIT = 2_000;

    /** Copies both collections. */
    public ClusterState {
        groups = Collections.unmodifiableSortedMap(new TreeMap<>(groups));
        recent = List.copyOf(recent);
    }

    /** Before the first entry. */
    public static ClusterState empty() {
        return new ClusterState(new TreeMap<>(), null, List.of());
    }

    /** The group, or null. */
    public @Nullable Group group(String name) {
        return groups.get(name);
    }

    ClusterState with(Group group, AuditEvent event) {
        TreeMap<String, Group> changed = new TreeMap<>(groups);
        changed.put(group.name(), group);
        return new ClusterState(changed, fleetPause, appended(event));
    }

    ClusterState withFleetPause(@Nullable Pause pause, AuditEvent event) {
        return new ClusterState(groups, pause, appended(event));
    }

    ClusterState withEvent(AuditEvent event) {
        return new ClusterState(groups, fleetPause, appended(event));
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
