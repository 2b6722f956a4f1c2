package org.haarbiter.admin;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One switch, put together from the log's entries of one epoch of a group.
 *
 * @param group the group
 * @param epoch the switch's epoch
 * @param kind {@code adoption}, {@code switchover} (planned), {@code manual} (asked for by a person, the log doesn't say
 *     whether it was planned), {@code failover} or {@code unknown}, where the log no longer reaches back to its beginning
 * @param outcome {@code completed}, {@code abandoned} (the old primary stays), {@code superseded} (another switch took over
 *     before it was complete) or {@code under-way}
 * @param trigger what set it off, e.g. {@code PRIMARY_DEAD}; empty for an adoption
 * @param from the primary before; empty for an adoption
 * @param to the primary after; empty while none was chosen
 * @param by the rule or the person
 * @param cause why, as a sentence
 * @param dataLossAccepted a person said that acknowledged writes may be lost
 * @param proof why no acknowledged write is lost, or what may be; empty while no candidate was chosen
 * @param upTo the position that was kept; empty while no candidate was chosen
 * @param startedWallMillis when the first of its entries was proposed
 * @param durationMillis from the first entry to the one that says that the new primary takes writes; -1 before that
 * @param names {@code served} or {@code pending}: whether every DNS server was seen to show this epoch; {@code none} where
 *     the arbiter keeps no names, or a later switch's were shown instead
 * @param phasesMillis durations as the leader measured them, by name, in ms with fractions
 * @param evidence what was last heard of each member when it began
 * @param events the entries, oldest first
 */
public record SwitchView(
        String group,
        long epoch,
        String kind,
        String outcome,
        String trigger,
        String from,
        String to,
        String by,
        String cause,
        boolean dataLossAccepted,
        String proof,
        String upTo,
        long startedWallMillis,
        long durationMillis,
        String names,
        SortedMap<String, Double> phasesMillis,
        SortedMap<String, String> evidence,
        List<EventView> events) {
    /** Copies the collections. */
    public SwitchView {
        phasesMillis = Collections.unmodifiableSortedMap(new TreeMap<>(phasesMillis));
        evidence = Collections.unmodifiableSortedMap(new TreeMap<>(evidence));
        events = List.copyOf(events);
    }
}
