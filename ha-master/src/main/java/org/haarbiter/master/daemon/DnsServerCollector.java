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
                new CounterMetricFamily("ha_dns_queries", "queries that came by udp or tcp", List.of("transport"));
        queries.addMetric(List.of("udp"), (double) counts.udpQueries());
        queries.addMetric(List.of("tcp"), (double) counts.tcpQueries());
        CounterMetricFamily responses =
                new CounterMetricFamily("ha_dns_responses", "responses by their code", List.of("rcode"));
        counts.responsesByRcode().forEach((rcode, count) -> responses.addMetric(List.of(rcode), (double) count));
        CounterMetricFamily unanswered = new CounterMetricFamily(
                "ha_dns_unanswered",
                "queries without an answer, or with an empty one: no-query, malformed, rate-limit, rate-limit-slipped, overload, send-failure, connections",
                List.of("reason"));
        unanswered.addMetric(List.of("no-query"), (double) counts.unanswerable());
        unanswered.addMetric(List.of("malformed"), (double) counts.malformed());
        unanswered.addMetric(List.of("rate-limit"), (double) counts.rateDropped());
        unanswered.addMetric(List.of("rate-limit-slipped"), (double) counts.rateSlipped());
        unanswered.addMetric(List.of("overload"), (double) counts.overloadDropped());
        unanswered.addMetric(List.of("send-failure"), (double) counts.sendFailures());
        unanswered.addMetric(List.of("connections"), (double) counts.tcpRefused());
        CounterMetricFamily transfers = new CounterMetricFamily(
                "ha_dns_transfers",
                "transfers of the zone: full, incremental, failed, refused, bad-signature",
                List.of("kind"));
        transfers.addMetric(List.of("full"), (double) counts.fullTransfers());
        transfers.addMetric(List.of("incremental"), (double) counts.incrementalTransfers());
        transfers.addMetric(List.of("failed"), (double) counts.failedTransfers());
        transfers.addMetric(List.of("refused"), (double) counts.refusedTransfers());
        transfers.addMetric(List.of("bad-signature"), (double) counts.badSignatures());
        GaugeMetricFamily serial = new GaugeMetricFamily(
                "ha_dns_serial",
                "the serial number at which it answers, the index of the log's entry by which the zone changed last",
                List.of("zone"));
        server.serials().forEach((zone, number) -> serial.addMetric(List.of(zone), (double) number));
        GaugeMetricFamily behind = new GaugeMetricFamily(
                "ha_dns_secondary_behind",
                "1 where a secondary hasn't acknowledged the newest change, otherwise 0",
                List.of("zone", "secondary"));
        for (SecondaryState secondary : server.secondaries()) {
            behind.addMetric(
                    List.of(secondary.zone(), secondary.address().toString()),
                    secondary.acknowledgedSerial() == secondary.wantedSerial() ? 0 : 1);
        }
        return new ArrayList<>(List.of(queries, responses, unanswered, transfers, serial, behind));
    }
}
