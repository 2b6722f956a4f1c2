package org.haarbiter.master.admin;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.haarbiter.admin.DnsView;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.PauseView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.WhyView;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Pause;
import org.haarbiter.master.core.RecordsByHand;
import org.jspecify.annotations.Nullable;

/**
 * Makes the API's views from what an arbiter knows. Pure; must be called on the arbiter's thread. {@code nowNanos} is the
 * master's monotonic clock, the one by which the arbiter heard its heartbeats.
 */
public final class Views {
    private Views() {}

    /** The fleet. */
    public static StatusView status(Arbiter arbiter, MasterFacts facts, long nowNanos, long wallMillis) {
        List<GroupSummary> groups = new ArrayList<>();
        for (String name : arbiter.groups()) {
            groups.add(new GroupReading(arbiter, facts, name, nowNanos, wallMillis).summary());
        }
        List<String> problems = mastersProblems(facts);
        problems.addAll(facts.fleetProblems());
        problems.addAll(arbiter.fleetSentences());
        for (EndpointGroup group : arbiter.state().endpoints().values()) {
            for (String problem : new EndpointReading(arbiter, group, facts.sitesByRegion(), nowNanos).problems()) {
                problems.add("endpoints " + group.name() + ": " + problem);
            }
        }
        if (arbiter.groups().isEmpty() && arbiter.state().endpoints().isEmpty()) {
            problems.add("no group is known: no agent has reported (start ha-agent beside a database server, with these"
                    + " masters in its settings)");
        }
        Pause pause = arbiter.state().fleetPause();
        if (pause != null) {
            problems.add("the whole fleet is paused by " + pause.by() + until(pause) + ": " + pause.reason()
                    + " (hactl resume --fleet ends it)");
        }
        return new StatusView(
                facts.cluster(),
                facts.name(),
                facts.leader(),
                facts.term(),
                facts.appliedIndex(),
                facts.masters(),
                pause(pause),
                groups,
                problems);
    }

    /**
     * One group.
     *
     * @throws AdminException of kind {@link AdminException.Kind#NOT_FOUND}
     */
    public static GroupView group(Arbiter arbiter, MasterFacts facts, String name, long nowNanos, long wallMillis)
            throws AdminException {
        checkKnown(arbiter, name);
        return new GroupReading(arbiter, facts, name, nowNanos, wallMillis).view();
    }

    /**
     * What the rules say of one group.
     *
     * @throws AdminException of kind {@link AdminException.Kind#NOT_FOUND}
     */
    public static WhyView why(Arbiter arbiter, MasterFacts facts, String name, long nowNanos, long wallMillis)
            throws AdminException {
        checkKnown(arbiter, name);
        return new GroupReading(arbiter, facts, name, nowNanos, wallMillis).why();
    }

    /**
     * The switch log. Needs no arbiter: the state is immutable, so any thread may call.
     *
     * @throws AdminException of kind {@link AdminException.Kind#NOT_FOUND}
     */
    public static LogView log(ClusterState state, MasterFacts facts, AdminBackend.LogQuery query)
            throws AdminException {
        return SwitchLog.of(state, facts, query);
    }

    /** The masters. */
    public static MastersView masters(MasterFacts facts) {
        return new MastersView(
                facts.cluster(),
                facts.name(),
                facts.leader(),
                facts.term(),
                facts.appliedIndex(),
                facts.masters(),
                mastersProblems(facts));
    }

    /** The DNS names of all groups, or of one. */
    public static DnsView dns(Arbiter arbiter, MasterFacts facts, @Nullable String only) throws AdminException {
        if (only != null && !arbiter.state().endpoints().containsKey(only)) {
            checkKnown(arbiter, only);
        }
        List<DnsView.GroupNames> groups = new ArrayList<>();
        for (Group group : arbiter.state().groups().values()) {
            if (only == null || group.name().equals(only)) {
                groups.add(new DnsView.GroupNames(group.name(), GroupReading.names(group, facts)));
            }
        }
        TreeSet<String> ofEndpoints = new TreeSet<>(arbiter.state().endpoints().keySet());
        ofEndpoints.addAll(arbiter.state().formerEndpoints().keySet());
        for (String name : ofEndpoints) {
            if (only == null || name.equals(only)) {
                groups.add(new DnsView.GroupNames(name, facts.names().getOrDefault(name, NamesView.none())));
            }
        }
        List<DnsView.Records> records = new ArrayList<>();
        for (RecordsByHand set : only == null ? arbiter.state().records().values() : List.<RecordsByHand>of()) {
            records.add(new DnsView.Records(set.name(), set.type(), set.region(), set.ttlSeconds(), set.values()));
        }
        return new DnsView(facts.zone(), facts.zoneKeptBy(), groups, records);
    }

    /** All groups of endpoints. */
    public static EndpointsView endpoints(Arbiter arbiter, MasterFacts facts, long nowNanos) {
        List<EndpointGroupView> groups = new ArrayList<>();
        for (EndpointGroup group : arbiter.state().endpoints().values()) {
            groups.add(new EndpointReading(arbiter, group, facts.sitesByRegion(), nowNanos).view());
        }
        return new EndpointsView(groups);
    }

    /**
     * One group of endpoints.
     *
     * @throws AdminException of kind {@link AdminException.Kind#NOT_FOUND}
     */
    public static EndpointGroupView endpointGroup(Arbiter arbiter, MasterFacts facts, String name, long nowNanos)
            throws AdminException {
        EndpointGroup group = arbiter.state().endpoints().get(name);
        if (group == null) {
            String known = String.join(", ", arbiter.state().endpoints().keySet());
            throw AdminException.notFound("no group of endpoints '" + name + "' ("
                    + (known.isEmpty() ? "there is none" : "known: " + known) + ")");
        }
        return new EndpointReading(arbiter, group, facts.sitesByRegion(), nowNanos).view();
    }

    /** A group's names, from what the publisher last found; for {@link MasterFacts#names}. */
    public static NamesView names(WantedNames wanted, boolean served, String detail, List<ServerReading> readings) {
        return new NamesView(
                served ? "served" : "pending",
                wanted.epoch(),
                0,
                detail,
                wanted.names().stream()
                        .map(n -> new NamesView.Name(n.name(), n.addresses(), n.ttlSeconds(), ""))
                        .toList(),
                readings.stream()
                        .map(r -> new NamesView.Server(
                                r.server(),
                                word(r.state()),
                                r.detail(),
                                r.differences().stream()
                                        .map(d -> new NamesView.Difference(d.name(), d.wanted(), d.served()))
                                        .toList()))
                        .toList());
    }

    private static void checkKnown(Arbiter arbiter, String name) throws AdminException {
        if (!arbiter.groups().contains(name)) {
            throw noGroup(name, arbiter.groups());
        }
    }

    static AdminException noGroup(String name, Iterable<String> known) {
        String names = String.join(", ", known);
        return AdminException.notFound(
                "no group '" + name + "' (" + (names.isEmpty() ? "none is known" : "known: " + names) + ")");
    }

    /** When a pause ends by itself, as a part of a sentence; empty where it doesn't. */
    static String until(Pause pause) {
        return pause.untilMillis() == 0
                ? ""
                : " until " + Instant.ofEpochMilli(pause.untilMillis()).truncatedTo(ChronoUnit.SECONDS);
    }

    static @Nullable PauseView pause(@Nullable Pause pause) {
        return pause == null
                ? null
                : new PauseView(pause.by(), pause.reason(), pause.wallMillis(), pause.untilMillis());
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static List<String> mastersProblems(MasterFacts facts) {
        List<String> problems = new ArrayList<>();
        int voters = facts.masters().size();
        List<MasterView> unreachable = facts.masters().stream()
                .filter(m -> m.state().equals("unreachable"))
                .toList();
        if (facts.leader().isEmpty()) {
            problems.add("there is no leader, so no switch can happen, nothing can be changed, and each primary refuses"
                    + " writes once its permission has run out (bring " + majority(voters) + " of the " + voters
                    + " masters up and within reach of each other)");
        }
        for (MasterView master : unreachable) {
            int spare = voters - unreachable.size() - majority(voters);
            problems.add("master " + master.name() + " (" + master.raft() + ") is unreachable from " + facts.name()
                    + (master.detail().isEmpty() ? "" : ": " + master.detail())
                    + (spare < 0 ? "" : "; " + spare + " more may be lost before switches stop")
                    + " (start it, or replace it with hactl master remove and add)");
        }
        return problems;
    }

    private static int majority(int voters) {
        return voters / 2 + 1;
    }
}
