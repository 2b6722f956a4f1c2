package org.haarbiter.agent.daemon;

import java.nio.file.Path;
import java.util.List;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.agent.engine.mysql.RebuildSettings;
import org.haarbiter.agent.engine.mysql.ReplicationTls;
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
 * @param engine which engine its server is
 * @param masters where every master listens for agents
 * @param stateDirectory where it remembers the newest epoch
 * @param metrics where Prometheus reads its metrics; null for nowhere
 * @param timing how fast; the same as the masters'
 * @param server how to reach the database server
 * @param tls towards the masters; null for plain connections, on loopback or a network of one's own only
 */
public record AgentSettings(
        Identity identity,
        EngineKind engine,
        List<Endpoint> masters,
        Path stateDirectory,
        @Nullable Endpoint metrics,
        Timing timing,
        MysqlSettings server,
        @Nullable TlsSettings tls) {

    /** The engines there are. */
    public enum EngineKind {
        /** MySQL 8.4 or newer. */
        MYSQL,
        /** MariaDB 10.11 or newer. */
        MARIADB
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
        Timing timing = Timing.read(root.section("timing"));
        Section tls = root.section("tls");
        String group = root.name("group");
        // The group becomes part of DNS names, and BIND refuses addresses at names with an underscore.
        root.check(group.indexOf('_') < 0, "group", group, "must not contain '_': it becomes part of DNS names");
        Path stateDirectory = root.path("state-directory");
        TlsSettings tlsSettings = tls.given() ? TlsSettings.read(tls) : null;
        return new AgentSettings(
                new Identity(
                        group,
                        root.name("member"),
                        root.name("site"),
                        address,
                        root.endpoint("agent-address"),
                        root.flag("electable", true)),
                root.oneOf("engine", EngineKind.class),
                root.endpoints("masters", 1, 9),
                stateDirectory,
                root.has("metrics") ? root.endpoint("metrics") : null,
                timing,
                server(root.section("server"), address, timing, stateDirectory, tlsSettings),
                tlsSettings);
    }

    private static MysqlSettings server(
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
