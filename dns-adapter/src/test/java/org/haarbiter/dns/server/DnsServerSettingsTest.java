package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DnsServerSettingsTest {

    @TempDir
    Path directory;

    private DnsServerSettings read(String yaml) throws IOException {
        Path file = Files.writeString(directory.resolve("master.yml"), yaml);
        return SettingsReader.file(file).read(root -> DnsServerSettings.read(root.section("dns-server")));
    }

    private void secret(String name, String text) throws IOException {
        Path file = Files.writeString(directory.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void leastThatMustBeTold() throws IOException {
        DnsServerSettings settings = read("""
                dns-server:
                  listen: [127.0.0.1:5300]
                  zones:
                    db.Example: {}
                """);
        assertThat(settings)
                .isEqualTo(DnsServerSettings.usual(new Endpoint("127.0.0.1", 5300), List.of("db.example.")));
        assertThat(settings.threads()).isEqualTo(1);
        assertThat(settings.rateLimit().responsesPerSecond()).isEqualTo(5_000);
        assertThat(settings.rateLimit().slip()).isEqualTo(2);
        assertThat(settings.maxConnections()).isEqualTo(1_000);
        assertThat(settings.maxConnectionsPerClient()).isEqualTo(100);
        assertThat(settings.idleMillis()).isEqualTo(10_000);
        assertThat(settings.clientSubnetFrom()).isEqualTo(DnsServerSettings.EVERYBODY);
    }

    @Test
    void everything() throws IOException {
        secret("key.yml", "user: K1\npassword: " + Played.SECRET + "\n");
        secret("cookie", "000102030405060708090A0b0c0d0e0f\n");
        DnsServerSettings settings = read("""
                dns-server:
                  listen: ["127.0.0.1:5300", "[::1]:5300"]
                  threads: 2
                  server-id: m1
                  keys:
                    - key-file: key.yml
                      algorithm: hmac-sha512
                  zones:
                    db.example:
                      transfer-keys: [k1]
                      transfer-networks: [10.0.0.0/8]
                      secondaries:
                        - address: 10.0.0.7:53
                          key: k1
                        - address: 10.0.0.8:53
                  rate-limit:
                    responses-per-second: 0
                    slip: 3
                    exempt: [10.0.0.0/8, "fd00::/8"]
                  max-connections: 50
                  max-connections-per-client: 10
                  idle-millis: 2000
                  cookie-secret-file: cookie
                  regions: [north, south]
                  regions-file: regions.txt
                  client-subnet-from: [10.0.0.53]
                """);
        assertThat(settings.listen()).containsExactly(new Endpoint("127.0.0.1", 5300), new Endpoint("::1", 5300));
        assertThat(settings.keys()).containsOnlyKeys("k1.");
        DnsServerSettings.Zone zone = settings.zones().get("db.example.");
        assertThat(zone)
                .isEqualTo(new DnsServerSettings.Zone(
                        List.of("k1."),
                        List.of(Network.parse("10.0.0.0/8")),
                        List.of(
                                new DnsServerSettings.Secondary(new Endpoint("10.0.0.7", 53), "k1."),
                                new DnsServerSettings.Secondary(new Endpoint("10.0.0.8", 53), ""))));
        assertThat(settings.rateLimit().exempt()).hasSize(2);
        assertThat(settings.regionsFile()).isEqualTo(directory.resolve("regions.txt"));
        assertThat(settings.clientSubnetFrom()).containsExactly(Network.parse("10.0.0.53/32"));
        assertThat(settings.toString()).contains("k1. (hmac-sha512)").doesNotContain(Played.SECRET, "0001020304");
        assertThat(settings.keys().toString()).doesNotContain(Played.SECRET);
    }

    @Test
    void everyMistakeAtOnce() throws IOException {
        secret("key.yml", "user: k1\npassword: not!base64\n");
        Files.writeString(directory.resolve("open.yml"), "user: k2\npassword: AAAA\n");
        Files.setPosixFilePermissions(directory.resolve("open.yml"), PosixFilePermissions.fromString("rw-r--r--"));
        secret("cookie", "short");
        assertThatThrownBy(() -> read("""
                dns-server:
                  listen: [0.0.0.0:53]
                  threads: 0
                  keys:
                    - key-file: key.yml
                    - key-file: open.yml
                  zones:
                    db.example:
                      transfer-keys: [k9]
                      transfer-networks: [10.0.0.1/8]
                      secondaries:
                        - address: ns.example:53
                  rate-limit:
                    slip: 101
                  cookie-secret-file: cookie
                  regions-file: regions.txt
                  colour: red
                """))
                .isInstanceOf(SettingsException.class)
                .hasMessageContainingAll(
                        "listen: 0.0.0.0:53 (must be an address of this machine",
                        "threads: 0 (must be 1 to 64)",
                        "secret: (not base64",
                        "permissions rw-r--r--",
                        "transfer-keys: k9. (must be one of keys: there are none)",
                        "10.0.0.1/8",
                        "must be the first address of the network",
                        "secondaries ns.example:53",
                        "slip: 101 (must be 0 to 100)",
                        "cookie-secret-file",
                        "must hold 32 hexadecimal digits",
                        "regions: none (must list those that stand in",
                        "colour: unknown")
                .hasMessageNotContaining("not!base64");
    }

    @Test
    void whatARecordWontBear() {
        assertThatThrownBy(() -> new DnsServerSettings(
                        List.of(),
                        1,
                        "x".repeat(65),
                        new TreeMap<>(),
                        new TreeMap<>(),
                        new DnsServerSettings.RateLimit(-1, 0, List.of()),
                        0,
                        5,
                        50,
                        "xyz",
                        List.of("north", "north", "a b"),
                        null,
                        List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "listen: 0 addresses",
                        "server-id",
                        "zones: 0 (must be 1 to 64)",
                        "responses-per-second: -1",
                        "max-connections: 0",
                        "max-connections-per-client: 5 (must be 1 to 1)",
                        "idle-millis: 50",
                        "cookie secret: 3 characters",
                        "regions: [north, north, a b]",
                        "regions: 'a b'",
                        "regions-file: missing")
                .hasMessageNotContaining("xyz");
        assertThatThrownBy(() -> new SigningKey("a..b", "hmac-md5", "?"))
                .hasMessageContainingAll("key name: 'a..b.'", "algorithm: hmac-md5", "secret: (not base64");
        assertThat(new DnsServerSettings.Zone(List.of("K1"), List.of(), List.of()).transferKeys())
                .containsExactly("k1.");
        assertThat(Map.of("k", new SigningKey("k", "HMAC-SHA256", "AAAA")).toString())
                .doesNotContain("AAAA");
    }
}
