package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What each master says of the endpoints, and what follows: an endpoint's health changes when most of all masters that the
 * settings name say so, each of them lately. Whoever says nothing, or speaks of a group as it was before it was last set, counts
 * for neither side, so a master that is cut off from an endpoint, or from the leader, moves nobody. Confined to the arbiter's thread.
 */
final class EndpointVotes {
    /** So many endpoints are judged at once at most: an entry has its bounds, and the rest is judged after the next report. */
    private static final int MOST_AT_ONCE = 256;

    private record Given(EndpointReport report, long askedNanos) {}

    private final Masters masters;
    private final long lastingNanos;
    private final TreeMap<String, Given> given = new TreeMap<>();

    /** @param lastingNanos what a master said counts for so long after it was asked */
    EndpointVotes(Masters masters, long lastingNanos) {
        this.masters = masters;
        this.lastingNanos = lastingNanos;
    }

    /** What was said to an earlier leader counts no more. */
    void forget() {
        given.clear();
    }

    /** A master has said what it finds; this one itself among them. */
    void reported(String master, EndpointReport report, long askedNanos) {
        Given before = given.get(master);
        boolean known = master.equals(masters.self()) || masters.others().contains(master);
        if (known && (before == null || before.askedNanos() < askedNanos)) {
            given.put(master, new Given(report, askedNanos));
        }
    }

    /** How many masters must agree. */
    int quorum() {
        return checkers().size() / 2 + 1;
    }

    SortedSet<String> checkers() {
        TreeSet<String> names = new TreeSet<>(masters.others());
        names.add(masters.self());
        return names;
    }

    /** What each master says of an endpoint now; null for one that says nothing. */
    SortedMap<String, EndpointReport.@Nullable Finding> of(EndpointGroup group, String endpoint, long nowNanos) {
        TreeMap<String, EndpointReport.@Nullable Finding> findings = new TreeMap<>();
        for (String master : checkers()) {
            Given said = given.get(master);
            EndpointReport.OfGroup found = said == null || nowNanos - said.askedNanos() > lastingNanos
                    ? null
                    : said.report().groups().get(group.name());
            findings.put(
                    master,
                    found == null || found.setIndex() != group.setIndex()
                            ? null
                            : found.found().get(endpoint));
        }
        return findings;
    }

    /** What is to be decided, by group and endpoint; empty where nothing changes. */
    SortedMap<String, SortedMap<String, EndpointGroup.Judgement>> judge(
            SortedMap<String, EndpointGroup> groups, long nowNanos) {
        TreeMap<String, SortedMap<String, EndpointGroup.Judgement>> judgements = new TreeMap<>();
        int judged = 0;
        for (EndpointGroup group : groups.values()) {
            TreeMap<String, EndpointGroup.Judgement> ofGroup = new TreeMap<>();
            group.endpoints().forEach((endpoint, each) -> {
                EndpointGroup.Judgement found = judge(each.state().health(), of(group, endpoint, nowNanos));
                if (found != null) {
                    ofGroup.put(endpoint, found);
                }
            });
            if (!ofGroup.isEmpty()) {
                judgements.put(group.name(), ofGroup);
                judged += ofGroup.size();
            }
            if (judged >= MOST_AT_ONCE) {
                break;
            }
        }
        return judgements;
    }

    private EndpointGroup.@Nullable Judgement judge(
            CheckedEndpoint.Health present, SortedMap<String, EndpointReport.@Nullable Finding> findings) {
        List<String> healthy = new ArrayList<>();
        List<String> unhealthy = new ArrayList<>();
        findings.forEach((master, finding) -> {
            if (finding != null) {
                (finding.healthy() ? healthy : unhealthy).add(master + ": " + finding.detail());
            }
        });
        if (unhealthy.size() >= quorum()) {
            return present == CheckedEndpoint.Health.UNHEALTHY
                    ? null
                    : new EndpointGroup.Judgement(false, String.join("; ", unhealthy));
        }
        return healthy.size() < quorum() || present == CheckedEndpoint.Health.HEALTHY
                ? null
                : new EndpointGroup.Judgement(true, String.join("; ", healthy));
    }
}
