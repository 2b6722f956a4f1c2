package org.haarbiter.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsReaderTest {
    private static final Pattern WORD = Pattern.compile("[a-z]+");

    @TempDir
    Path directory;

    private record Everything(
            String group,
            int port,
            long bytes,
            boolean loud,
            PositionKind kind,
            Endpoint server,
            List<Endpoint> masters,
            List<String> tags,
            Map<String, String> labels,
            Path key,
            List<String> zones,
            Map<String, Integer> weights) {}

    private static Everything everything(Section root) {
        return new Everything(
                root.name("group"),
                root.intAt("port", 7400, 1, 65_535),
                root.longAt("bytes", 0, Long.MAX_VALUE),
                root.flag("loud", false),
                root.oneOf("kind", PositionKind.class),
                root.endpoint("server"),
                root.endpoints("masters", 1, 7),
                root.strings("tags", 0, 5, WORD, "small letters"),
                root.stringMap("labels"),
                root.path("key"),
                root.sections("zones").stream().map(zone -> zone.name("zone")).toList(),
                root.sectionMap("weights").entrySet().stream()
                        .collect(java.util.stream.Collectors.toMap(
                                Map.Entry::getKey, entry -> entry.getValue().intAt("weight", 1, 1, 9))));
    }

    @Test
    void everyKindOfValueIsRead() throws Exception {
        Path file = directory.resolve("all.yaml");
        Files.writeString(file, """
                group: shard-7            # a comment
                bytes: 5000000000
                loud: true
                kind: mariadb-gtid
                server: "[::1]:3306"
                masters: [10.0.0.1:7400, 10.0.0.2:7400]
                tags: [a, b]
                labels: {site: north, rack: 012}
                key: tls/agent.key
                zones:
                  - zone: north
                  - zone: south
                weights:
                  north: {weight: 3}
                  south:
                """);
        assertThat(SettingsReader.file(file).read(SettingsReaderTest::everything))
                .isEqualTo(new Everything(
                        "shard-7",
                        7400,
                        5_000_000_000L,
                        true,
                        PositionKind.MARIADB_GTID,
                        new Endpoint("::1", 3306),
                        List.of(new Endpoint("10.0.0.1", 7400), new Endpoint("10.0.0.2", 7400)),
                        List.of("a", "b"),
                        Map.of("site", "north", "rack", "012"),
                        directory.resolve("tls/agent.key"),
                        List.of("north", "south"),
                        Map.of("north", 3, "south", 1)));
    }

    @Test
    void allMistakesAreReportedAtOnceInTheOrderOfTheFile() {
        assertThat(mistakes("""
                        group: "a b"
                        port: 70000
                        bytes: ten
                        loud: yes
                        kind: oracle
                        server: 10.0.0.1
                        masters:
                          - 10.0.0.1:7400
                          - 10.0.0.1:7400
                          - 10.0.0.1:x
                        tags: a
                        labels: [a]
                        zones: {zone: north}
                        prot: 7401
                        zebra: 1
                        port: 7402
                        """, SettingsReaderTest::everything))
                .containsExactly(
                        "t:1: group: a b (must be 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit)",
                        "t:1: key: missing (must be a path of a file)",
                        "t:2: port: 70000 (must be 1 to 65535)",
                        "t:3: bytes: ten (must be 0 or more)",
                        "t:4: loud: yes (must be true or false)",
                        "t:5: kind: oracle (must be one of mysql-gtid, mariadb-gtid, replication-offset, stream-offsets)",
                        "t:6: server: 10.0.0.1 (must be HOST:PORT, the port 1 to 65535, an IPv6 address as [ADDRESS])",
                        "t:9: masters: 10.0.0.1:7400 (must stand in the list once)",
                        "t:10: masters: 10.0.0.1:x (must be HOST:PORT, the port 1 to 65535, an IPv6 address as [ADDRESS])",
                        "t:11: tags: a (must be a list of 0 to 5 entries, each small letters)",
                        "t:12: labels: a list (must be a mapping of KEY: VALUE lines)",
                        "t:13: zones: a mapping (must be a list of mappings)",
                        "t:14: prot: unknown (did you mean port?)",
                        "t:15: zebra: unknown (known here: group, port, bytes, loud, kind, server, masters, tags, labels, "
                                + "key, zones, weights)",
                        "t:16: port: given twice (must be given once; it stands in line 2 too)");
    }

    @Test
    void nestedKeysAreNamedByTheirPath() {
        assertThat(mistakes("""
                        dns:
                          zone: example.org
                          ttl-seconds: 0
                          servers:
                            - adress: 10.0.0.1:53
                        """, root -> {
                    Section dns = root.section("dns");
                    dns.sections("servers").forEach(server -> server.endpoint("address"));
                    return dns.string("zone") + dns.intAt("ttl-seconds", 5, 1, 60);
                }))
                .containsExactly(
                        "t:3: dns.ttl-seconds: 0 (must be 1 to 60)",
                        "t:5: dns.servers[0].address: missing (must be HOST:PORT, the port 1 to 65535, an IPv6 address as [ADDRESS])",
                        "t:5: dns.servers[0].adress: unknown (did you mean address?)");
    }

    @Test
    void anEmptyValueIsAMistakeAndNotTheDefault() {
        assertThat(mistakes("port:\n", root -> root.intAt("port", 1, 1, 2)))
                .containsExactly("t:1: port: empty (must be 1 to 2)");
    }

    @Test
    void whatIsRequiredIsMissingFromAnEmptyFileToo() {
        assertThat(mistakes("# nothing\n", root -> root.section("dns").string("zone")))
                .containsExactly("t:1: dns.zone: missing (must be a text)");
    }

    @Test
    void aRecordThatRefusesAStandInDoesNotHideTheMistake() {
        assertThat(mistakes("port: 0\n", root -> new Endpoint(root.string("host", " "), root.intAt("port", 9, 1, 9))))
                .containsExactly("t:1: port: 0 (must be 1 to 9)");
    }

    @Test
    void secretsAreNeverQuoted() {
        assertThat(mistakes("password: [hunter2]\n", root -> root.secret("password")))
                .containsExactly("t:1: password: (must be a text, not empty)");
        assertThatThrownBy(() -> SettingsReader.text("t", "user: a\npassword: \"hunter2\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageStartingWith("t:3: ")
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void filesThatAreNoSettingsAreRefusedWithAReason() throws Exception {
        Path binary = directory.resolve("binary");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> SettingsReader.file(binary))
                .hasMessage(binary + ": not UTF-8 (must be a text file in UTF-8)");
        assertThatThrownBy(() -> SettingsReader.file(directory.resolve("none")))
                .hasMessage(directory.resolve("none") + ": not found (must be a readable file)");
        assertThatThrownBy(() -> SettingsReader.text("t", "- a\n- b\n"))
                .hasMessage("t:1: must be a mapping of KEY: VALUE lines");
        assertThatThrownBy(() -> SettingsReader.text("t", "a: 1\n---\nb: 2\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageStartingWith("t:2: ");
    }

    @Test
    void credentialsAreReadOnlyWhereNobodyElseCan() throws Exception {
        Path file = directory.resolve("credentials.yaml");
        Files.writeString(file, "user: arbiter\npassword: hunter2\n");
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> Credentials.read(file))
                .hasMessage(file + ": permissions rw-r----- (must be rw------- or r--------: it holds a secret; run: "
                        + "chmod 600 " + file + ")");
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("r--------"));
        assertThat(Credentials.read(file)).isEqualTo(new Credentials("arbiter", "hunter2"));
        assertThat(Credentials.read(file)).hasToString("Credentials[user=arbiter]");
    }

    private static <T> List<String> mistakes(String yaml, Function<Section, T> builder) {
        return catchThrowableOfType(
                        SettingsException.class,
                        () -> SettingsReader.text("t", yaml).read(builder))
                .mistakes();
    }
}
