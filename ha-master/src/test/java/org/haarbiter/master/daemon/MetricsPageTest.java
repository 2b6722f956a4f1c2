package org.haarbiter.master.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.DnsServerSettings;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;

/** The page of metrics lists what a master really exports, and the alert rules use nothing that isn't on the page. */
class MetricsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "metrics.md");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(ha_[a-z_]+)`");
    private static final Pattern USED = Pattern.compile("\\bha_[a-z_]+");

    @Test
    void thePageListsWhatAMasterExports() throws IOException {
        CollectorRegistry registry = new CollectorRegistry();
        assertThat(new MasterMetrics(registry)).isNotNull();
        try (AuthoritativeServer server = new AuthoritativeServer(
                DnsServerSettings.usual(new Endpoint("127.0.0.1", 53), List.of("db.test")), () -> new StateAge(0, 0))) {
            registry.register(new DnsServerCollector(server));
            TreeSet<String> exported = new TreeSet<>();
            for (Collector.MetricFamilySamples family : Collections.list(registry.metricFamilySamples())) {
                exported.add(family.type == Collector.Type.COUNTER ? family.name + "_total" : family.name);
            }
            String page = Files.readString(PAGE);
            String masters = page.substring(page.indexOf("## Master"), page.indexOf("## Agent"));
            assertThat(found(ROW, masters, 1)).isEqualTo(exported);
        }
    }

    @Test
    void theAlertRulesUseWhatThePageLists() throws IOException {
        TreeSet<String> used = found(USED, Files.readString(Path.of("..", "conf", "prometheus-rules.yml")), 0);
        assertThat(used).isNotEmpty();
        assertThat(found(ROW, Files.readString(PAGE), 1)).containsAll(used);
    }

    private static TreeSet<String> found(Pattern pattern, String text, int group) {
        TreeSet<String> names = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(group));
        }
        return names;
    }
}
