package org.haarbiter.master.daemon;

import io.prometheus.client.Collector;
import io.prometheus.client.CounterMetricFamily;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.haarbiter.link.PortLimits;

/** What Prometheus reads of what this master's ports refuse; its DNS server has metrics of its own. Any thread. */
final class RefusalsCollector extends Collector {
    private final Supplier<List<PortLimits>> ports;

    RefusalsCollector(Supplier<List<PortLimits>> ports) {
        this.ports = ports;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        CounterMetricFamily refused = new CounterMetricFamily(
                "ha_refused",
                "what the ports agents, raft, sentinel and admin refused: connections (too many), rate (too much in a short time), protocol (malformed, too long, no or a wrong certificate), access (who asks isn't known or may not do that)",
                List.of("port", "reason"));
        for (PortLimits port : ports.get()) {
            for (Map.Entry<String, Long> count : port.refused().entrySet()) {
                refused.addMetric(List.of(port.port(), count.getKey()), count.getValue());
            }
        }
        return List.of(refused);
    }
}
