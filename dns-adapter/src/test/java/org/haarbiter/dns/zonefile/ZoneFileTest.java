package org.haarbiter.dns.zonefile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

class ZoneFileTest extends NamesFileContract {

    @Override
    protected Format format() {
        return Format.ZONE;
    }

    @Override
    protected String mark() {
        return ";";
    }

    private List<Record> records(String name) {
        List<Record> found = new ArrayList<>();
        if (Files.exists(file())) {
            try (Master master = new Master(file().toString(), Name.fromConstantString("db.test."), 60)) {
                for (Record record = master.nextRecord(); record != null; record = master.nextRecord()) {
                    if (record.getName().toString().equals(name)) {
                        found.add(record);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }

    @Override
    protected List<String> lookup(String name) {
        return records(name + ".db.test.").stream()
                .filter(record -> record.getType() == Type.A || record.getType() == Type.AAAA)
                .map(record -> record.rdataToString().replaceFirst("^fd00(:0)+:", "fd00::"))
                .toList();
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        return records(epochName + ".db.test.").stream()
                .flatMap(record -> ((TXTRecord) record).getStrings().stream())
                .toList();
    }

    @Test
    void theSerialNumberGrowsWithEachChangeAndByTheClock() {
        Instant began = Instant.ofEpochSecond(1_800_000_000);
        assertThat(serialAfter(began, wanted(1, "10.0.0.1"))).isEqualTo(1_800_000_000);
        assertThat(serialAfter(began, wanted(2, "10.0.0.2"))).isEqualTo(1_800_000_001);
        assertThat(serialAfter(began, wanted(2, "10.0.0.2"))).isEqualTo(1_800_000_001);
        assertThat(serialAfter(began.minusSeconds(99), wanted(3, "10.0.0.3"))).isEqualTo(1_800_000_002);
        assertThat(serialAfter(began.plusSeconds(60), wanted(4, "10.0.0.4"))).isEqualTo(1_800_000_060);
        SOARecord soa = (SOARecord) records("db.test.").get(0);
        assertThat(soa.getHost()).hasToString("ns1.db.test.");
        assertThat(soa.getAdmin()).hasToString("hostmaster.db.test.");
        assertThat(soa.getMinimum()).as("no such name is forgotten soon").isEqualTo(2);
    }

    private long serialAfter(Instant now, org.haarbiter.dns.WantedNames wanted) {
        ZoneFileSettings settings = new ZoneFileSettings(
                "db.test", file(), Format.ZONE, "ns1.db.test. hostmaster.db.test.", List.of(), 2_000, List.of());
        try (ZoneFileProvider provider = new ZoneFileProvider(settings, Clock.fixed(now, ZoneOffset.UTC))) {
            published(provider, wanted);
        }
        return ((SOARecord) records("db.test.").get(0)).getSerial();
    }

    @Test
    void allMistakesAreToldAtOnce() {
        assertThatThrownBy(
                        () -> new ZoneFileSettings("a..b", Path.of("/"), Format.HOSTS, "ns1", List.of(), 5, List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("zone: 'a..b.' (must be a domain name")
                .hasMessageContaining("file: / (must be the path of a file)")
                .hasMessageContaining("soa: 'ns1' (belongs to format zone)")
                .hasMessageContaining("reload-limit-millis: 5 (must be 10 to 60000)");
        assertThatThrownBy(() ->
                        new ZoneFileSettings("db.test", Path.of("f"), Format.ZONE, "ns1", List.of(), 50, List.of()))
                .hasMessageContaining("soa: 'ns1' (must be the primary name server and the hostmaster's mailbox");
    }
}
