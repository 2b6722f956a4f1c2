package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.haarbiter.dns.zone.ZoneReader;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Answers that differ by where the client is. */
class RegionsTest {

    @TempDir
    Path directory;

    private final Endpoint address = Played.freeEndpoint();
    private Path file = Path.of("?");
    private AuthoritativeServer server = new AuthoritativeServer(Played.settings(address), () -> new StateAge(0, 0));

    @BeforeEach
    void start() throws IOException {
        file = Files.writeString(directory.resolve("regions"), """
                10.1.0.0/16 north
                10.2.0.0/16 south
                10.2.7.0/24 north
                fd00:2::/32 south
                """);
        DnsServerSettings settings = Played.settings(
                address, DnsServerSettings.Zone.closed(), new DnsServerSettings.RateLimit(0, 0, List.of()), file);
        server = new AuthoritativeServer(settings, () -> new StateAge(0, 0));
        server.start();
        server.serve(Played.zone(1)
                .next(2)
                .put("orders", Played.regional("10.9.0.1", "10.1.0.1", "10.2.0.1"))
                .put("via", Played.alias("orders"))
                .build());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Message ask(String name, int type, String subnet, int bits) throws IOException {
        Message query = Played.query(name + ".db.test.", type);
        query.addRecord(
                new OPTRecord(1_232, 0, 0, 0, new ClientSubnetOption(bits, InetAddress.getByName(subnet))),
                Section.ADDITIONAL);
        return Played.ask(address, query);
    }

    private static String first(Message message) {
        List<Record> answers = message.getSection(Section.ANSWER);
        return ((ARecord) answers.get(answers.size() - 1)).getAddress().getHostAddress();
    }

    private static ClientSubnetOption subnet(Message message) {
        for (EDNSOption option : message.getOPT().getOptions()) {
            if (option instanceof ClientSubnetOption subnet) {
                return subnet;
            }
        }
        throw new AssertionError("no client subnet in " + message);
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.0, 24, 10.1.0.1, 16",
        "10.2.8.0, 24, 10.2.0.1, 21",
        "10.2.7.0, 24, 10.1.0.1, 24",
        "10.2.0.0, 16, 10.2.0.1, 22", // the client's network isn't specific enough: RFC 7871 7.2.1
        "172.16.0.0, 12, 10.9.0.1, 1",
        "fd00:2:3::, 48, 10.2.0.1, 32",
        "10.1.2.3, 32, 10.1.0.1, 16"
    })
    void byTheSubnetThatAResolverTells(String network, int bits, String expected, int scope) throws IOException {
        Message message = ask("orders", Type.A, network, bits);
        assertThat(first(message)).isEqualTo(expected);
        assertThat(subnet(message).getScopePrefixLength()).isEqualTo(scope);
        assertThat(subnet(message).getSourcePrefixLength()).isEqualTo(bits);
        assertThat(subnet(message).getAddress()).isEqualTo(InetAddress.getByName(network));
        assertThat(first(ask("via", Type.A, network, bits))).isEqualTo(expected);
    }

    @Test
    void whoAsksForTheUsualAnswerGetsWhatSecondariesHold() throws IOException {
        Message query = Played.query("orders.db.test.", Type.A);
        query.addRecord(
                new OPTRecord(
                        1_232,
                        0,
                        0,
                        0,
                        new ClientSubnetOption(24, InetAddress.getByName("10.1.2.0")),
                        new GenericEDNSOption(ZoneReader.OPTION_USUAL_ANSWER, new byte[0])),
                Section.ADDITIONAL);
        assertThat(first(Played.ask(address, query))).isEqualTo("10.9.0.1");
        assertThat(first(ask("orders", Type.A, "10.1.2.0", 24))).isEqualTo("10.1.0.1");
    }

    @Test
    void eachRecordStandsFirstAsOftenAsItsShareSays() throws IOException {
        RecordData few = new RecordData.Host("10.3.0.1");
        RecordData most = new RecordData.Host("10.3.0.2");
        server.serve(Played.zone(1)
                .next(3)
                .put(
                        "shop",
                        new RecordSet(
                                RecordType.A,
                                5,
                                List.of(few, most),
                                new TreeMap<>(Map.of("north", List.of(most, few))),
                                new TreeMap<>(Map.of(
                                        RecordSet.USUAL,
                                        Map.of(few, 100, most, 300),
                                        "north",
                                        Map.of(few, 3, most, 1)))))
                .build());
        for (Map.Entry<String, Integer> network :
                Map.of("172.16.0.0", 15, "10.1.2.0", 45).entrySet()) {
            int fewFirst = 0;
            for (int i = 0; i < 60; i++) {
                List<Record> answers = ask("shop", Type.A, network.getKey(), 24).getSection(Section.ANSWER);
                assertThat(answers).hasSize(2);
                String first = ((ARecord) answers.get(0)).getAddress().getHostAddress();
                fewFirst += first.equals("10.3.0.1") ? 1 : 0;
            }
            assertThat(fewFirst).as(network.getKey()).isEqualTo(network.getValue());
        }
    }

    @Test
    void sharesThatDoNotFitTheRecordsAreRefused() {
        RecordData only = new RecordData.Host("10.3.0.1");
        RecordData other = new RecordData.Host("10.3.0.2");
        for (Map<RecordData, Integer> shares : List.of(Map.of(other, 1), Map.of(only, 1, other, 1), Map.of(only, 0))) {
            RecordSet set = new RecordSet(
                    RecordType.A, 5, List.of(only), new TreeMap<>(), new TreeMap<>(Map.of(RecordSet.USUAL, shares)));
            assertThatThrownBy(() -> Played.zone(1).next(2).put("shop", set).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("shop A: shares")
                    .hasMessageContaining("(must be 1 to 1000000 for each record)");
        }
    }

    @Test
    void theSameForAllIsSaid() throws IOException {
        assertThat(subnet(ask("orders-rw", Type.A, "10.1.2.0", 24)).getScopePrefixLength())
                .isZero();
        assertThat(subnet(ask("missing", Type.A, "10.1.2.0", 24)).getScopePrefixLength())
                .isZero();
        assertThat(subnet(ask("orders", Type.AAAA, "10.1.2.0", 24)).getScopePrefixLength())
                .isZero();
    }

    @Test
    void withoutASubnetTheClientsOwnAddressCounts() throws IOException {
        assertThat(first(Played.ask(address, "orders.db.test.", Type.A))).isEqualTo("10.9.0.1");
        Message hidden = ask("orders", Type.A, "0.0.0.0", 0);
        assertThat(first(hidden)).isEqualTo("10.9.0.1");
        assertThat(subnet(hidden).getScopePrefixLength()).isZero();
        Files.writeString(file, "127.0.0.0/8 south\n");
        Played.await("the file is read again", () -> {
            try {
                return first(Played.ask(address, "orders.db.test.", Type.A)).equals("10.2.0.1");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Test
    void aBrokenFileKeepsTheOldRegions() throws IOException {
        Path next = Files.writeString(directory.resolve("next"), "10.1.0.0/16 north\n10.2.0.0/16 sooth\n");
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        Played.await(
                "the file is seen to be broken", () -> !server.regionsTrouble().isEmpty());
        assertThat(server.regionsTrouble()).contains(file.toString(), "line 2: region 'sooth'");
        assertThat(first(ask("orders", Type.A, "10.2.8.0", 24))).isEqualTo("10.2.0.1");
        Files.writeString(file, "10.2.0.0/16 north\n");
        Played.await("it is read again", () -> server.regionsTrouble().isEmpty());
        assertThat(first(ask("orders", Type.A, "10.2.8.0", 24))).isEqualTo("10.1.0.1");
    }

    @Test
    void aBrokenFileIsToldAtTheStart() throws IOException {
        Files.writeString(file, "10.1.0.0/16\n");
        DnsServerSettings settings = Played.settings(
                Played.freeEndpoint(),
                DnsServerSettings.Zone.closed(),
                new DnsServerSettings.RateLimit(0, 0, List.of()),
                file);
        try (AuthoritativeServer second = new AuthoritativeServer(settings, () -> new StateAge(0, 0))) {
            assertThatThrownBy(second::start)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("line 1: '10.1.0.0/16' (must be NETWORK REGION");
        }
    }

    @Test
    void onlyWhoIsBelievedMayTellSubnets() throws IOException {
        DnsServerSettings all = Played.settings(
                Played.freeEndpoint(),
                DnsServerSettings.Zone.closed(),
                new DnsServerSettings.RateLimit(0, 0, List.of()),
                file);
        DnsServerSettings wary = new DnsServerSettings(
                all.listen(),
                1,
                "",
                new TreeMap<>(all.zones()),
                new TreeMap<>(all.keys()),
                all.rateLimit(),
                10,
                10,
                1_000,
                "",
                all.regions(),
                file,
                List.of(Network.parse("192.0.2.0/24")));
        try (AuthoritativeServer second = new AuthoritativeServer(wary, () -> new StateAge(0, 0))) {
            second.start();
            second.serve(Played.zone(1)
                    .next(2)
                    .put("orders", Played.regional("10.9.0.1", "10.1.0.1", "10.2.0.1"))
                    .build());
            Message query = Played.query("orders.db.test.", Type.A);
            query.addRecord(
                    new OPTRecord(1_232, 0, 0, 0, new ClientSubnetOption(24, InetAddress.getByName("10.1.2.0"))),
                    Section.ADDITIONAL);
            Message message = Played.ask(all.listen().get(0), query);
            assertThat(first(message)).isEqualTo("10.9.0.1");
            assertThat(Objects.requireNonNull(message.getOPT()).getOptions()).isEmpty();
        }
    }

    @Test
    void regionsMustBeInTheSettings() {
        TreeMap<String, List<RecordData>> byRegion = new TreeMap<>();
        byRegion.put("east", Played.hosts("10.0.0.1"));
        ZoneContents contents = Played.zone(1)
                .next(9)
                .put("x", new RecordSet(RecordType.A, 1, Played.hosts("10.0.0.2"), byRegion))
                .build();
        assertThatThrownBy(() -> server.serve(contents))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("region: 'east' (must be one of north, south)");
    }
}
