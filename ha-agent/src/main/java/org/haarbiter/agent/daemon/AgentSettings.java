package org.haarbiter.agent.daemon;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.elasticsearch.ElasticsearchEngine;
import org.haarbiter.agent.engine.elasticsearch.ElasticsearchSettings;
import org.haarbiter.agent.engine.mysql.MariadbEngine;
import org.haarbiter.agent.engine.mysql.MysqlEngine;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.agent.engine.mysql.RebuildSettings;
import org.haarbiter.agent.engine.mysql.ReplicationTls;
import org.haarbiter.agent.engine.redis.RedisEngine;
import org.haarbiter.agent.engine.redis.RedisSettings;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.settings.Credentials;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Everything an agent is told, from one file.
 *
 * @param identity whom it speaks for
 * @param masters where every master listens for agents
 * @param stateDirectory where it remembers the newest epoch
 * @param metrics where Prometheus reads its metrics; null for nowhere
 * @param health where load balancers ask for this server's health; null for nowhere
 * @param timing how fast; the same as the masters'
 * @param server which engine its server is, and how to reach it
 * @param tls towards the masters; null for plain connections, on loopback or a network of one's own only
 */
public record AgentSettings(
        Identity identity,
        List<Endpoint> masters,
        Path stateDirectory,
        @Nullable Endpoint metrics,
        @Nullable Endpoint health,
        Timing timing,
        Server server,
        @Nullable TlsSettings tls) {

    /** Elasticsearch's rule for names, without what would have to be escaped in a URL or in JSON. */
    private static final Pattern INDEX = Pattern.compile("[a-z0-9][a-z0-9._-]{0,254}");

    /** A collection of its garbage makes a Java process stand still for longer than other servers are given. */
    private static final int LEAST_HUNG_JVM_MILLIS = 1_500;

    /** A fence is two changes of a cluster's state, each of which takes 150 to 400 ms under load; a node that isn't told in time is killed. */
    private static final int CLUSTER_FENCE_MILLIS = 1_200;

    private enum EngineKind {
        MYSQL,
        MARIADB,
        REDIS,
        ELASTICSEARCH
    }

    /** The engines there are, each with what it needs. */
    public sealed interface Server {
        /** Starts an engine, which its caller closes. */
        Engine open();

        /** MySQL 8.4 or newer. */
        record Mysql(MysqlSettings settings) implements Server {
            @Override
            public Engine open() {
                return new MysqlEngine(settings);
            }
        }

        /** MariaDB 10.11 or newer. */
        record Mariadb(MysqlSettings settings) implements Server {
            @Override
            public Engine open() {
                return new MariadbEngine(settings);
            }
        }

        /** Redis 7.0 or newer, or Valkey. */
        record Redis(RedisSettings settings) implements Server {
            @Override
            public Engine open() {
                return new RedisEngine(settings);
            }
        }

        /** Elasticsearch 8 or newer. */
        record Elasticsearch(ElasticsearchSettings settings) implements Server {
            @Override
            public Engine open() {
                return new ElasticsearchEngine(settings);
            }
        }
    }

    /** Copies the masters. */
    public AgentSettings {
        masters = List.copyOf(masters);
    }

    /**
     * Reads the file.
     *
     * @throws SettingsException with every mistake
     */
    public static AgentSettings read(Path file) {
        return SettingsReader.file(file).read(AgentSettings::from);
    }

    private static AgentSettings from(Section root) {
        Endpoint address = root.endpoint("address");
        Section times = root.section("timing");
        Timing given = Timing.read(times);
        Section tls = root.section("tls");
        String group = root.groupName("group");
        Path stateDirectory = root.path("state-directory");
        TlsSettings tlsSettings = TlsSettings.ofArbiter(tls);
        EngineKind kind = root.oneOf("engine", EngineKind.class);
        Timing timing = kind == EngineKind.ELASTICSEARCH && !times.has("fence-budget-millis")
                ? given.withFenceBudgetMillis(Math.max(CLUSTER_FENCE_MILLIS, given.fenceBudgetMillis()))
                : given;
        Section section = root.section("server");
        Server server = switch (kind) {
            case MYSQL -> new Server.Mysql(sql(section, address, timing, stateDirectory, tlsSettings));
            case MARIADB -> new Server.Mariadb(sql(section, address, timing, stateDirectory, tlsSettings));
            case REDIS -> new Server.Redis(redis(section, address, timing, stateDirectory));
            case ELASTICSEARCH -> new Server.Elasticsearch(elasticsearch(section, address, timing));
        };
        return new AgentSettings(
                new Identity(
                        group,
                        root.name("member"),
                        root.name("site"),
                        address,
                        root.endpoint("agent-address"),
                        root.flag("electable", true)),
                root.endpoints("masters", 1, 9),
                stateDirectory,
                root.has("metrics") ? root.endpoint("metrics") : null,
                root.has("health") ? root.endpoint("health") : null,
                timing,
                server,
                tlsSettings);
    }

    private static RedisSettings redis(Section section, Endpoint address, Timing timing, Path stateDirectory) {
        Path agentFile = section.path("credentials-file");
        Credentials agent = credentials(section, "credentials-file", agentFile);
        Credentials replication = section.has("replication-credentials-file")
                ? credentials(section, "replication-credentials-file", section.path("replication-credentials-file"))
                : null;
        return new RedisSettings(
                address,
                section.has("socket") ? section.path("socket") : null,
                section.has("data-directory") ? section.path("data-directory") : null,
                agent.user(),
                agent.password(),
                agentFile.toString(),
                replication == null ? null : replication.user(),
                replication == null ? null : replication.password(),
                TlsSettings.read(section.section("tls")),
                Math.max(100, timing.hungMillis()),
                section.intAt("disk-millis", 4 * Math.max(100, timing.hungMillis()), 100, 600_000),
                timing.watchMillis(),
                stateDirectory);
    }

    private static ElasticsearchSettings elasticsearch(Section section, Endpoint address, Timing timing) {
        Credentials agent = section.has("credentials-file")
                ? credentials(section, "credentials-file", section.path("credentials-file"))
                : null;
        return new ElasticsearchSettings(
                address,
                agent == null ? null : agent.user(),
                agent == null ? null : agent.password(),
                section.has("ca-file") ? section.path("ca-file") : null,
                section.strings("aliases", 1, 100, INDEX, "names of aliases, in lower case"),
                section.string("checkpoint-index", "ha-checkpoint", INDEX, "a name of an index, in lower case"),
                section.intAt("hung-millis", Math.max(LEAST_HUNG_JVM_MILLIS, timing.hungMillis()), 100, 600_000),
                section.intAt("election-millis", 4 * Math.max(500, timing.silenceMillis()), 100, 600_000),
                timing.watchMillis());
    }

    private static MysqlSettings sql(
            Section section, Endpoint address, Timing timing, Path stateDirectory, @Nullable TlsSettings tls) {
        Path agentFile = section.path("credentials-file");
        Credentials agent = credentials(section, "credentials-file", agentFile);
        Credentials replication =
                credentials(section, "replication-credentials-file", section.path("replication-credentials-file"));
        return new MysqlSettings(
                section.path("socket"),
                address,
                section.path("data-directory"),
                agent.user(),
                agent.password(),
                agentFile.toString(),
                replication.user(),
                replication.password(),
                replicationTls(section),
                Math.max(100, timing.hungMillis()),
                section.intAt("disk-millis", 4 * Math.max(100, timing.hungMillis()), 100, 600_000),
                timing.watchMillis(),
                rebuild(section, stateDirectory, tls));
    }

    private static RebuildSettings rebuild(Section section, Path stateDirectory, @Nullable TlsSettings tls) {
        String stop = section.has("stop-command") ? section.string("stop-command") : null;
        String start = section.has("start-command") ? section.string("start-command") : null;
        section.check(
                stop == null || start != null,
                "stop-command",
                String.valueOf(stop),
                "must be given together with start-command: a server that is stopped must be started again");
        return new RebuildSettings(
                stateDirectory,
                section.has("tools-directory") ? section.path("tools-directory") : null,
                stop,
                start,
                section.intAt("copy-port", 0, 1, 65_535),
                tls);
    }

    private static ReplicationTls replicationTls(Section section) {
        ReplicationTls.Mode mode = section.oneOf("replication-tls", ReplicationTls.Mode.SERVER_DEFAULT);
        boolean verified = mode == ReplicationTls.Mode.VERIFIED;
        // The server reads it, which may see another root directory than the agent: no path of this file's.
        String file = section.string("replication-ca-file", "");
        boolean fits = verified != file.isEmpty();
        section.check(
                fits, "replication-ca-file", file, "must be given with replication-tls: verified, and only with it");
        return fits ? new ReplicationTls(mode, verified ? file : null) : ReplicationTls.NONE;
    }

    private static Credentials credentials(Section section, String key, Path file) {
        try {
            return Credentials.read(file);
        } catch (SettingsException e) {
            section.check(false, key, file, "must hold 'user' and 'password': " + e.getMessage());
            return new Credentials("?", "?");
        }
    }
}
