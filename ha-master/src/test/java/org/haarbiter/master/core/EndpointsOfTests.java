package org.haarbiter.master.core;

import java.util.SortedMap;
import java.util.TreeMap;

/** Groups of endpoints as people would set them, for tests. */
final class EndpointsOfTests {
    static final EndpointCheck CHECK =
            new EndpointCheck(EndpointCheck.Kind.TCP, 443, "", "", 0, "", false, 1_000, 500, 2, 3);

    private EndpointGroup.Mode mode = EndpointGroup.Mode.ALL;
    private int minHealthy = 1;
    private final TreeMap<String, Long> loads = new TreeMap<>();
    private final TreeMap<String, CheckedEndpoint> endpoints = new TreeMap<>();

    EndpointsOfTests first() {
        mode = EndpointGroup.Mode.FIRST;
        return this;
    }

    EndpointsOfTests minHealthy(int count) {
        minHealthy = count;
        return this;
    }

    EndpointsOfTests load(String region, long load) {
        loads.put(region, load);
        return this;
    }

    /** The address ends with as many as there are then. */
    EndpointsOfTests with(String name, String site, int weight, int order, long capacity) {
        endpoints.put(
                name,
                new CheckedEndpoint(
                        "10.0.0." + (endpoints.size() + 1),
                        site,
                        weight,
                        order,
                        capacity,
                        CheckedEndpoint.unchecked(false, 0, null)));
        return this;
    }

    EndpointsOfTests with(String name) {
        return with(name, "", 1, 0, 0);
    }

    EndpointsOfTests with(String name, String site) {
        return with(name, site, 1, 0, 0);
    }

    /** As a person would ask for it. */
    EndpointGroup wanted(String name) {
        return new EndpointGroup(name, 5, mode, minHealthy, CHECK, loads, 0, 0, endpoints);
    }

    /** As it is once it was set, at log index 1. */
    EndpointGroup set() {
        return wanted("web").after(null, 1, 0);
    }

    /** As it is once the masters have found those healthy and all others unhealthy. */
    EndpointGroup found(String... healthy) {
        return found(set(), healthy);
    }

    static EndpointGroup found(EndpointGroup group, String... healthy) {
        SortedMap<String, EndpointGroup.Judgement> judgements = new TreeMap<>();
        for (String endpoint : group.endpoints().keySet()) {
            boolean well = java.util.List.of(healthy).contains(endpoint);
            judgements.put(endpoint, new EndpointGroup.Judgement(well, well ? "answered" : "refused"));
        }
        return group.judged(judgements, 1);
    }

    static CheckedEndpoint.ByHand order(CheckedEndpoint.Order order) {
        return new CheckedEndpoint.ByHand(order, "ann", "work", 2);
    }
}
