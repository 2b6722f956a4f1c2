package org.haarbiter.master.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.powerdns.PowerDnsApiSettings;
import org.haarbiter.dns.zonefile.ZoneFileSettings;
import org.haarbiter.link.PeerRules;
import org.haarbiter.master.admin.Role;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.names.OwnZone;
import org.haarbiter.master.sentinel.SentinelSettings;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MasterSettingsTest {
    private static final String MASTERS = """
            masters:
              m1: {raft: "10.0.1.11:7101", agents: "10.0.1.11:7201", admin: "10.0.1.11:7301", site: north}
            """;
    private static final String ANSWERING = """
            masters:
              m1: {raft: "10.0.1.11:7101", agents: "10.0.1.11:7201", admin: "10.0.1.11:7301", sentinel: "10.0.1.11:26379"}
              m2: {raft: "10.0.2.11:7101", agents: "10.0.2.11:7201", admin: "10.0.2.11:7301", sentinel: "10.0.2.11:26379"}
              m3: {raft: "10.0.3.11:7101", agents: "10.0.3.11:7201", admin: "10.0.3.11:7301"}
            """;

    @TempDir
    Path directory;

    private MasterSettings read(String masters, String name, String more) throws IOException {
        Path file = directory.resolve("ha-master.yaml");
        Files.writeString(file, masters + """
                cluster-id: members-eu
                name: %s
                data-directory: raft
                audit-file: switches.jsonl
                timing: {profile: fast}
                %s""".formatted(name, more));
        return MasterSettings.read(file);
    }

    private Policy redis(String more) throws IOException {
        return read(MASTERS, "m1", more).policies().asynchronous();
    }

    @Test
    void theSampleIsRight() throws IOException {
        String sample = Files.readString(Path.of("..", "conf", "ha-master.yaml"));
        Path key = directory.resolve("zone-key.yaml");
        secret(key, "user: arbiter\npassword: \"c2VjcmV0\"\n");
        Path file = directory.resolve("ha-master.yaml");
        Files.writeString(file, sample.replace("/etc/ha-arbiter/zone-key.yaml", key.toString()));
        MasterSettings settings = MasterSettings.read(file);
        assertThat(settings.masters()).containsOnlyKeys("m1", "m2", "m3");
        assertThat(settings.sentinel()).isNull();
        assertThat(settings.policies().usual()).isEqualTo(Policy.LOSSLESS);
    }

    /** Each provider's lines as the sample has them, without its comment marks. */
    @Test
    void theSamplesOfOtherProvidersAreRight() throws IOException {
        secret(directory.resolve("powerdns-key"), "geheim\n");
        assertThat(dns(sample("powerdns-api").replaceAll("\n *ca-file.*", "")))
                .isEqualTo(new PowerDnsApiSettings(
                        "db.example.",
                        new Endpoint("10.0.9.53", 8_081),
                        "localhost",
                        null,
                        "geheim",
                        List.of(new Endpoint("10.0.9.53", 53), new Endpoint("10.0.9.54", 53))));
        assertThat(dns(sample("zone-file")))
                .isEqualTo(new ZoneFileSettings(
                        "db.example.",
                        Path.of("/var/lib/ha-arbiter/names/db.example"),
                        ZoneFileSettings.Format.ZONE,
                        "ns1.db.example. hostmaster.db.example.",
                        List.of("rndc", "reload", "db.example"),
                        2_000,
                        List.of(new Endpoint("10.0.9.53", 53))));
    }

    @Test
    void theSampleOfAccessIsRight() throws IOException {
        secret(directory.resolve("tokens"), "ci operator " + "0".repeat(64) + "\n");
        String all = Files.readString(Path.of("..", "conf", "ha-master.yaml"));
        String lines = all.substring(all.indexOf("# tls:"))
                .replaceAll("(?m)^# ?", "")
                .replace("/etc/ha-arbiter", directory.toString());
        MasterSettings settings = read(MASTERS, "m1", lines);
        assertThat(settings.adminTls()).isTrue();
        assertThat(Objects.requireNonNull(settings.tls()).rules()).isEqualTo(PeerRules.USUAL);
        assertThat(settings.access())
                .isEqualTo(new MasterSettings.AccessSettings(
                        new TreeMap<>(Map.of("alice", Role.ADMIN, "OU=dba", Role.OPERATOR, "prometheus", Role.VIEWER)),
                        directory.resolve("tokens"),
                        false));
    }

    @Test
    void mistakesOfAccessAreSaid() throws IOException {
        secret(directory.resolve("tokens"), "ci root " + "0".repeat(64) + "\n");
        String file = "tokens-file: " + directory.resolve("tokens");
        assertThatThrownBy(() -> read(MASTERS, "m1", "access: {certificates: {alice: root}, " + file + "}\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("access.certificates")
                .hasMessageContaining("alice: 'root' (must be viewer, operator or admin)")
                .hasMessageContaining("access.tokens-file")
                .hasMessageContaining("a token would be read by whoever listens");
        assertThatThrownBy(() -> read(MASTERS, "m1", "access: {certificates: {alice: viewer}}\n"))
                .hasMessageContaining("no certificate is shown there");
        assertThatThrownBy(() ->
                        read(MASTERS.replace("10.0.1.11:7301", "127.0.0.1:7301"), "m1", "access: {" + file + "}\n"))
                .hasMessageContaining("tokens:1: must be NAME ROLE SHA256");
        assertThatThrownBy(() -> read(MASTERS, "m1", "access: {open-metrics: true}\n"))
                .hasMessageContaining("otherwise nobody may do anything");
    }

    private String sample(String provider) throws IOException {
        String all = Files.readString(Path.of("..", "conf", "ha-master.yaml"));
        int from = all.lastIndexOf("# dns:", all.indexOf("#   provider: " + provider));
        return all.substring(from, all.indexOf("\n\n", from))
                        .replaceAll("(?m)^# ", "")
                        .replace("/etc/ha-arbiter", directory.toString())
                + "\n";
    }

    private DnsSettings dns(String lines) throws IOException {
        return Objects.requireNonNull(read(MASTERS, "m1", lines).names()).provider();
    }

    @Test
    void allMistakesOfAProviderAreSaidAtOnceAndKeysOfOthersAreUnknown() {
        assertThatThrownBy(() -> dns("""
                        dns:
                          provider: powerdns-api
                          zone: db.example
                          api-server: "ns1.example:8081"
                          api-key-file: no-such-file
                          ca-file: no-such-ca
                          update-server: "10.0.9.53:53"
                        """))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("dns.api-server")
                .hasMessageContaining("must be an address, not a host name")
                .hasMessageContaining("dns.api-key-file")
                .hasMessageContaining("dns.ca-file")
                .hasMessageContaining("dns.authoritative-servers")
                .hasMessageContaining("dns.update-server");
        assertThatThrownBy(() -> dns("dns: {provider: zone-file, zone: a..b, soa: ns1, format: hosts}\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("dns.file")
                .hasMessageContaining("soa: 'ns1' (belongs to format zone)")
                .hasMessageContaining("a..b");
        assertThatThrownBy(() -> dns("dns: {provider: route53, zone: db.example}\n"))
                .hasMessageContaining("one of rfc2136, powerdns-api, zone-file");
    }

    @Test
    void whatIsntSaidOfRedisIsBoundedAndGoesOnAlone() throws IOException {
        assertThat(redis("")).isEqualTo(Policies.ASYNCHRONOUS);
        assertThat(redis("durability: available\n"))
                .as("the other groups' promise isn't theirs")
                .isEqualTo(Policies.ASYNCHRONOUS);
    }

    @Test
    void redisGroupsHaveAPromiseOfTheirOwn() throws IOException {
        Policy policy = redis("""
                redis:
                  durability: bounded
                  max-lag-millis: 4000
                  max-lag-transactions: 65536
                  on-no-acknowledger: wait
                """);
        assertThat(policy)
                .isEqualTo(new Policy(Durability.BOUNDED, 4_000, 65_536, OnNoAcknowledger.WAIT, Policy.USUAL_PRIORITY));
        assertThat(redis("redis: {durability: available}\n").durability()).isEqualTo(Durability.AVAILABLE);
        assertThat(read(MASTERS, "m1", "redis: {durability: available}\n")
                        .policies()
                        .usual())
                .isEqualTo(Policy.LOSSLESS);
    }

    @Test
    void noGroupOfRedisIsLosslessAndAllMistakesAreSaidAtOnce() {
        assertThatThrownBy(() -> redis("redis: {durability: lossless, max-lag: 5}\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("redis.durability")
                .hasMessageContaining("can't be lossless (must be bounded or available)")
                .hasMessageContaining("max-lag");
        assertThatThrownBy(() -> redis("redis: {durability: bounded, max-lag-millis: 100}\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("redis.max-lag-millis")
                .hasMessageContaining("must be at least");
    }

    @Test
    void aZoneThatTheMastersAnswerForHasServersNamesAndRegions() throws IOException {
        Files.writeString(directory.resolve("regions"), "10.1.0.0/16 north\n");
        OwnZone own = Objects.requireNonNull(
                Objects.requireNonNull(read(MASTERS, "m1", """
                        dns:
                          provider: embedded
                          zone: DB.example
                          authoritative-servers: ["10.0.1.11:53", "10.0.9.53:53"]
                          name-servers: {ns1: 10.0.1.11, ns2.example.: 10.0.9.53}
                          region-sites: {north: [a, b]}
                          server:
                            listen: ["10.0.1.11:53"]
                            zones: {db.example: {}}
                            regions: [north]
                            regions-file: regions
                        """).names()).own());
        assertThat(own.zone()).isEqualTo("db.example.");
        assertThat(own.servers()).containsExactly(new Endpoint("10.0.1.11", 53), new Endpoint("10.0.9.53", 53));
        assertThat(own.nameServers()).containsEntry("ns1", List.of("10.0.1.11"));
        assertThat(own.sitesByRegion()).containsEntry("north", List.of("a", "b"));
    }

    @Test
    void allMistakesOfAZoneThatTheMastersAnswerForAreSaidAtOnce() {
        assertThatThrownBy(() -> read(MASTERS, "m1", """
                        dns:
                          provider: embedded
                          zone: db.example
                          authoritative-servers: ["10.0.1.11:53"]
                          name-servers: {ns1: ns.example}
                          key-file: nowhere
                          server:
                            listen: ["0.0.0.0:53"]
                            zones: {other.example: {}}
                        """))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("ns1: ns.example")
                .hasMessageContaining("0.0.0.0:53")
                .hasMessageContaining("must name db.example., the zone of section dns")
                .hasMessageContaining("key-file");
    }

    @Test
    void sentinelsClientsAreAnsweredByThoseWhoHaveAnAddressForThem() throws IOException {
        SentinelSettings settings =
                Objects.requireNonNull(read(ANSWERING, "m1", "").sentinel());
        assertThat(settings.masters())
                .containsOnlyKeys("m1", "m2")
                .containsEntry("m2", new Endpoint("10.0.2.11", 26_379));
        assertThat(settings.credentials()).isNull();
        assertThat(read(ANSWERING, "m3", "").sentinel()).isNull();
    }

    @Test
    void whatSentinelsClientsMustKnowIsInAFileOfItsOwnersOnly() throws IOException {
        Path file = directory.resolve("sentinel.yaml");
        secret(file, "user: default\npassword: hidden\n");
        String line = "sentinel-credentials-file: sentinel.yaml\n";
        SentinelSettings settings =
                Objects.requireNonNull(read(ANSWERING, "m1", line).sentinel());
        assertThat(settings.credentials()).isNotNull();
        assertThat(settings.toString()).doesNotContain("hidden");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> read(ANSWERING, "m1", "sentinel-credentials-file: sentinel.yaml\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("sentinel-credentials-file");
    }

    @Test
    void anAddressStandsOnce() {
        assertThatThrownBy(() -> read(ANSWERING.replace("10.0.2.11:26379", "10.0.1.11:26379"), "m1", ""))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("10.0.1.11:26379")
                .hasMessageContaining("every address may stand once in masters");
    }

    private static void secret(Path file, String text) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }
}
