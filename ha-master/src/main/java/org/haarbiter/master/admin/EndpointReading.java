package org.haarbiter.master.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.EndpointShares;
import org.jspecify.annotations.Nullable;

/** What a person is told of a group of endpoints. Must be used on the arbiter's thread. */
final class EndpointReading {
    private final Arbiter arbiter;
    private final EndpointGroup group;
    private final long nowNanos;
    private final EndpointShares shares;

    EndpointReading(
            Arbiter arbiter, EndpointGroup group, SortedMap<String, List<String>> sitesByRegion, long nowNanos) {
        this.arbiter = arbiter;
        this.group = group;
        this.nowNanos = nowNanos;
        this.shares = EndpointShares.of(group, sitesByRegion);
    }

    EndpointGroupView view() {
        List<EndpointGroupView.EndpointView> endpoints = new ArrayList<>();
        SortedMap<String, Integer> parts = shares.ofAll(group.loads());
        group.endpoints().forEach((name, each) -> endpoints.add(endpoint(name, each, parts.getOrDefault(name, 0))));
        return new EndpointGroupView(group.name(), settings(), endpoints, shares.perMille(), problems());
    }

    private EndpointGroupView.EndpointView endpoint(String name, CheckedEndpoint each, int sharePerMille) {
        CheckedEndpoint.State state = each.state();
        CheckedEndpoint.ByHand byHand = state.byHand();
        List<EndpointGroupView.Finding> findings = new ArrayList<>();
        arbiter.findingsOf(group, name, nowNanos).forEach((master, finding) -> findings.add(finding(master, finding)));
        return new EndpointGroupView.EndpointView(
                name,
                each.address(),
                each.site(),
                Views.word(state.health()),
                state.sinceMillis(),
                state.why(),
                state.served(),
                byHand == null ? "" : byHand.order().words(),
                byHand == null ? "" : byHand.by(),
                byHand == null ? "" : byHand.reason(),
                sharePerMille,
                findings);
    }

    private static EndpointGroupView.Finding finding(String master, EndpointReport.@Nullable Finding finding) {
        return finding == null
                ? new EndpointGroupView.Finding(master, "unknown", "")
                : new EndpointGroupView.Finding(master, finding.healthy() ? "healthy" : "unhealthy", finding.detail());
    }

    private EndpointsChange settings() {
        EndpointCheck check = group.check();
        TreeMap<String, EndpointsChange.Endpoint> endpoints = new TreeMap<>();
        group.endpoints()
                .forEach((name, each) -> endpoints.put(
                        name,
                        new EndpointsChange.Endpoint(
                                each.address(), each.site(), each.weight(), each.order(), each.capacity())));
        return new EndpointsChange(
                group.ttlSeconds(),
                Views.word(group.mode()),
                group.minHealthy(),
                new EndpointsChange.Check(
                        Views.word(check.kind()),
                        check.port(),
                        check.path(),
                        check.host(),
                        check.expectedStatus(),
                        check.expectedBody(),
                        check.trusted(),
                        check.intervalMillis(),
                        check.timeoutMillis(),
                        check.rise(),
                        check.fall()),
                group.loads(),
                endpoints);
    }

    /** What isn't as it should be. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        for (Map.Entry<String, CheckedEndpoint> each : group.endpoints().entrySet()) {
            String problem = problem(each.getKey(), each.getValue());
            if (!problem.isEmpty()) {
                problems.add(problem);
            }
        }
        problems.addAll(shares.limits());
        if (arbiter.leading()) {
            problems.addAll(checkersProblems());
        }
        if (arbiter.state().fleetPause() != null) {
            problems.add("the fleet is paused: nobody is taken out or brought back by the checks");
        }
        return problems;
    }

    private String problem(String name, CheckedEndpoint each) {
        String at = name + " (" + each.address() + ")";
        if (each.state().health() == CheckedEndpoint.Health.UNHEALTHY) {
            String to = !each.state().served()
                    ? ""
                    : each.state().byHand() == null
                            ? ", and clients are sent to it all the same, since there are fewer than "
                                    + Math.max(1, group.minHealthy()) + " healthy ones"
                            : ", and clients are sent to it all the same, since it is held in";
            return at + " is unhealthy" + to + ": " + each.state().why();
        }
        return each.state().health() == CheckedEndpoint.Health.UNCHECKED
                ? at + " hasn't been judged yet: most masters must have looked at it"
                : "";
    }

    /** Where so few masters say anything that nothing can be judged, or they don't agree. */
    private List<String> checkersProblems() {
        List<String> problems = new ArrayList<>();
        TreeMap<String, Integer> silent = new TreeMap<>();
        int masters = 0;
        for (String name : group.endpoints().keySet()) {
            List<String> healthy = new ArrayList<>();
            List<String> unhealthy = new ArrayList<>();
            Map<String, EndpointReport.@Nullable Finding> findings = arbiter.findingsOf(group, name, nowNanos);
            masters = findings.size();
            findings.forEach((master, finding) -> {
                if (finding == null) {
                    silent.merge(master, 1, Integer::sum);
                } else if (finding.healthy()) {
                    healthy.add(master);
                } else {
                    unhealthy.add(master + ": " + finding.detail());
                }
            });
            if (!healthy.isEmpty() && !unhealthy.isEmpty()) {
                problems.add("masters don't agree about " + name + ": " + String.join(", ", healthy)
                        + " can use it, and " + String.join("; ", unhealthy) + " (look at the network between them)");
            }
        }
        silent.values().removeIf(count -> count < group.endpoints().size());
        if (masters - silent.size() < masters / 2 + 1) {
            problems.add("too few masters say what they find, so nothing is judged: nothing from "
                    + String.join(", ", silent.keySet()) + " of " + masters + " (hactl status tells how they are)");
        }
        return problems;
    }
}
