package org.haarbiter.master.daemon;

import io.prometheus.client.Collector;
import io.prometheus.client.CounterMetricFamily;
import io.prometheus.client.GaugeMetricFamily;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.DnsServerMetrics;
import org.haarbiter.dns.server.SecondaryState;

/** What Prometheus reads of this master's own DNS server. */
final class DnsServerCollector extends Collector {
    private final AuthoritativeServer server;

    DnsServerCollector(AuthoritativeServer server) {
        this.server = server;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        DnsServerMetrics.Snapshot counts = server.metrics();
        CounterMetricFamily queries =
                new CounterMetricFamily("ha_dns_queries", "Queries to this master's DNS server", List.of("transport"));
        queries.addMetric(List.of("udp"), (double) counts.udpQueries());
        queries.addMetric(List.of("tcp"), (double) counts.tcpQueries());
        CounterMetricFamily responses =
                new CounterMetricFamily("ha_dns_responses", "Responses of this master's DNS server", List.of("rcode"));
        counts.responsesByRcode().forEach((rcode, count) -> responses.addMetric(List.of(rcode), (double) count));
        CounterMetricFamily unanswered = new CounterMetricFamily(
                "ha_dns_unanswered", "Queries that got no answer, or an empty one, and why", List.of("reason"));
        unanswered.addMetric(List.of("no-query"), (double) counts.unanswerable());
        unanswered.addMetric(List.of("malformed"), (double) counts.malformed());
        unanswered.addMetric(List.of("rate-limit"), (double) counts.rateDropped());
        unanswered.addMetric(List.of("rate-limit-slipped"), (double) counts.rateSlipped());
        unanswered.addMetric(List.of("overload"), (double) counts.overloadDropped());
        unanswered.addMetric(List.of("send-failure"), (double) counts.sendFailures());
        unanswered.addMetric(List.of("connections"), (double) counts.tcpRefused());
        CounterMetricFamily transfers = new CounterMetricFamily(
                "ha_dns_transfers", "Transfers of the zone, by how they ended", List.of("kind"));
        transfers.addMetric(List.of("full"), (double) counts.fullTransfers());
        transfers.addMetric(List.of("incremental"), (double) counts.incrementalTransfers());
        transfers.addMetric(List.of("failed"), (double) counts.failedTransfers());
        transfers.addMetric(List.of("refused"), (double) counts.refusedTransfers());
        transfers.addMetric(List.of("bad-signature"), (double) counts.badSignatures());
        GaugeMetricFamily serial = new GaugeMetricFamily(
                "ha_dns_serial", "The serial number at which this master's DNS server answers", List.of("zone"));
        server.serials().forEach((zone, number) -> serial.addMetric(List.of(zone), (double) number));
        GaugeMetricFamily behind = new GaugeMetricFamily(
                "ha_dns_secondary_behind",
                "1 where a secondary hasn't acknowledged the newest change of the zone, otherwise 0",
                List.of("zone", "secondary"));
        for (SecondaryState secondary : server.secondaries()) {
            behind.addMetric(
                    List.of(secondary.zone(), secondary.address().toString()),
                    secondary.acknowledgedSerial() == secondary.wantedSerial() ? 0 : 1);
        }
        return new ArrayList<>(List.of(queries, responses, unanswered, transfers, serial, behind));
    }
}
