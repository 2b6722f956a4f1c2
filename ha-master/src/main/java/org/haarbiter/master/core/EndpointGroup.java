package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Addresses of something that isn't a database, such as an application's front or ways out to the world, of which a DNS name holds
 * those that can be used. The masters check each; what a quorum of them finds is decided by the leader and stands in the log.
 * Immutable.
 *
 * <p>Which endpoints are {@link CheckedEndpoint.State#served served} follows from the state before and what was found: those that
 * are fit, where there are {@code minHealthy} of them and one at least. Where there are fewer, nobody more is taken out: those
 * that were served stay, however they are, and whoever is fit is added. So a name is never empty, and a fault that all endpoints, or
 * the masters' network, have at once moves nobody.
 *
 * @param name its own, and its name in the DNS, relative to the zone
 * @param ttlSeconds for how long resolvers may keep the name, 0 to 86400
 * @param mode which of the endpoints that are served the name holds
 * @param minHealthy with fewer fit endpoints nobody is taken out; 0 is as 1
 * @param check of each
 * @param loads by region, how much its clients send at the most, in the unit of the endpoints' capacities; under the empty name, what
 *     comes from those of no region; what isn't named isn't told, and not limited
 * @param setIndex the log index of the entry by which a person last set it
 * @param namesIndex the log index of the newest entry by which its name may hold something else
 * @param endpoints by name
 */
public record EndpointGroup(
        String name,
        int ttlSeconds,
        Mode mode,
        int minHealthy,
        EndpointCheck check,
        SortedMap<String, Long> loads,
        long setIndex,
        long namesIndex,
        SortedMap<String, CheckedEndpoint> endpoints) {

    /** A group has so many endpoints at most. */
    public static final int MOST_ENDPOINTS = 64;

    /** All groups together have so many endpoints at most: each master tells the leader of every one. */
    public static final int MOST_IN_ALL = 2_000;

    /** What a quorum of masters found of an endpoint, and why. */
    public record Judgement(boolean healthy, String why) {}

    /** Which endpoints the name holds. */
    public enum Mode {
        /** All that are served. */
        ALL,
        /** Those of the lowest {@link CheckedEndpoint#order} of which any is served. */
        FIRST
    }

    /** Copies the collections. */
    public EndpointGroup {
        loads = Collections.unmodifiableSortedMap(new TreeMap<>(loads));
        endpoints = Collections.unmodifiableSortedMap(new TreeMap<>(endpoints));
    }

    /** Why there can't be such a group, as a sentence with the setting and its value; null where there can. */
    public @Nullable String problem() {
        if (ttlSeconds < 0 || ttlSeconds > 86_400) {
            return "ttl-seconds: " + ttlSeconds + " (must be 0 to 86400)";
        }
        if (endpoints.isEmpty() || endpoints.size() > MOST_ENDPOINTS) {
            return "endpoints: " + endpoints.size() + " (must be 1 to " + MOST_ENDPOINTS + ")";
        }
        if (minHealthy < 0 || minHealthy > endpoints.size()) {
            return "min-healthy: " + minHealthy + " (must be 0 to " + endpoints.size() + ", as many as there are)";
        }
        String inCheck = check.problem();
        if (inCheck != null) {
            return "check: " + inCheck;
        }
        TreeMap<String, String> byAddress = new TreeMap<>();
        boolean capacities = false;
        for (Map.Entry<String, CheckedEndpoint> each : endpoints.entrySet()) {
            String problem = each.getValue().problem();
            if (problem != null) {
                return "endpoint " + each.getKey() + ": " + problem;
            }
            String twin = byAddress.put(each.getValue().address(), each.getKey());
            if (twin != null) {
                return "endpoint " + each.getKey() + ": address: "
                        + each.getValue().address() + " (is that of " + twin + " already)";
            }
            capacities |= each.getValue().capacity() > 0;
        }
        for (Map.Entry<String, Long> load : loads.entrySet()) {
            if (load.getValue() < 1 || load.getValue() > CheckedEndpoint.MOST_CAPACITY) {
                return "load of " + (load.getKey().isEmpty() ? "everybody" : "region " + load.getKey()) + ": "
                        + load.getValue() + " (must be 1 to " + CheckedEndpoint.MOST_CAPACITY + ")";
            }
        }
        if (!loads.isEmpty() && !capacities) {
            return "loads: " + loads + " (need the capacity of an endpoint at least to be held against)";
        }
        return keptOutProblem();
    }

    /** Why a person may not order that; null where nothing speaks against it. */
    public @Nullable String orderProblem(String endpoint, CheckedEndpoint.@Nullable ByHand order) {
        CheckedEndpoint present = endpoints.get(endpoint);
        if (present == null) {
            return "no endpoint '" + endpoint + "' in '" + name + "' (known: " + String.join(", ", endpoints.keySet())
                    + ")";
        }
        if (order == null || !order.order().keepsOut() || present.keptOut()) {
            return null;
        }
        boolean other = endpoints.entrySet().stream()
                .anyMatch(each ->
                        !each.getKey().equals(endpoint) && each.getValue().fit());
        return other
                ? null
                : "no other endpoint of '" + name
                        + "' is healthy, and a name must lead somewhere (mend another, or hold"
                        + " one in: hactl endpoint hold " + name + " ENDPOINT --in)";
    }

    private @Nullable String keptOutProblem() {
        return endpoints.values().stream().allMatch(CheckedEndpoint::keptOut)
                ? "endpoints: " + String.join(", ", endpoints.keySet())
                        + " (one at least must not be drained or held out: a name must lead somewhere)"
                : null;
    }

    /**
     * As a person sets it, with what is known of endpoints that stay. In a new group clients are sent to everybody until somebody has
     * looked; one that joins later, or has moved, waits until it was found healthy.
     *
     * @param before the group of this name; null where there is none
     */
    EndpointGroup after(@Nullable EndpointGroup before, long index, long wallMillis) {
        TreeMap<String, CheckedEndpoint> merged = new TreeMap<>();
        endpoints.forEach((endpoint, wanted) -> {
            CheckedEndpoint was = before == null ? null : before.endpoints.get(endpoint);
            boolean moved = was != null && !was.address().equals(wanted.address());
            CheckedEndpoint.State state;
            if (was == null || moved) {
                CheckedEndpoint.ByHand byHand = was == null ? null : was.state().byHand();
                state = CheckedEndpoint.unchecked(before == null, wallMillis, byHand);
            } else if (before != null && !before.check.equals(check)) {
                // What another check found tells nothing of this one; whoever serves goes on until it has looked.
                state = CheckedEndpoint.unchecked(
                        was.state().served(), wallMillis, was.state().byHand());
            } else {
                state = was.state();
            }
            merged.put(endpoint, wanted.withState(state));
        });
        return new EndpointGroup(
                name,
                ttlSeconds,
                mode,
                minHealthy,
                check,
                loads,
                index,
                before == null ? 0 : before.namesIndex,
                settled(merged));
    }

    /** After the masters found so much of these endpoints; those that it doesn't have any more are left out. */
    EndpointGroup judged(SortedMap<String, Judgement> judgements, long wallMillis) {
        TreeMap<String, CheckedEndpoint> judged = new TreeMap<>(endpoints);
        judgements.forEach((endpoint, found) -> judged.computeIfPresent(
                endpoint,
                (key, was) -> was.withState(new CheckedEndpoint.State(
                        found.healthy() ? CheckedEndpoint.Health.HEALTHY : CheckedEndpoint.Health.UNHEALTHY,
                        found.why(),
                        wallMillis,
                        was.state().served(),
                        was.state().byHand()))));
        return withEndpoints(settled(judged));
    }

    /** After a person's order, or its end where null. */
    EndpointGroup ordered(String endpoint, CheckedEndpoint.@Nullable ByHand order) {
        TreeMap<String, CheckedEndpoint> ordered = new TreeMap<>(endpoints);
        ordered.computeIfPresent(endpoint, (key, was) -> was.withByHand(order));
        return withEndpoints(settled(ordered));
    }

    private EndpointGroup withEndpoints(SortedMap<String, CheckedEndpoint> changed) {
        return new EndpointGroup(name, ttlSeconds, mode, minHealthy, check, loads, setIndex, namesIndex, changed);
    }

    /** As its name may hold something else since that entry. */
    EndpointGroup named(long index) {
        return new EndpointGroup(name, ttlSeconds, mode, minHealthy, check, loads, setIndex, index, endpoints);
    }

    private SortedMap<String, CheckedEndpoint> settled(SortedMap<String, CheckedEndpoint> found) {
        long fit = found.values().stream().filter(CheckedEndpoint::fit).count();
        boolean enough = fit >= Math.max(1, minHealthy);
        TreeMap<String, CheckedEndpoint> settled = new TreeMap<>();
        found.forEach((endpoint, each) -> settled.put(
                endpoint, each.withServed(each.fit() || (!enough && each.state().served() && !each.keptOut()))));
        if (settled.values().stream().noneMatch(each -> each.state().served())) {
            // Whoever served is gone, by a person's hand: better one that may not answer than none.
            settled.replaceAll((endpoint, each) -> each.withServed(!each.keptOut()));
        }
        return settled;
    }

    /** The endpoints that clients may be sent to. */
    public SortedSet<String> served() {
        TreeSet<String> names = new TreeSet<>();
        endpoints.forEach((endpoint, each) -> {
            if (each.state().served()) {
                names.add(endpoint);
            }
        });
        return Collections.unmodifiableSortedSet(names);
    }

    /** Those that are served only because too few are fit. */
    public SortedSet<String> keptForWantOfBetter() {
        TreeSet<String> names = new TreeSet<>(served());
        names.removeIf(endpoint -> {
            CheckedEndpoint each = endpoints.get(endpoint);
            return each != null && each.fit();
        });
        return Collections.unmodifiableSortedSet(names);
    }

    /**
     * Which addresses the name holds, never none.
     *
     * @param sitesByRegion by region, its sites, the nearest first; without any, the name is the same for everybody
     * @return by region, and under the empty name for clients of no region, sorted
     */
    public SortedMap<String, List<String>> addresses(SortedMap<String, List<String>> sitesByRegion) {
        TreeMap<String, List<String>> addresses = new TreeMap<>();
        EndpointShares.of(this, sitesByRegion).perMille().forEach((region, shares) -> {
            TreeSet<String> held = new TreeSet<>();
            for (String endpoint : shares.keySet()) {
                CheckedEndpoint each = endpoints.get(endpoint);
                if (each != null) {
                    held.add(each.address());
                }
            }
            addresses.put(region, List.copyOf(held));
        });
        return addresses;
    }

    /** The name holds the same as that of the other. */
    boolean namedAs(EndpointGroup other) {
        if (ttlSeconds != other.ttlSeconds
                || mode != other.mode
                || !loads.equals(other.loads)
                || !endpoints.keySet().equals(other.endpoints.keySet())) {
            return false;
        }
        return endpoints.entrySet().stream().allMatch(each -> {
            CheckedEndpoint there = other.endpoints.get(each.getKey());
            return there != null
                    && there.withState(each.getValue().state()).equals(each.getValue())
                    && there.state().served() == each.getValue().state().served();
        });
    }

    /** What has changed since, for people; empty where nothing has that they could see. */
    String changedFrom(EndpointGroup before) {
        List<String> changes = new ArrayList<>();
        endpoints.forEach((endpoint, each) -> {
            CheckedEndpoint was = before.endpoints.get(endpoint);
            if (was == null || was.state().equals(each.state())) {
                return;
            }
            List<String> words = new ArrayList<>();
            if (was.state().health() != each.state().health()) {
                words.add("is "
                        + (each.state().health() == CheckedEndpoint.Health.HEALTHY ? "healthy" : "unhealthy")
                        + " (" + each.state().why() + ")");
            }
            if (was.state().served() != each.state().served()) {
                words.add(each.state().served() ? "clients are sent to it" : "no clients are sent to it any more");
            } else if (each.state().served() && !each.fit()) {
                words.add("clients are sent to it all the same, since fewer than " + Math.max(1, minHealthy)
                        + " would be left");
            } else if (each.state().byHand() != null) {
                words.add("it stays " + each.state().byHand().order().words());
            }
            changes.add(endpoint + " " + String.join(", ", words));
        });
        return String.join("; ", changes);
    }

    /** For people. */
    public String words() {
        List<String> each = new ArrayList<>();
        endpoints.forEach((endpoint, at) ->
                each.add(endpoint + " " + at.address() + (at.site().isEmpty() ? "" : " in " + at.site())));
        return String.join(", ", each) + "; " + (mode == Mode.ALL ? "all" : "the first") + " of the healthy, "
                + Math.max(1, minHealthy) + " at least; " + check.words() + " every " + check.intervalMillis() + " ms";
    }
}
