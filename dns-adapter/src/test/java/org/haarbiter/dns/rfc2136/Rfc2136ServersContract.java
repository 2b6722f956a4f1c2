package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;
import static org.haarbiter.dns.rfc2136.BindServers.SECRET;
import static org.haarbiter.dns.rfc2136.BindServers.SECRET_WITHOUT_RIGHTS;
import static org.haarbiter.dns.rfc2136.BindServers.ZONE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsProviderContract;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The contract, and everything that can go wrong with a key, a clock or a server, on a real BIND. */
@Tag("servers")
@TestInstance(TestInstance.Lifecycle.PER_METHOD)
class Rfc2136ProviderIT extends DnsProviderContract {

    @TempDir
    private static Path directory;

    private static BindServers bind;

    private Rfc2136Provider first;
    private Rfc2136Provider second;

    @BeforeAll
    static void startServers() throws IOException {
        bind = new BindServers(directory);
    }

    @AfterAll
    static void stopServers() throws IOException {
        bind.close();
    }

    @BeforeEach
    void open() {
        first = new Rfc2136Provider(settings("k1", SECRET, bind.primary()));
        second = new Rfc2136Provider(settings("k1", SECRET, bind.primary()));
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    private static Rfc2136Settings settings(String keyName, String secret, Endpoint... servers) {
        return new Rfc2136Settings(ZONE, bind.primary(), List.of(servers), keyName, "hmac-sha256", secret, 1);
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
        return BindServers.addresses(bind.primary(), name);
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        return BindServers.texts(bind.primary(), epochName);
    }

    @Override
    protected long changes() {
        return BindServers.serial(bind.primary());
    }

    @Test
    void wrongSecretIsNamed() {
        refused(settings("k1", SECRET_WITHOUT_RIGHTS, bind.primary()), "another secret for key k1. (BADSIG)");
    }

    @Test
    void unknownKeyIsNamed() {
        refused(settings("k9", SECRET, bind.primary()), "doesn't know key k9. with hmac-sha256 (BADKEY)");
    }

    @Test
    void keyWithoutRightsIsNamed() {
        refused(
                settings("k2", SECRET_WITHOUT_RIGHTS, bind.primary()),
                "REFUSED to key k2.: allow it to change A, AAAA and TXT records of db.test. (BIND: update-policy"
                        + " { grant k2 zonesub A AAAA TXT; };)");
    }

    @Test
    void zoneWithoutUpdatesIsNamed() {
        refused(
                new Rfc2136Settings(
                        "closed.test", bind.primary(), List.of(bind.primary()), "k1", "hmac-sha256", SECRET, 1),
                "records of closed.test.");
    }

    @Test
    void zoneThatIsNotServedIsNamed() {
        refused(
                new Rfc2136Settings(
                        "other.test", bind.primary(), List.of(bind.primary()), "k1", "hmac-sha256", SECRET, 1),
                "REFUSED");
    }

    @Test
    void updateSentToASecondaryIsNamed() {
        refused(
                new Rfc2136Settings(ZONE, bind.secondary(), List.of(bind.secondary()), "k1", "hmac-sha256", SECRET, 1),
                "the zone's primary, not a secondary");
    }

    @Test
    void wrongClockIsMeasured() {
        try (Rfc2136Provider skewed = new Rfc2136Provider(
                settings("k1", SECRET, bind.primary()), Clock.offset(Clock.systemUTC(), Duration.ofMinutes(-10)))) {
            PublishOutcome outcome = skewed.publish(wanted(1, "10.0.0.1"), LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail())
                    .containsPattern("BADTIME.*its clock is (59[0-9]|60[0-9]) s ahead of this machine's");
            assertThat(lookup(rw())).isEmpty();
        }
    }

    private void refused(Rfc2136Settings settings, String words) {
        try (Rfc2136Provider provider = new Rfc2136Provider(settings)) {
            PublishOutcome outcome = provider.publish(wanted(1, "10.0.0.1"), LIMIT);
            assertThat(outcome.detail()).contains(words);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(lookup(rw())).isEmpty();
        }
    }

    @Test
    void addressNameThatIsNoHostNameIsNamed() {
        PublishOutcome outcome = first.publish(
                new WantedNames(
                        group(), 1, epochName(), List.of(new AddressName("a_" + group(), List.of("10.0.0.1"), 1))),
                LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.REFUSED);
        assertThat(outcome.detail()).contains("hold no underscore");
        assertThat(epochTexts(epochName())).isEmpty();
    }

    /** The server sleeps while an update is sent, a newer leader writes, and the old update then arrives. */
    @Test
    void updateThatArrivesLateChangesNothing() throws IOException {
        published(first, wanted(1, "10.0.0.1"));
        BindServers.signal(bind.primaryProcess(), "STOP");
        try {
            PublishOutcome outcome = first.publish(wanted(2, "10.0.0.2"), Duration.ofMillis(600));
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("no answer by").contains("may yet be applied");
        } finally {
            BindServers.signal(bind.primaryProcess(), "CONT");
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
        BindServers.signal(bind.primaryProcess(), "STOP");
        try {
            assertThat(first.publish(wanted(2, "10.0.0.2"), Duration.ofMillis(400))
                            .result())
                    .isEqualTo(Result.UNKNOWN);
        } finally {
            BindServers.signal(bind.primaryProcess(), "CONT");
        }
        published(first, wanted(2, "10.0.0.2"));
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
        assertThat(epochTexts(epochName())).containsExactly("2");
    }

    /** A stop shorter than the limit is ridden out within one call. */
    @Test
    void shortStopIsRiddenOut() throws Exception {
        published(first, wanted(1, "10.0.0.1"));
        BindServers.signal(bind.primaryProcess(), "STOP");
        Thread waker = new Thread(() -> {
            // Once the call looks at the zone, it has given its first try up; until then one datagram waits.
            BindServers.await("the update", () -> bind.primaryQueueBytes() > 0);
            long update = bind.primaryQueueBytes();
            BindServers.await("the look at the zone", () -> bind.primaryQueueBytes() > update);
            try {
                BindServers.signal(bind.primaryProcess(), "CONT");
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
            BindServers.signal(bind.primaryProcess(), "CONT");
        }
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
    }

    @Test
    void serverThatKeepsTheOldCopyIsNamed() {
        Endpoint nobody = new Endpoint("127.0.0.1", 9); // discard: no DNS server there
        try (Rfc2136Provider provider =
                new Rfc2136Provider(settings("k1", SECRET, bind.primary(), bind.secondary(), bind.untold(), nobody))) {
            WantedNames wanted = wanted(1, "10.0.0.1", "10.0.0.2");
            published(provider, wanted);
            BindServers.await(
                    "the secondary",
                    () -> provider.readBack(wanted, LIMIT).get(1).state().equals(State.MATCHES));

            List<ServerReading> readings = provider.readBack(wanted, LIMIT);
            assertThat(readings)
                    .extracting(ServerReading::server)
                    .containsExactly(
                            bind.primary().toString(),
                            bind.secondary().toString(),
                            bind.untold().toString(),
                            nobody.toString());
            assertThat(readings)
                    .extracting(ServerReading::state)
                    .containsExactly(State.MATCHES, State.MATCHES, State.DIFFERS, State.UNREACHABLE);
            assertThat(readings.get(2).detail())
                    .contains(epochName() + ".db.test. TXT: none (must be 1)")
                    .contains(rw() + ".db.test. A: none (must be 10.0.0.1)");
        }
    }

    @Test
    void keyIsTriedWithoutChangingTheZone() {
        long before = changes();
        assertThat(first.warnings(wanted(1, "10.0.0.1"), LIMIT)).isEmpty();
        try (Rfc2136Provider wrong = new Rfc2136Provider(settings("k1", SECRET_WITHOUT_RIGHTS, bind.primary()))) {
            assertThat(wrong.warnings(wanted(1, "10.0.0.1"), LIMIT))
                    .singleElement()
                    .asString()
                    .contains("BADSIG");
        }
        try (Rfc2136Provider powerless = new Rfc2136Provider(settings("k2", SECRET_WITHOUT_RIGHTS, bind.primary()))) {
            assertThat(powerless.warnings(wanted(1, "10.0.0.1"), LIMIT))
                    .singleElement()
                    .asString()
                    .contains("REFUSED to key k2.");
        }
        assertThat(changes()).isEqualTo(before);
    }
}
