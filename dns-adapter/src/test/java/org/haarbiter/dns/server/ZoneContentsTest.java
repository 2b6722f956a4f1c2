package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZoneContentsTest {

    @Test
    void everyMistakeAtOnce() {
        TreeMap<String, List<RecordData>> byRegion = new TreeMap<>();
        byRegion.put("north", List.of());
        assertThatThrownBy(() -> ZoneContents.of(
                                "db.test", -1, new StartOfAuthority("ns 1", "hostmaster", 0, 5, 5, 1, -1), List.of())
                        .put("a..b", Played.a(1, "10.0.0.1"))
                        .put("absolute.", Played.a(1, "10.0.0.1"))
                        .put("bad", Played.a(1, "10.0.0.256"))
                        .put("old", Played.a(-1, "10.0.0.1"))
                        .put("empty", Played.a(1))
                        .put("none", List.of())
                        .put("both", List.of(Played.a(1, "10.0.0.1"), Played.alias("x")))
                        .put("double", List.of(Played.a(1, "10.0.0.1"), Played.a(1, "10.0.0.2")))
                        .put("mixed", new RecordSet(RecordType.A, 1, Played.hosts("fd00::1")))
                        .put("region", new RecordSet(RecordType.A, 1, Played.hosts("10.0.0.1"), byRegion))
                        .put(
                                "srv",
                                new RecordSet(RecordType.SRV, 1, List.of(new RecordData.Service(1, 1, 70_000, "x"))))
                        .put("text", new RecordSet(RecordType.TXT, 1, List.of(new RecordData.Text("x".repeat(256)))))
                        .put("target", Played.alias("a b"))
                        .put("@", Played.alias("x"))
                        .put("x.*.y", Played.a(1, "10.0.0.1"))
                        .put("_ha-state", Played.a(1, "10.0.0.1"))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "serial: -1 (must be 0 to 4294967295)",
                        "soa primary: 'ns 1.db.test.' (must be labels",
                        "soa refresh-seconds: 0 (must be 1 to",
                        "soa ttl-seconds: -1 (must be 0 to 86400)",
                        "name-servers: none",
                        "a..b: 'a..b.db.test.'",
                        "absolute.: (must be relative to db.test.",
                        "bad A: '10.0.0.256' (must be an IPv4 or IPv6 address)",
                        "old A ttl-seconds: -1",
                        "empty A: 0 records (must be 1 to 1000)",
                        "none: no records",
                        "both: CNAME beside other records",
                        "double: two sets of A",
                        "mixed A: Host[literal=fd00::1] (must be data of type A)",
                        "region A for region north: 0 records",
                        "srv SRV: priority 1, weight 1, port 70000",
                        "text TXT: a text of 256 bytes",
                        "target CNAME: 'a b.' (must be labels",
                        "@: CNAME beside other records",
                        "x.*.y: 'x.*.y.db.test.'",
                        "_ha-state: (is made by the server itself");
    }

    @Test
    void longNamesAndLargeSetsAreRefused() {
        String label = "x".repeat(63);
        assertThatThrownBy(() -> Played.zone(1)
                        .next(2)
                        .put(String.join(".", label, label, label, label), Played.a(1, "10.0.0.1"))
                        .build())
                .hasMessageContaining("has 265 bytes; must have at most 255");
        String[] texts = new String[900];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "%0200d".formatted(i);
        }
        List<RecordData> many =
                Arrays.stream(texts).<RecordData>map(RecordData.Text::new).toList();
        assertThatThrownBy(() -> Played.zone(1)
                        .next(2)
                        .put("big", new RecordSet(RecordType.TXT, 1, many))
                        .build())
                .hasMessageContaining("big TXT: more than 49152 bytes");
    }

    @Test
    void lettersCaseAndRepetitionsDontCount() {
        ZoneContents contents = ZoneContents.of("DB.Test", 1, Played.AUTHORITY, List.of("ns1"))
                .put("Orders", Played.a(1, "10.0.0.1", "10.0.0.1"))
                .build();
        assertThat(contents.origin()).isEqualTo("db.test.");
        assertThat(contents.sets("orders").get(0).usual()).hasSize(1);
        assertThat(contents.next(2).remove("ORDERS").build().names()).isEmpty();
        assertThat(contents.names()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 1, true",
        "1, 1, false",
        "1, 2, false",
        "0, 4294967295, true",
        "2147483647, 0, true",
        "2147483648, 0, false", // half round the circle: neither is newer
        "0, 2147483648, false",
        "10, 4294967290, true"
    })
    void serialNumbersGoRound(long serial, long than, boolean newer) {
        assertThat(ZoneContents.newer(serial, than)).isEqualTo(newer);
    }
}
