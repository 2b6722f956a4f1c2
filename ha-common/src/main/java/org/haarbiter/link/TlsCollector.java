package org.haarbiter.link;

import io.prometheus.client.Collector;
import io.prometheus.client.GaugeMetricFamily;
import java.util.List;

/** What Prometheus reads of the certificates in use. Any thread. */
public final class TlsCollector extends Collector {
    private final Tls tls;

    /** Of this one. */
    public TlsCollector(Tls tls) {
        this.tls = tls;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        return List.of(
                new GaugeMetricFamily(
                        "ha_certificate_expiry_timestamp_seconds",
                        "when the first of the certificates in use ends, the authority's among them, in seconds since 1970",
                        tls.expires().getEpochSecond()),
                new GaugeMetricFamily(
                        "ha_certificate_files_unusable",
                        "1 while the TLS files can't be used as they are now, so that those read before stay in use, otherwise 0",
                        tls.problem().isEmpty() ? 0 : 1));
    }
}
