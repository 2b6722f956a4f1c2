package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.PageServers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers that are set up as {@code docs/dns.md} says take updates, and their secondaries follow. */
@Tag("servers")
class DnsPageIT {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    @Test
    void bind() throws IOException {
        try (PageServers servers = PageServers.bind(directory)) {
            works(servers);
        }
    }

    @Test
    void knot() throws IOException {
        try (PageServers servers = PageServers.knot(directory)) {
            works(servers);
        }
    }

    @Test
    void powerDns() throws IOException {
        try (PageServers servers = PageServers.powerDns(directory)) {
            works(servers);
        }
    }

    private static void works(PageServers servers) {
        Rfc2136Settings settings = new Rfc2136Settings(
                PageServers.PAGES_ZONE,
                servers.primary(),
                List.of(servers.primary(), servers.secondary()),
                "arbiter",
                "hmac-sha256",
                DnsServers.SECRET,
                1);
        try (Rfc2136Provider provider = new Rfc2136Provider(settings)) {
            for (int epoch = 1; epoch <= 2; epoch++) {
                WantedNames wanted = new WantedNames(
                        "orders",
                        epoch,
                        "_ha-epoch.orders",
                        List.of(new AddressName("orders-rw", List.of("10.0.0." + epoch), 1)));
                PublishOutcome outcome = provider.publish(wanted, LIMIT);
                assertThat(outcome.result()).as(outcome.detail()).isEqualTo(Result.PUBLISHED);
                DnsServers.await(
                        "the secondary",
                        () -> provider.readBack(wanted, LIMIT).stream()
                                .allMatch(reading -> reading.state() == State.MATCHES));
                assertThat(provider.warnings(wanted, LIMIT)).isEmpty();
            }
        }
    }
}
