package org.haarbiter.dns.powerdns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.haarbiter.dns.lab.DnsServers.ZONE;
import static org.haarbiter.dns.lab.PowerDnsServers.API_KEY;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsProviderContract;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.PowerDnsServers;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("servers")
class PowerDnsApiIT extends DnsProviderContract {

    @TempDir
    private static Path directory;

    private static PowerDnsServers servers;

    private PowerDnsApiProvider first;
    private PowerDnsApiProvider second;

    @BeforeAll
    static void start() throws IOException {
        servers = new PowerDnsServers(directory);
    }

    @AfterAll
    static void stop() throws IOException {
        servers.close();
    }

    @BeforeEach
    void open() {
        first = provider(ZONE, "localhost", API_KEY, List.of(servers.primary()));
        second = provider(ZONE, "localhost", API_KEY, List.of(servers.primary()));
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    private static PowerDnsApiProvider provider(
            String zone, String serverId, String apiKey, List<Endpoint> authoritative) {
        return new PowerDnsApiProvider(
                new PowerDnsApiSettings(zone, servers.api(), serverId, null, apiKey, authoritative));
    }

    @Override
    protected DnsProvider provider() {
        return first;
    }

    @Override
    protected DnsProvider another() {
        return second;
    }

    @Override
    protected boolean comparesAndSets() {
        return false;
    }

    @Override
    protected List<String> lookup(String name) {
        return DnsServers.addresses(servers.primary(), name);
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        return DnsServers.texts(servers.primary(), epochName);
    }

    @Override
    protected long changes() {
        return DnsServers.serial(servers.primary());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "db.test    | localhost | wrong          | answered 401.*check api-key-file",
                "other.test | localhost | only-for-tests | answered 404.*it has no zone other\\.test\\. on server localhost",
                "db.test    | elsewhere | only-for-tests | answered 404.*on server elsewhere",
            })
    void refusalSaysWhatToDo(String zone, String serverId, String apiKey, String words) {
        try (PowerDnsApiProvider wrong = provider(zone, serverId, apiKey, List.of(servers.primary()))) {
            PublishOutcome outcome = wrong.publish(wanted(1, "10.0.0.1"), LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail()).startsWith(servers.api().toString()).containsPattern(words);
            assertThat(wrong.warnings(wanted(1, "10.0.0.1"), LIMIT))
                    .singleElement()
                    .asString()
                    .containsPattern(words);
            assertThat(lookup(rw())).isEmpty();
        }
    }

    @Test
    void zoneWhoseSerialDoesntGrowIsWarnedOf() {
        assertThat(first.warnings(wanted(1, "10.0.0.1"), LIMIT)).isEmpty();
        try (PowerDnsApiProvider closed = provider("closed.test", "localhost", API_KEY, List.of(servers.primary()))) {
            assertThat(closed.warnings(wanted(1, "10.0.0.1"), LIMIT))
                    .singleElement()
                    .asString()
                    .contains("pdnsutil set-meta closed.test SOA-EDIT-API INCREASE");
        }
    }

    @Test
    void nameBesideACnameDoesntHoldUpOtherGroups() {
        published(first, wanted(1, "10.0.0.1"));
        List<WantedNames> all = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            String name = i == 4 ? "alias" : group() + "-" + i;
            all.add(new WantedNames(
                    name, 1, "_ha-epoch." + name, List.of(new AddressName(name, List.of("10.0.0.1"), 1))));
        }
        List<PublishOutcome> outcomes = first.publish(all, LIMIT);
        for (int i = 0; i < 9; i++) {
            assertThat(outcomes.get(i).result())
                    .as(outcomes.get(i).detail())
                    .isEqualTo(i == 4 ? Result.REFUSED : Result.PUBLISHED);
        }
        assertThat(outcomes.get(4).detail()).contains("422", "Conflicts", "e.g. a CNAME at the name");
    }

    @Test
    void theSecondaryIsToldAtOnce() {
        try (PowerDnsApiProvider both =
                provider(ZONE, "localhost", API_KEY, List.of(servers.primary(), servers.secondary()))) {
            WantedNames wanted = wanted(1, "10.0.0.1", "10.0.0.2", "fd00::2");
            published(both, wanted);
            DnsServers.await(
                    "the secondary",
                    () -> both.readBack(wanted, LIMIT).stream().allMatch(reading -> reading.state() == State.MATCHES));
            assertThat(DnsServers.addresses(servers.secondary(), rw())).containsExactly("10.0.0.1");
        }
    }

    /** The API can't hold it off, so it must be seen, and the next update must put it right. */
    @Test
    void whatALateRequestTakesBackIsPutRight() throws IOException {
        published(first, wanted(5, "10.0.0.5"));
        DnsServers.signal(servers.primaryProcess(), "STOP");
        Thread late = new Thread(() -> second.publish(wanted(6, "10.0.0.6"), LIMIT));
        late.start();
        try {
            PublishOutcome outcome = first.publish(wanted(7, "10.0.0.7"), Duration.ofMillis(300));
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("no answer to GET");
        } finally {
            DnsServers.signal(servers.primaryProcess(), "CONT");
        }
        // With SQLite the two may lock each other out.
        DnsServers.await(
                "the update", () -> first.publish(wanted(7, "10.0.0.7"), LIMIT).result() == Result.PUBLISHED);
        DnsServers.await("the end of the late one", () -> !late.isAlive());
        if (first.readBack(wanted(7, "10.0.0.7"), LIMIT).get(0).state() != State.MATCHES) {
            published(first, wanted(7, "10.0.0.7"));
        }
        assertThat(lookup(rw())).containsExactly("10.0.0.7");
        assertThat(epochTexts(epochName())).containsExactly("7");
        assertThat(second.publish(wanted(6, "10.0.0.6"), LIMIT).result()).isEqualTo(Result.NEWER_EPOCH);
    }
}
