package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** A real BIND and a real Knot as secondaries of the embedded server. */
@Tag("servers")
class AuthoritativeServerIT {

    @TempDir
    static Path directory;

    private static final Endpoint PRIMARY = Played.freeEndpoint();
    private static AuthoritativeServer server;
    private static List<RealSecondary> secondaries;
    private static ZoneContents contents = Played.zone(1);

    @BeforeAll
    static void start() throws IOException {
        Endpoint bind = Played.freeEndpoint();
        Endpoint knot = Played.freeEndpoint();
        server = new AuthoritativeServer(
                Played.settings(
                        PRIMARY,
                        new DnsServerSettings.Zone(
                                List.of("k1"),
                                List.of(),
                                List.of(
                                        new DnsServerSettings.Secondary(bind, "k1"),
                                        new DnsServerSettings.Secondary(knot, "k1"))),
                        DnsServerSettings.RateLimit.USUAL,
                        null),
                () -> new StateAge(0, 0));
        server.start();
        server.serve(contents);
        secondaries = List.of(
                RealSecondary.bind(directory.resolve("bind"), bind, PRIMARY, Played.SECRET),
                RealSecondary.knot(directory.resolve("knot"), knot, PRIMARY, Played.SECRET));
        await("both have their first copy", 1);
    }

    @AfterAll
    static void stop() {
        secondaries.forEach(RealSecondary::close);
        server.close();
    }

    private static void await(String what, long serial) {
        try {
            Played.await(what, () -> secondaries.stream().allMatch(secondary -> secondary.serial() == serial));
        } catch (AssertionError e) {
            StringBuilder logs = new StringBuilder(String.valueOf(e.getMessage()));
            secondaries.forEach(secondary -> logs.append("\n--- ").append(secondary.log()));
            throw new AssertionError(logs.toString(), e);
        }
    }

    private static Set<String> addresses(Endpoint at, String name, int type) throws IOException {
        Set<String> addresses = new TreeSet<>();
        for (Record record : Played.ask(at, name, type).getSection(Section.ANSWER)) {
            addresses.add(record.getTTL() + " " + record.rdataToString());
        }
        return addresses;
    }

    /** The secondaries answer what the server itself does, for every name there is. */
    private static void sameEverywhere() throws IOException {
        Set<String> names = new TreeSet<>(contents.names().keySet());
        names.add("gone");
        for (String name : names) {
            for (int type : new int[] {Type.A, Type.AAAA, Type.SRV, Type.TXT, Type.CNAME}) {
                String whole = name + "." + Played.ZONE;
                if (name.startsWith("loop")) {
                    continue; // how far a loop is followed is each server's own
                }
                for (RealSecondary secondary : secondaries) {
                    assertThat(addresses(secondary.address(), whole, type))
                            .as("%s %s at %s", whole, Type.string(type), secondary.address())
                            .isEqualTo(addresses(PRIMARY, whole, type));
                }
            }
        }
    }

    @Test
    void changesComeAcrossAsChanges() throws IOException {
        sameEverywhere();
        DnsServerMetrics.Snapshot before = server.metrics();
        for (int i = 0; i < 20; i++) {
            contents = contents.next(contents.serial() + 1)
                    .put("orders-rw", Played.a(1, "10.5.0." + i))
                    .put("new-" + i, Played.a(1, "10.6.0." + i))
                    .remove("new-" + (i - 3))
                    .build();
            assertThat(server.serve(contents).result()).isEqualTo(ServeOutcome.Result.SERVED);
        }
        await("both have the last change", contents.serial());
        sameEverywhere();
        DnsServerMetrics.Snapshot after = server.metrics();
        assertThat(after.fullTransfers()).as("no whole zone was sent again").isEqualTo(before.fullTransfers());
        assertThat(after.incrementalTransfers() - before.incrementalTransfers()).isGreaterThanOrEqualTo(2);
        assertThat(after.failedTransfers()).isZero();
        assertThat(after.badSignatures()).isZero();
        Played.await(
                "the server knows that they have it",
                () -> server.secondaries().stream()
                        .allMatch(state -> state.acknowledgedSerial() == contents.serial()
                                && state.transferredSerial() == contents.serial()));
    }

    @Test
    void withAWrongSecretThereIsNoCopy() throws IOException {
        long before = server.metrics().badSignatures();
        try (RealSecondary stranger = RealSecondary.bind(
                directory.resolve("stranger"),
                Played.freeEndpoint(),
                PRIMARY,
                "d3Jvbmcgc2VjcmV0IG9mIGEgc3RyYW5nZXI=")) {
            Played.await("its signature is refused", () -> server.metrics().badSignatures() > before);
            Played.await("it says why", () -> stranger.log().contains("tsig indicates error"));
            assertThat(stranger.serial()).isEqualTo(-1);
        }
    }
}
