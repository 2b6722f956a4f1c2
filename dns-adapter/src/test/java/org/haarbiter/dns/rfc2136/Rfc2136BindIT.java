package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.BindServers;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Rfc2136BindIT extends Rfc2136ServersContract {

    @TempDir
    private static Path directory;

    private static BindServers bind;

    @BeforeAll
    static void start() throws IOException {
        bind = new BindServers(directory);
    }

    @AfterAll
    static void stop() throws IOException {
        bind.close();
    }

    @Override
    protected DnsServers servers() {
        return bind;
    }

    @Override
    protected String sentence(Trouble trouble) {
        return switch (trouble) {
            case UNKNOWN_KEY -> "doesn't know key k9\\. with hmac-sha256,.*\\(BADKEY\\)";
            case WRONG_SECRET -> "another secret for key k1\\. \\(BADSIG\\)";
            case KEY_WITHOUT_RIGHTS ->
                "REFUSED to key k2\\.: allow it to change A, AAAA and TXT records of db\\.test\\."
                        + " \\(BIND: update-policy \\{ grant k2 zonesub A AAAA TXT; \\}; PowerDNS";
            case ZONE_WITHOUT_UPDATES -> "records of closed\\.test\\.";
            case ZONE_NOT_SERVED -> "REFUSED";
            case SENT_TO_A_SECONDARY -> "the zone's primary, not a secondary";
            case CLOCK_TEN_MINUTES_BEHIND -> "BADTIME.*its clock is (59[0-9]|60[0-9]) s ahead of this machine's";
        };
    }

    @Test
    void addressNameThatIsNoHostNameIsNamed() {
        PublishOutcome outcome = provider()
                .publish(
                        new WantedNames(
                                group(),
                                1,
                                epochName(),
                                List.of(new AddressName("a_" + group(), List.of("10.0.0.1"), 1))),
                        LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.REFUSED);
        assertThat(outcome.detail()).contains("hold no underscore");
        assertThat(epochTexts(epochName())).isEmpty();
    }

    /** BIND refuses the whole message and doesn't say why, nor for which of them. */
    @Test
    void nameThatIsRefusedDoesntHoldUpOtherGroups() {
        List<WantedNames> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String name = (i == 13 ? "a_" : "a-") + group() + "-" + i;
            all.add(new WantedNames(
                    name, 1, "_ha-epoch." + name, List.of(new AddressName(name, List.of("10.0.0.1"), 1))));
        }
        List<PublishOutcome> outcomes = provider().publish(all, LIMIT);
        for (int i = 0; i < 20; i++) {
            assertThat(outcomes.get(i).result())
                    .as(outcomes.get(i).detail())
                    .isEqualTo(i == 13 ? Result.REFUSED : Result.PUBLISHED);
        }
        assertThat(outcomes.get(13).detail()).contains("hold no underscore");
    }

    @Test
    void serverThatKeepsTheOldCopyIsNamed() {
        Endpoint nobody = new Endpoint("127.0.0.1", 9); // discard: no DNS server there
        try (Rfc2136Provider provider =
                new Rfc2136Provider(settings(bind.primary(), bind.secondary(), bind.untold(), nobody))) {
            WantedNames wanted = wanted(1, "10.0.0.1", "10.0.0.2");
            published(provider, wanted);
            DnsServers.await(
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
}
