package org.haarbiter.dns.zonefile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.PageServers;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A BIND whose zone file includes the arbiter's, as {@code docs/dns.md} says, and its secondary. */
@Tag("servers")
class ZoneFileBindIT {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    @Test
    void changesAreServedByThePrimaryAndCopiedByTheSecondary() throws IOException {
        Path names = directory.resolve("names");
        publish(settings(names, List.of(), List.of()), wanted(1));
        try (PageServers servers = PageServers.bindWithFile(directory, names)) {
            // What rndc reload does, without a control channel.
            List<String> reload = List.of(
                    "kill", "-HUP", Long.toString(servers.primaryProcess().pid()));
            ZoneFileSettings settings = settings(names, reload, List.of(servers.primary(), servers.secondary()));
            for (int epoch = 2; epoch <= 3; epoch++) {
                publish(settings, wanted(epoch));
                WantedNames wanted = wanted(epoch);
                try (ZoneFileProvider provider = new ZoneFileProvider(settings)) {
                    DnsServers.await(
                            "both servers",
                            () -> provider.readBack(wanted, LIMIT).stream()
                                    .allMatch(reading -> reading.state() == State.MATCHES));
                    assertThat(provider.readBack(wanted, LIMIT))
                            .extracting(ServerReading::server)
                            .containsExactly(
                                    names.toString(),
                                    servers.primary().toString(),
                                    servers.secondary().toString());
                }
            }
        }
    }

    private static ZoneFileSettings settings(Path names, List<String> reload, List<Endpoint> servers) {
        return new ZoneFileSettings(
                PageServers.PAGES_ZONE,
                names,
                Format.ZONE,
                "ns1.db.example. hostmaster.db.example.",
                reload,
                2_000,
                servers);
    }

    private static WantedNames wanted(int epoch) {
        return new WantedNames(
                "orders",
                epoch,
                "_ha-epoch.orders",
                List.of(new AddressName("orders-rw", List.of("10.0.0." + epoch), 1)));
    }

    private static void publish(ZoneFileSettings settings, WantedNames wanted) {
        try (ZoneFileProvider provider = new ZoneFileProvider(settings)) {
            PublishOutcome outcome = provider.publish(wanted, LIMIT);
            assertThat(outcome.result()).as(outcome.detail()).isEqualTo(Result.PUBLISHED);
        }
    }
}
