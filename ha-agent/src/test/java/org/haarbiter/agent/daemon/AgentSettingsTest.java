package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.haarbiter.agent.engine.redis.RedisSettings;
import org.haarbiter.settings.SettingsException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AgentSettingsTest {
    private static final String COMMON = """
            group: cache-0001
            member: cache-0001-a
            site: north
            address: "10.0.1.21:6379"
            agent-address: "10.0.1.21:7401"
            masters: ["10.0.1.11:7201"]
            state-directory: state
            timing: {profile: normal}
            """;

    @TempDir
    Path directory;

    @BeforeEach
    void credentials() throws IOException {
        credentials("agent.yaml", "ha_agent");
        credentials("replication.yaml", "repl");
    }

    private void credentials(String name, String user) throws IOException {
        Path file = directory.resolve(name);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, "user: " + user + "\npassword: secret\n");
    }

    private AgentSettings read(String text) throws IOException {
        Path file = directory.resolve("agent-settings.yaml");
        Files.writeString(file, COMMON + text);
        return AgentSettings.read(file);
    }

    private RedisSettings redis(String text) throws IOException {
        return ((AgentSettings.Server.Redis) read(text).server()).settings();
    }

    @Test
    void aRedisServerNeedsNoMoreThanAnAccount() throws IOException {
        RedisSettings settings = redis("engine: redis\nserver: {credentials-file: agent.yaml}\n");
        assertThat(settings.address()).hasToString("10.0.1.21:6379");
        assertThat(settings.user()).isEqualTo("ha_agent");
        assertThat(settings.socket()).isNull();
        assertThat(settings.dataDirectory()).isNull();
        assertThat(settings.replicationUser()).isNull();
        assertThat(settings.tls()).isNull();
        assertThat(settings.toString()).doesNotContain("secret");
    }

    @Test
    void everythingOfARedisServerCanBeGiven() throws IOException {
        RedisSettings settings = redis("""
                engine: redis
                server:
                  credentials-file: agent.yaml
                  replication-credentials-file: replication.yaml
                  socket: /run/redis/redis-server.sock
                  data-directory: /var/lib/redis
                  disk-millis: 4000
                  tls: {certificate: a.crt, key: a.key, ca: ca.crt}
                """);
        assertThat(settings.socket()).hasToString("/run/redis/redis-server.sock");
        assertThat(settings.dataDirectory()).hasToString("/var/lib/redis");
        assertThat(settings.replicationUser()).isEqualTo("repl");
        assertThat(settings.replicationPassword()).isEqualTo("secret");
        assertThat(settings.diskMillis()).isEqualTo(4_000);
        assertThat(settings.tls()).isNotNull();
    }

    @Test
    void loadBalancersAreAnsweredWhereItIsSaid() throws IOException {
        String server = "engine: redis\nserver: {credentials-file: agent.yaml}\n";
        assertThat(read(server).health()).isNull();
        assertThat(read("health: \"10.0.1.21:9201\"\n" + server).health()).hasToString("10.0.1.21:9201");
        assertThatThrownBy(() -> read("health: 9201\n" + server))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("health: ");
    }

    /** A line that is commented out is a setting, too. */
    @ParameterizedTest
    @ValueSource(strings = {"ha-agent.yaml", "ha-agent-redis.yaml", "ha-agent-elasticsearch.yaml"})
    void theSamplesNameTheHealthPort(String sample) throws IOException {
        String line = Files.readString(Path.of("../conf", sample))
                .lines()
                .filter(l -> l.startsWith("#health:"))
                .findFirst()
                .orElseThrow();
        String server = "engine: redis\nserver: {credentials-file: agent.yaml}\n";
        assertThat(read(line.substring(1) + "\n" + server).health()).isNotNull();
    }

    @Test
    void mistakesAreReportedTogether() {
        assertThatThrownBy(() -> read("engine: redis\nserver: {credentials-file: none.yaml, copy-port: 7404}\n"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("credentials-file")
                .hasMessageContaining("copy-port");
    }

    @Test
    void theOtherEnginesAreReadAsBefore() throws IOException {
        String server = """
                server:
                  socket: /run/mysqld/mysqld.sock
                  data-directory: /var/lib/mysql
                  credentials-file: agent.yaml
                  replication-credentials-file: replication.yaml
                """;
        assertThat(read("engine: mysql\n" + server).server()).isInstanceOf(AgentSettings.Server.Mysql.class);
        assertThat(read("engine: mariadb\n" + server).server()).isInstanceOf(AgentSettings.Server.Mariadb.class);
        assertThatThrownBy(() -> read("engine: oracle\n" + server))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("redis");
    }

    /** The samples know every key; paths and credentials are the reader's own. */
    @Test
    void theSampleOfRedisIsRead() throws IOException {
        String sample = Files.readString(Path.of("../conf/ha-agent-redis.yaml"))
                .replace(
                        "/etc/ha-arbiter/agent-credentials.yaml",
                        directory.resolve("agent.yaml").toString())
                .replace(
                        "# replication-credentials-file: /etc/ha-arbiter/replication-credentials.yaml",
                        "replication-credentials-file: " + directory.resolve("replication.yaml"));
        Path file = directory.resolve("sample.yaml");
        Files.writeString(file, sample);
        assertThat(AgentSettings.read(file).server()).isInstanceOf(AgentSettings.Server.Redis.class);
    }

    @Test
    void theSampleOfElasticsearchIsReadAndItsNamesAreChecked() throws IOException {
        String sample = Files.readString(Path.of("../conf/ha-agent-elasticsearch.yaml"));
        Path file = directory.resolve("sample.yaml");
        Files.writeString(file, sample);
        AgentSettings read = AgentSettings.read(file);
        assertThat(read.server()).isInstanceOf(AgentSettings.Server.Elasticsearch.class);
        assertThat(read.timing().fenceBudgetMillis()).isEqualTo(1_200);
        Files.writeString(file, sample.replace("{profile: normal}", "{profile: fast}"));
        assertThat(AgentSettings.read(file).timing().fenceBudgetMillis()).isEqualTo(499);
        Files.writeString(file, sample.replace("{profile: normal}", "{profile: normal, fence-budget-millis: 300}"));
        assertThat(AgentSettings.read(file).timing().fenceBudgetMillis()).isEqualTo(300);
        Files.writeString(
                file, sample.replace("  # ca-file: /etc/ha-arbiter/elasticsearch-ca.crt", "  ca-file: nodes.crt"));
        assertThat(AgentSettings.read(file).server())
                .isInstanceOfSatisfying(
                        AgentSettings.Server.Elasticsearch.class,
                        server -> assertThat(server.settings().ca()).isEqualTo(directory.resolve("nodes.crt")));
        Files.writeString(file, sample.replace("[orders]", "[Orders]"));
        assertThatThrownBy(() -> AgentSettings.read(file))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("aliases: Orders (must be")
                .hasMessageContaining("lower case");
    }
}
