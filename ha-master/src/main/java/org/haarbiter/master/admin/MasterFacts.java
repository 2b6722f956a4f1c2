package org.haarbiter.master.admin;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.NamesView;

/**
 * What a view needs beside the arbiter.
 *
 * @param cluster the arbiter's identity
 * @param name this master's name
 * @param leader the leader's name; empty while there is none
 * @param term the Raft term
 * @param appliedIndex how far this master has applied the log
 * @param masters every voting member, as this one sees it
 * @param zone the DNS zone that is kept; empty where none is
 * @param zoneKeptBy by what, and where, for people; empty where there is no zone
 * @param sitesByRegion by region of the zone's clients, its sites, the nearest first; empty where there are no regions
 * @param names how it stands with each group's names; a group that isn't in it has none, or this master doesn't lead
 * @param groupProblems sentences by group that no sighting holds: agents that were refused, and why
 * @param fleetProblems sentences about this master: a switch log that can't be written, and the like
 */
public record MasterFacts(
        String cluster,
        String name,
        String leader,
        long term,
        long appliedIndex,
        List<MasterView> masters,
        String zone,
        String zoneKeptBy,
        SortedMap<String, List<String>> sitesByRegion,
        SortedMap<String, NamesView> names,
        SortedMap<String, List<String>> groupProblems,
        List<String> fleetProblems) {
    /** Copies the collections. */
    public MasterFacts {
        masters = List.copyOf(masters);
        sitesByRegion = Collections.unmodifiableSortedMap(new TreeMap<>(sitesByRegion));
        names = Collections.unmodifiableSortedMap(new TreeMap<>(names));
        groupProblems = Collections.unmodifiableSortedMap(new TreeMap<>(groupProblems));
        fleetProblems = List.copyOf(fleetProblems);
    }
}
