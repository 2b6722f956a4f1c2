package org.haarbiter.master.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.DnsServerSettings;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.docs.MetricsPage;
import org.haarbiter.link.PortLimits;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page of metrics says what a master really exports; alerts and dashboard use nothing that isn't on the page. */
class MetricsPageTest {
    private static final Path CONF = Path.of("..", "conf");
    private static final Pattern RUNBOOK = Pattern.compile("runbook_url: \"docs/failures\\.md#([^\"]+)\"");
    private static final Pattern ALERT = Pattern.compile("- alert: (\\w+)");

    /** Knows the collectors themselves. */
    private static final class Recording extends CollectorRegistry {
        final List<Collector> collectors = new ArrayList<>();

        @Override
        public void register(Collector collector) {
            collectors.add(collector);
            super.register(collector);
        }
    }

    @Test
    void thePageSaysWhatAMasterExports() throws IOException {
        Recording registry = new Recording();
        assertThat(new MasterMetrics(registry)).isNotNull();
        List<MetricsPage.Row> rows = new ArrayList<>();
        for (Collector collector : registry.collectors) {
            Collector.MetricFamilySamples family =
                    ((Collector.Describable) collector).describe().get(0);
            rows.add(MetricsPage.row(family.name, family.type, family.help, collector));
        }
        MetricsPage.check("## Master", rows);
    }

    @Test
    void thePageSaysWhatAMastersDnsServerExports() throws IOException {
        try (AuthoritativeServer server = new AuthoritativeServer(
                DnsServerSettings.usual(new Endpoint("127.0.0.1", 53), List.of("db.test")), () -> new StateAge(0, 0))) {
            MetricsPage.check(
                    "## Master's own DNS server",
                    new DnsServerCollector(server)
                            .collect().stream()
                                    .map(family -> MetricsPage.row(family.name, family.type, family.help, family))
                                    .toList());
        }
    }

    @Test
    void thePageSaysWhatAMastersPortsRefuse() throws IOException {
        MetricsPage.check(
                "## Refusals",
                new RefusalsCollector(() -> List.of(new PortLimits("admin", 1, 1)))
                        .collect().stream()
                                .map(family -> MetricsPage.row(family.name, family.type, family.help, family))
                                .toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"prometheus/rules.yml", "prometheus/rules_test.yml", "grafana/ha-arbiter.json"})
    void whatWeShipUsesWhatThePageLists(String file) throws IOException {
        TreeSet<String> used = MetricsPage.names(Files.readString(CONF.resolve(file)));
        assertThat(used).isNotEmpty();
        assertThat(MetricsPage.listed()).containsAll(used);
    }

    @Test
    void eachAlertLeadsToAnEntryOfTheFailures() throws IOException {
        String rules = Files.readString(CONF.resolve("prometheus/rules.yml"));
        TreeSet<String> entries = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("..", "docs", "failures.md"))) {
            if (line.startsWith("#")) {
                entries.add(line.replaceFirst("^#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9 -]", "")
                        .replace(' ', '-'));
            }
        }
        TreeSet<String> runbooks = found(RUNBOOK, rules);
        assertThat(runbooks).isNotEmpty();
        assertThat(entries).containsAll(runbooks);
        assertThat(rules.split("runbook_url: ", -1)).hasSize(found(ALERT, rules).size() + 1);
    }

    @Test
    void eachAlertIsTestedBothWays() throws IOException {
        String tests = Files.readString(CONF.resolve("prometheus/rules_test.yml"));
        for (String alert : found(ALERT, Files.readString(CONF.resolve("prometheus/rules.yml")))) {
            assertThat(tests).contains("- name: " + alert + " fires\n", "- name: " + alert + " is quiet\n");
        }
    }

    private static TreeSet<String> found(Pattern pattern, String text) {
        TreeSet<String> names = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }
}
