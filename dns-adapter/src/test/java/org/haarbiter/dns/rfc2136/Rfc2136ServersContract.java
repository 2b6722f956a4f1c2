package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;
import static org.haarbiter.dns.lab.DnsServers.SECRET;
import static org.haarbiter.dns.lab.DnsServers.SECRET_WITHOUT_RIGHTS;
import static org.haarbiter.dns.lab.DnsServers.ZONE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsProviderContract;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract on a real server with a secondary behind it, and everything that can go wrong with a key, a clock or a server. */
@Tag("servers")
abstract class Rfc2136ServersContract extends DnsProviderContract {

    /** What an operator may have got wrong. */
    enum Trouble {
        UNKNOWN_KEY,
        WRONG_SECRET,
        KEY_WITHOUT_RIGHTS,
        ZONE_WITHOUT_UPDATES,
        ZONE_NOT_SERVED,
        SENT_TO_A_SECONDARY,
        CLOCK_TEN_MINUTES_BEHIND
    }

    private Rfc2136Provider first;
    private Rfc2136Provider second;

    protected abstract DnsServers servers();

    /** A regular expression of what the operator is told on this server. */
    protected abstract String sentence(Trouble trouble);

    @BeforeEach
    void open() {
        first = new Rfc2136Provider(settings(servers().primary()));
        second = new Rfc2136Provider(settings(servers().primary()));
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    protected Rfc2136Settings settings(Endpoint... authoritative) {
        return settings(ZONE, servers().primary(), "k1", SECRET, List.of(authoritative));
    }

    private static Rfc2136Settings settings(
            String zone, Endpoint updated, String keyName, String secret, List<Endpoint> authoritative) {
        return new Rfc2136Settings(zone, updated, authoritative, keyName, "hmac-sha256", secret, 1);
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
    protected List<String> lookup(String name) {
        return DnsServers.addresses(servers().primary(), name);
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        return DnsServers.texts(servers().primary(), epochName);
    }

    @Override
    protected long changes() {
        return DnsServers.serial(servers().primary());
    }

    private Rfc2136Provider in(Trouble trouble) {
        Endpoint primary = servers().primary();
        Endpoint secondary = servers().secondary();
        return switch (trouble) {
            case UNKNOWN_KEY -> new Rfc2136Provider(settings(ZONE, primary, "k9", SECRET, List.of(primary)));
            case WRONG_SECRET ->
                new Rfc2136Provider(settings(ZONE, primary, "k1", SECRET_WITHOUT_RIGHTS, List.of(primary)));
            case KEY_WITHOUT_RIGHTS ->
                new Rfc2136Provider(settings(ZONE, primary, "k2", SECRET_WITHOUT_RIGHTS, List.of(primary)));
            case ZONE_WITHOUT_UPDATES ->
                new Rfc2136Provider(settings("closed.test", primary, "k1", SECRET, List.of(primary)));
            case ZONE_NOT_SERVED ->
                new Rfc2136Provider(settings("other.test", primary, "k1", SECRET, List.of(primary)));
            case SENT_TO_A_SECONDARY ->
                new Rfc2136Provider(settings(ZONE, secondary, "k1", SECRET, List.of(secondary)));
            case CLOCK_TEN_MINUTES_BEHIND ->
                new Rfc2136Provider(settings(primary), Clock.offset(Clock.systemUTC(), Duration.ofMinutes(-10)));
        };
    }

    @ParameterizedTest
    @EnumSource
    void troubleIsNamedAndChangesNothing(Trouble trouble) {
        try (Rfc2136Provider provider = in(trouble)) {
            PublishOutcome outcome = provider.publish(wanted(1, "10.0.0.1"), LIMIT);
            assertThat(outcome.detail()).containsPattern(sentence(trouble));
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(lookup(rw())).isEmpty();
        }
    }

    /** The server sleeps while an update is sent, a newer leader writes, and the old update then arrives. */
    @Test
    void updateThatArrivesLateChangesNothing() throws IOException {
        published(first, wanted(1, "10.0.0.1"));
        DnsServers.signal(servers().primaryProcess(), "STOP");
        try {
            PublishOutcome outcome = first.publish(wanted(2, "10.0.0.2"), Duration.ofMillis(600));
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("no answer by").contains("may yet be applied");
        } finally {
            DnsServers.signal(servers().primaryProcess(), "CONT");
        }
        published(second, wanted(3, "10.0.0.3"));

        // The queue is served in order or not; both ways the newest epoch stands, and asking again says so.
        assertThat(first.publish(wanted(2, "10.0.0.2"), LIMIT).result()).isEqualTo(Result.NEWER_EPOCH);
        assertThat(lookup(rw())).containsExactly("10.0.0.3");
        assertThat(epochTexts(epochName())).containsExactly("3");
    }

    /** The same, with nobody else: whether the late one was applied or not, asking again ends well. */
    @Test
    void askingAgainAfterSilenceEndsWell() throws IOException {
        published(first, wanted(1, "10.0.0.1"));
        DnsServers.signal(servers().primaryProcess(), "STOP");
        try {
            assertThat(first.publish(wanted(2, "10.0.0.2"), Duration.ofMillis(400))
                            .result())
                    .isEqualTo(Result.UNKNOWN);
        } finally {
            DnsServers.signal(servers().primaryProcess(), "CONT");
        }
        published(first, wanted(2, "10.0.0.2"));
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
        assertThat(epochTexts(epochName())).containsExactly("2");
    }

    /** A stop shorter than the limit is ridden out within one call. */
    @Test
    void shortStopIsRiddenOut() throws Exception {
        published(first, wanted(1, "10.0.0.1"));
        DnsServers.signal(servers().primaryProcess(), "STOP");
        Thread waker = new Thread(() -> {
            // Once the call looks at the zone, it has given its first try up; until then one datagram waits.
            DnsServers.await("the update", () -> servers().primaryQueueBytes() > 0);
            long update = servers().primaryQueueBytes();
            DnsServers.await("the look at the zone", () -> servers().primaryQueueBytes() > update);
            try {
                DnsServers.signal(servers().primaryProcess(), "CONT");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        waker.start();
        try {
            PublishOutcome outcome = first.publish(wanted(2, "10.0.0.2"), Duration.ofSeconds(6));
            assertThat(outcome.result()).as(outcome.detail()).isEqualTo(Result.PUBLISHED);
        } finally {
            waker.join();
            DnsServers.signal(servers().primaryProcess(), "CONT");
        }
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
    }

    @Test
    void theReadBackMatchesOnceTheSecondaryHasIt() {
        try (Rfc2136Provider provider =
                new Rfc2136Provider(settings(servers().primary(), servers().secondary()))) {
            for (WantedNames wanted : List.of(wanted(1, "10.0.0.1", "10.0.0.2", "fd00::2"), wanted(2, "10.0.0.2"))) {
                published(provider, wanted);
                DnsServers.await(
                        "the secondary",
                        () -> provider.readBack(wanted, LIMIT).stream()
                                .allMatch(reading -> reading.state() == State.MATCHES));
                assertThat(DnsServers.addresses(servers().secondary(), rw()))
                        .containsExactlyElementsOf(wanted.names().get(0).addresses());
            }
            assertThat(DnsServers.addresses(servers().secondary(), ro())).isEmpty();
        }
    }

    @Test
    void theZoneIsTriedWithoutBeingChanged() {
        long before = changes();
        assertThat(first.warnings(wanted(1, "10.0.0.1"), LIMIT)).isEmpty();
        for (Trouble trouble : List.of(Trouble.UNKNOWN_KEY, Trouble.WRONG_SECRET, Trouble.KEY_WITHOUT_RIGHTS)) {
            try (Rfc2136Provider provider = in(trouble)) {
                assertThat(provider.warnings(wanted(1, "10.0.0.1"), LIMIT))
                        .singleElement()
                        .asString()
                        .containsPattern(sentence(trouble));
            }
        }
        assertThat(changes()).isEqualTo(before);
    }
}
