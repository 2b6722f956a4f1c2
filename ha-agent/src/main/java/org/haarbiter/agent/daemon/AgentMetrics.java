package org.haarbiter.agent.daemon;

import io.prometheus.client.Collector;
import io.prometheus.client.CounterMetricFamily;
import io.prometheus.client.GaugeMetricFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;

/** What Prometheus reads of an agent: made from the newest sighting when it is asked for. Any thread. */
final class AgentMetrics extends Collector {
    private static final List<String> LABELS = List.of("group", "member");

    private final AgentNode node;

    AgentMetrics(AgentNode node) {
        this.node = node;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        List<MetricFamilySamples> families = new ArrayList<>();
        families.add(new GaugeMetricFamily(
                "ha_agent_masters_connected", "masters to which the agent has a live connection", (double)
                        node.mastersConnected()));
        Sighting seen = node.loop().latest();
        if (seen == null) {
            return families;
        }
        GaugeMetricFamily states = new GaugeMetricFamily(
                "ha_server_state",
                "1 for the state the server is in, 0 for the others",
                List.of("group", "member", "state"));
        for (ServerState state : ServerState.values()) {
            states.addMetric(
                    List.of(seen.group(), seen.member(), state.name().toLowerCase(Locale.ROOT)),
                    seen.state() == state ? 1 : 0);
        }
        families.add(states);
        families.add(
                gauge(seen, "ha_server_writable", "1 where the server takes clients' writes", seen.writable() ? 1 : 0));
        families.add(gauge(
                seen,
                "ha_replication_receiving",
                "1 where input from the source is running; 0 on a primary",
                seen.receiving() ? 1 : 0));
        families.add(gauge(
                seen,
                "ha_replication_lag_seconds",
                "how far the replica is behind; -1 where unknown",
                seen.lagMillis() < 0 ? -1 : seen.lagMillis() / 1e3));
        families.add(gauge(
                seen,
                "ha_permission_seconds",
                "how long the server may go on taking writes without a further answer; 0 where it may not",
                node.loop().permissionNanos() / 1e9));
        families.add(gauge(
                seen,
                "ha_acknowledgers",
                "replicas that acknowledge commits now; -1 where unknown",
                seen.acknowledgers()));
        families.add(gauge(seen, "ha_accepted_epoch", "epoch of the newest goal that was accepted", (double)
                seen.acceptedEpoch()));
        families.add(gauge(
                seen,
                "ha_problems",
                "sentences for an operator; hactl status shows them",
                seen.problems().size()));
        CounterMetricFamily steps = new CounterMetricFamily(
                "ha_agent_steps",
                "commands given to the server since the agent's start",
                List.of("group", "member", "step", "outcome"));
        node.loop()
                .stepCounts()
                .forEach((key, count) -> steps.addMetric(
                        List.of(seen.group(), seen.member(), key.step(), key.outcome()), (double) count));
        families.add(steps);
        return families;
    }

    private static GaugeMetricFamily gauge(Sighting seen, String name, String help, double value) {
        return new GaugeMetricFamily(name, help, LABELS).addMetric(List.of(seen.group(), seen.member()), value);
    }
}
