package org.haarbiter.admin;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A group of endpoints. {@code GET /v1/endpoints/NAME}.
 *
 * @param name its own, and its name in the DNS, relative to the zone
 * @param settings what a person has set
 * @param endpoints in the order of their names
 * @param shares by region (empty name: clients of no region) and endpoint, its part of that region's traffic in thousandths
 * @param problems sentences, each with what to do; empty while all is well
 */
public record EndpointGroupView(
        String name,
        EndpointsChange settings,
        List<EndpointView> endpoints,
        SortedMap<String, SortedMap<String, Integer>> shares,
        List<String> problems) {

    /** Copies the collections. */
    public EndpointGroupView {
        endpoints = List.copyOf(endpoints);
        shares = Collections.unmodifiableSortedMap(new TreeMap<>(shares));
        problems = List.copyOf(problems);
    }

    /**
     * One endpoint.
     *
     * @param name its name in the group
     * @param address where it is
     * @param site where it stands; empty where that isn't told
     * @param health what a quorum of masters found: "healthy", "unhealthy" or "unchecked"
     * @param sinceMillis since when, on the then leader's wall clock
     * @param why what the masters said then
     * @param served whether clients may be sent to it
     * @param byHand {@code drained}, {@code held in} or {@code held out}; empty where nobody has ordered anything
     * @param by who has; empty where nobody
     * @param reason why; empty where nobody
     * @param sharePerMille its part of all traffic, in thousandths
     * @param findings what each master finds now; empty where a follower is asked
     */
    public record EndpointView(
            String name,
            String address,
            String site,
            String health,
            long sinceMillis,
            String why,
            boolean served,
            String byHand,
            String by,
            String reason,
            int sharePerMille,
            List<Finding> findings) {
        /** Copies the list. */
        public EndpointView {
            findings = List.copyOf(findings);
        }
    }

    /**
     * What one master finds.
     *
     * @param master its name
     * @param says "healthy", "unhealthy" or "unknown"
     * @param detail what its last check met; empty where it says nothing
     */
    public record Finding(String master, String says, String detail) {}
}
