package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;

/**
 * Which members of a group clients may be sent to, and where, as a leader last found it: with this in the log a group's names follow
 * from the log alone, on every master. Immutable.
 *
 * @param well the members that answer and keep up with the primary
 * @param hosts of members that are clusters, where their nodes serve clients; others serve at their own address
 */
public record Serving(SortedSet<String> well, SortedMap<String, SortedSet<String>> hosts) {

    /** Once a member has come back, the next one of its group does so many silences later: names that flap help nobody. */
    static final int REST_SILENCES = 4;

    /** Copies the collections. */
    public Serving {
        well = Collections.unmodifiableSortedSet(new TreeSet<>(well));
        TreeMap<String, SortedSet<String>> copies = new TreeMap<>();
        hosts.forEach(
                (member, addresses) -> copies.put(member, Collections.unmodifiableSortedSet(new TreeSet<>(addresses))));
        hosts = Collections.unmodifiableSortedMap(copies);
    }

    /** Before a leader has looked: nobody is left out on a guess. */
    static Serving ofAll(SortedSet<String> members) {
        return new Serving(members, new TreeMap<>());
    }

    /**
     * What is found now.
     *
     * @param mayReturn whether the group has rested since somebody came back
     */
    static Serving found(View view, boolean mayReturn) {
        Group group = view.adopted();
        if (group.phase() instanceof Phase.Sealing || group.phase() instanceof Phase.Draining) {
            // Nobody follows anybody now: that tells nothing of where readers should go.
            return group.serving();
        }
        TreeSet<String> well = new TreeSet<>();
        TreeMap<String, SortedSet<String>> hosts = new TreeMap<>();
        for (String member : group.members().keySet()) {
            boolean was = group.serving().well().contains(member);
            if ((was || mayReturn) && well(view, member, was)) {
                well.add(member);
            }
            SortedSet<String> nodes = nodes(view, member);
            if (!nodes.isEmpty()) {
                hosts.put(member, nodes);
            }
        }
        return new Serving(well, hosts);
    }

    private static boolean well(View view, String member, boolean was) {
        Heard last = view.heardOf(member);
        if (view.silent(member) || last == null || !view.fresh(member)) {
            return was && !view.silent(member); // a leader that is new hasn't listened for long enough to know
        }
        if (last.sighting().state() != ServerState.RUNNING) {
            return false;
        }
        Group group = view.adopted();
        if (member.equals(group.primary())) {
            return true;
        }
        // Right after a choice the replicas are on their way to the new primary: that is no reason to send readers
        // away.
        boolean moving = group.phase() instanceof Phase.Promoting || group.phase() instanceof Phase.Preparing;
        boolean replicates = last.sighting().receiving() && last.sighting().applying();
        // One that has fallen behind must have caught up by half, or it would come and go.
        int mostLagMillis =
                was ? view.limits().readMaxLagMillis() : view.limits().readMaxLagMillis() / 2;
        return (moving || replicates) && last.sighting().lagMillis() <= mostLagMillis;
    }

    private static SortedSet<String> nodes(View view, String member) {
        Heard last = view.heardOf(member);
        ClusterNode node = last == null ? null : last.sighting().node();
        if (node == null || node.nodes().isEmpty()) {
            return view.adopted().serving().hosts().getOrDefault(member, Collections.emptySortedSet());
        }
        TreeSet<String> addresses = new TreeSet<>();
        for (Endpoint address : node.nodes().values()) {
            addresses.add(address.host());
        }
        return addresses;
    }

    /** Somebody is well who wasn't. */
    boolean returnsSince(Serving before) {
        return !before.well.containsAll(well);
    }

    /** What has changed since, for people. */
    String changedFrom(Serving before) {
        List<String> changes = new ArrayList<>();
        TreeSet<String> all = new TreeSet<>(well);
        all.addAll(before.well);
        for (String member : all) {
            if (!well.contains(member)) {
                changes.add(member + " is left out");
            } else if (!before.well.contains(member)) {
                changes.add(member + " is back");
            }
        }
        hosts.forEach((member, addresses) -> {
            if (!addresses.equals(before.hosts.get(member))) {
                changes.add(member + " is reached at " + String.join(", ", addresses));
            }
        });
        return String.join("; ", changes);
    }
}
