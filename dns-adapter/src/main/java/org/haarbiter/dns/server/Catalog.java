package org.haarbiter.dns.server;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that queries are answered from, at one moment. Immutable; any thread.
 *
 * @param zones the longest names first, so that the first that fits is the closest
 * @param regions which addresses are in which region
 * @param notCaughtUp why this server doesn't answer, as a sentence; empty where it does
 */
record Catalog(List<Zone> zones, RegionTable regions, String notCaughtUp) {

    /** A zone that is this server's to answer for, whether it knows it yet or not. */
    static final class Zone {
        final String name;
        final byte[] origin;
        final int hash;
        /** Null until it is served for the first time. */
        final @Nullable ZoneSnapshot snapshot;

        Zone(String name, @Nullable ZoneSnapshot snapshot) {
            this.name = name;
            this.origin = WireName.of(name);
            this.hash = WireName.hash(origin);
            this.snapshot = snapshot;
        }
    }

    Catalog {
        List<Zone> sorted = new ArrayList<>(zones);
        sorted.sort(Comparator.comparingInt((Zone zone) -> zone.origin.length).reversed());
        zones = List.copyOf(sorted);
    }

    /** The zone of exactly this name; null where there is none. */
    @Nullable
    Zone zone(String name) {
        for (Zone zone : zones) {
            if (zone.name.equals(name)) {
                return zone;
            }
        }
        return null;
    }

    Catalog with(ZoneSnapshot snapshot) {
        List<Zone> changed = new ArrayList<>();
        for (Zone zone : zones) {
            changed.add(zone.name.equals(snapshot.contents.origin()) ? new Zone(zone.name, snapshot) : zone);
        }
        return new Catalog(changed, regions, notCaughtUp);
    }

    Catalog with(RegionTable table) {
        return new Catalog(zones, table, notCaughtUp);
    }

    Catalog notCaughtUp(String sentence) {
        return new Catalog(zones, regions, sentence);
    }
}
