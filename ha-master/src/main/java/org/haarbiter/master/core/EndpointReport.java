package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one master found of the endpoints that it checks. Immutable.
 *
 * @param groups by group of endpoints; one that it hasn't heard of is missing
 */
public record EndpointReport(SortedMap<String, OfGroup> groups) {

    /** Copies the groups. */
    public EndpointReport {
        groups = Collections.unmodifiableSortedMap(new TreeMap<>(groups));
    }

    /**
     * Of one group.
     *
     * @param setIndex {@link EndpointGroup#setIndex} of the group as it was checked: of another it says nothing
     * @param found by endpoint; one of which the master doesn't know, or hasn't known lately, is missing
     */
    public record OfGroup(long setIndex, SortedMap<String, Finding> found) {
        /** Copies the findings. */
        public OfGroup {
            found = Collections.unmodifiableSortedMap(new TreeMap<>(found));
        }
    }

    /**
     * Of one endpoint, after the counts of {@link EndpointCheck#rise} and {@link EndpointCheck#fall}.
     *
     * @param healthy whether it can be used
     * @param detail what the last check met, for people
     */
    public record Finding(boolean healthy, String detail) {}
}
