package org.haarbiter.master.daemon;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointShares;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Standing;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;

/** What Prometheus reads of a master. Called on the loop's thread, but for {@link #publishedNames}. */
final class MasterMetrics {
    private static final String SUFFIX = "_micros";

    private final Gauge leader;
    private final Gauge groups;
    private final Gauge groupEpoch;
    private final Gauge memberUp;
    private final Gauge dnsPending;
    private final Gauge dnsServerBehind;
    private final Counter switches;
    private final Counter refused;
    private final Histogram phases;
    private final Gauge endpointHealthy;
    private final Gauge endpointShareLimited;
    private final Counter dropped;
    private final Gauge writable;
    private final Gauge candidates;
    private final Gauge auditFailing;
    private final Gauge unheard;
    private final Gauge doubting;
    private final Gauge waiting;

    MasterMetrics(CollectorRegistry registry) {
        leader = Gauge.build("ha_master_leader", "1 where this master leads, otherwise 0")
                .register(registry);
        groups = Gauge.build("ha_groups", "groups that are steady, switching or not-adopted; leader only")
                .labelNames("state")
                .register(registry);
        groupEpoch = Gauge.build(
                        "ha_group_epoch", "the group's epoch, a number that grows with each switch; on every master")
                .labelNames("group")
                .register(registry);
        memberUp = Gauge.build(
                        "ha_member_up",
                        "1 where the server answers its agent, and the agent is heard, otherwise 0; leader only")
                .labelNames("group", "member", "site")
                .register(registry);
        writable = Gauge.build(
                        "ha_group_writable",
                        "1 where the leader hears that the group's primary is open for writes, otherwise 0; leader only")
                .labelNames("group")
                .register(registry);
        candidates = Gauge.build(
                        "ha_group_candidates",
                        "replicas that could take over now: electable, heard, running, with whole data; leader only")
                .labelNames("group")
                .register(registry);
        auditFailing = Gauge.build(
                        "ha_audit_failing", "1 while the file of the switch log can't be written, otherwise 0")
                .register(registry);
        dnsPending = Gauge.build(
                        "ha_dns_pending",
                        "1 while the group's names aren't yet shown by every DNS server, otherwise 0; leader only")
                .labelNames("group")
                .register(registry);
        dnsServerBehind = Gauge.build(
                        "ha_dns_server_groups_behind",
                        "groups whose names this authoritative server doesn't show as they should be, or of which it can't be asked; leader only")
                .labelNames("server")
                .register(registry);
        switches = Counter.build(
                        "ha_switches_total",
                        "entries of the switch log that this master committed as leader since its start")
                .labelNames("group", "kind")
                .register(registry);
        refused = Counter.build(
                        "ha_heartbeats_refused_total",
                        "heartbeats that weren't believed: two agents with one name, a changed address")
                .register(registry);
        endpointHealthy = Gauge.build(
                        "ha_endpoint_healthy",
                        "1 where a quorum of masters found the endpoint of a group of endpoints healthy, otherwise 0; on every master")
                .labelNames("group", "endpoint")
                .register(registry);
        endpointShareLimited = Gauge.build(
                        "ha_endpoint_group_share_limited",
                        "1 while the capacities of a group's endpoints keep clients from where they would go, otherwise 0; on every master")
                .labelNames("group")
                .register(registry);
        dropped = Counter.build("ha_heartbeats_dropped_total", "heartbeats dropped because the loop couldn't keep up")
                .register(registry);
        unheard = Gauge.build(
                        "ha_members_unheard", "members of adopted groups that the leader doesn't hear; 0 on others")
                .register(registry);
        doubting = Gauge.build(
                        "ha_leader_doubts",
                        "1 while so many primaries are silent at once that the leader suspects itself, otherwise 0")
                .register(registry);
        waiting = Gauge.build("ha_switches_waiting", "groups that wait for their turn to switch; 0 but on the leader")
                .register(registry);
        phases = Histogram.build("ha_switch_phase_seconds", "duration of each phase of a switch, as the leader saw it")
                .labelNames("phase")
                .buckets(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
                .register(registry);
    }

    void leading(boolean leads) {
        leader.set(leads ? 1 : 0);
        if (!leads) {
            groups.clear();
            memberUp.clear();
            writable.clear();
            candidates.clear();
            dnsPending.clear();
            dnsServerBehind.clear();
            unheard.set(0);
            doubting.set(0);
            waiting.set(0);
        }
    }

    /** An entry was applied; {@code leads} keeps a restart's second reading of the log out of the counters. */
    void applied(ClusterState after, Iterable<AuditEvent> events, boolean leads) {
        after.groups().forEach((name, group) -> groupEpoch.labels(name).set((double) group.epoch()));
        if (!leads) {
            return;
        }
        for (AuditEvent event : events) {
            switches.labels(event.group(), event.kind()).inc();
            if (event.kind().equals("switch-completed") || event.kind().equals("names-published")) {
                for (Map.Entry<String, String> detail : event.details().entrySet()) {
                    if (detail.getKey().endsWith(SUFFIX)) {
                        String phase =
                                detail.getKey().substring(0, detail.getKey().length() - SUFFIX.length());
                        phases.labels(phase).observe(Long.parseLong(detail.getValue()) / 1e6);
                    }
                }
            }
        }
    }

    /** The endpoints are these now. */
    void endpoints(SortedMap<String, EndpointGroup> groups, SortedMap<String, List<String>> sitesByRegion) {
        endpointHealthy.clear();
        endpointShareLimited.clear();
        for (EndpointGroup group : groups.values()) {
            group.endpoints()
                    .forEach((name, each) -> endpointHealthy
                            .labels(group.name(), name)
                            .set(each.state().health() == CheckedEndpoint.Health.HEALTHY ? 1 : 0));
            boolean limited = !EndpointShares.of(group, sitesByRegion).limits().isEmpty();
            endpointShareLimited.labels(group.name()).set(limited ? 1 : 0);
        }
    }

    /** @param auditFails the file of the switch log can't be written */
    void looked(Arbiter arbiter, long droppedHeartbeats, boolean auditFails, long silenceNanos, long nowNanos) {
        dropped.inc(droppedHeartbeats - dropped.get());
        auditFailing.set(auditFails ? 1 : 0);
        if (!arbiter.leading()) {
            return;
        }
        int steady = 0;
        int switching = 0;
        int unadopted = 0;
        for (String name : arbiter.groups()) {
            Group group = arbiter.state().group(name);
            if (group == null) {
                unadopted++;
            } else if (group.phase() instanceof Phase.Steady) {
                steady++;
            } else {
                switching++;
            }
            int couldTakeOver = 0;
            boolean open = false;
            for (Heard heard : arbiter.heardOf(name).values()) {
                boolean up = nowNanos - heard.arrivedNanos() < silenceNanos
                        && heard.sighting().state() == ServerState.RUNNING;
                if (up && group != null) {
                    open |= isOpen(group, heard.sighting());
                    couldTakeOver += couldTakeOver(group, heard.sighting()) ? 1 : 0;
                }
                memberUp.labels(
                                name,
                                heard.sighting().member(),
                                heard.sighting().site())
                        .set(up ? 1 : 0);
            }
            if (group != null) {
                writable.labels(name).set(open ? 1 : 0);
                candidates.labels(name).set(couldTakeOver);
            }
        }
        unheard.set(arbiter.unheard());
        doubting.set(arbiter.doubts() ? 1 : 0);
        waiting.set(arbiter.waitingForATurn());
        groups.labels("steady").set(steady);
        groups.labels("switching").set(switching);
        groups.labels("not-adopted").set(unadopted);
    }

    private static boolean isOpen(Group group, Sighting sighting) {
        return sighting.member().equals(group.primary())
                && sighting.writable()
                && sighting.openEpoch() == group.epoch();
    }

    private static boolean couldTakeOver(Group group, Sighting sighting) {
        Member member = group.members().get(sighting.member());
        return member != null
                && !member.name().equals(group.primary())
                && member.standing() == Standing.FOLLOWING
                && member.electable()
                && sighting.electable()
                && sighting.historyComplete();
    }

    void refusedHeartbeat() {
        refused.inc();
    }

    void publishedNames(String group, boolean served, SortedMap<String, Integer> behindByServer) {
        dnsPending.labels(group).set(served ? 0 : 1);
        behindByServer.forEach(
                (server, behind) -> dnsServerBehind.labels(server).set(behind));
    }

    /** A group's names are kept no more. */
    void forgetNames(String group) {
        dnsPending.remove(group);
    }
}
