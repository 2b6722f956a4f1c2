package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The quorum as the settings name it.
 *
 * @param self this master's name
 * @param sites where each master stands, by name; empty text where that isn't told
 */
public record Masters(String self, SortedMap<String, String> sites) {

    /** A master that knows of no other. */
    public static final Masters ALONE = new Masters("m1", new TreeMap<>());

    /** Copies the sites. */
    public Masters {
        sites = Collections.unmodifiableSortedMap(new TreeMap<>(sites));
    }

    /** Every master but this one. */
    public SortedSet<String> others() {
        TreeSet<String> names = new TreeSet<>(sites.keySet());
        names.remove(self);
        return names;
    }

    /** Whose word counts as that of another site: the masters of other sites; where there are none, all others. */
    SortedSet<String> elsewhere() {
        String own = sites.getOrDefault(self, "");
        TreeSet<String> names = new TreeSet<>(others());
        names.removeIf(name -> sites.getOrDefault(name, "").equals(own));
        return names.isEmpty() ? others() : names;
    }
}
