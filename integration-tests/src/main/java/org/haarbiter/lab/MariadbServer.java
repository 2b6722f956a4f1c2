package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** MariaDB 10.11 or newer, with strict global transaction identifiers, configured to start fenced. */
public final class MariadbServer extends ChildSqlServer {

    /** The installer's own accounts go first: root at 127.0.0.1 without password would win over root at any address. */
    private static final String ACCOUNTS =
            "DELETE FROM mysql.global_priv WHERE User='' OR (User='root' AND Host<>'localhost');\n"
                    + "FLUSH PRIVILEGES;\n"
                    + Account.ROOT.create()
                    + "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
                    + Account.AGENT.create()
                    + "GRANT BINLOG MONITOR, REPLICA MONITOR, READ_ONLY ADMIN, REPLICATION MASTER ADMIN,"
                    + " REPLICATION SLAVE ADMIN, CONNECTION ADMIN, PROCESS, RELOAD ON *.* TO 'ha_agent'@'%';\n"
                    + Account.REPLICATION.create()
                    + "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%';\n"
                    + "CREATE DATABASE app;\n"
                    + "CREATE TABLE app.writes (id BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB;\n"
                    + Account.APPLICATION.create()
                    + "GRANT ALL ON app.* TO 'app'@'%';\n";

    private final Servers.Program program;

    /** A server that isn't started yet; throws when there is no MariaDB on this machine. */
    public MariadbServer(ServerPlan plan) {
        this(plan, Servers.mariadb());
    }

    private MariadbServer(ServerPlan plan, Servers.Program program) {
        super(plan, program.path());
        this.program = program;
    }

    @Override
    String configuration() {
        StringBuilder text = new StringBuilder("""
                [mariadbd]
                user=root
                skip_name_resolve=ON
                skip_ssl
                log_bin=binlog
                relay_log=relay
                binlog_format=ROW
                log_slave_updates=ON
                gtid_strict_mode=ON
                gtid_domain_id=0
                sync_binlog=1
                innodb_flush_log_at_trx_commit=1
                read_only=ON
                skip_slave_start=ON
                rpl_semi_sync_master_enabled=OFF
                rpl_semi_sync_slave_enabled=OFF
                rpl_semi_sync_master_timeout=4294967295
                rpl_semi_sync_master_wait_no_slave=ON
                rpl_semi_sync_master_wait_point=AFTER_SYNC
                init_rpl_role=SLAVE
                relay_log_recovery=OFF
                sync_relay_log=1
                slave_net_timeout=4
                event_scheduler=OFF
                extra_max_connections=10
                max_connections=200
                innodb_buffer_pool_size=32M
                innodb_log_file_size=64M
                performance_schema=OFF
                """);
        text.append("server_id=").append(serverId()).append('\n');
        text.append("bind_address=").append(address().host()).append('\n');
        text.append("port=").append(address().port()).append('\n');
        text.append("extra_port=").append(adminPort()).append('\n');
        text.append("report_host=").append(address().host()).append('\n');
        text.append("report_port=").append(address().port()).append('\n');
        text.append("datadir=").append(dataDir()).append('\n');
        text.append("socket=").append(socket()).append('\n');
        text.append("pid_file=").append(dataDir().resolveSibling("pid")).append('\n');
        text.append("log_error=").append(errorLog()).append('\n');
        for (String line : plan().settings()) {
            text.append(line).append('\n');
        }
        return text.toString();
    }

    @Override
    void makeData() throws IOException {
        TemplateDirectory.copyTo(dataDir(), "mariadb", program.version(), ACCOUNTS, this::initialise);
    }

    private void initialise(Path empty) throws IOException {
        Files.createDirectories(empty);
        Commands.run(
                List.of(
                        installer().toString(),
                        "--no-defaults",
                        "--user=root",
                        "--datadir=" + empty,
                        "--auth-root-authentication-method=normal",
                        "--skip-test-db",
                        "--innodb-log-file-size=64M"),
                "");
        Commands.run(
                List.of(
                        program.path().toString(),
                        "--no-defaults",
                        "--bootstrap",
                        "--user=root",
                        "--datadir=" + empty,
                        "--innodb-log-file-size=64M"),
                ACCOUNTS);
    }

    /** The script that fills a data directory stands beside the server or in its distribution's place for programs. */
    private Path installer() {
        Path here = program.path().toAbsolutePath().getParent();
        if (here != null) {
            for (String place :
                    List.of("mariadb-install-db", "../bin/mariadb-install-db", "../scripts/mariadb-install-db")) {
                Path candidate = here.resolve(place).normalize();
                if (Files.isExecutable(candidate)) {
                    return candidate;
                }
            }
        }
        return Servers.onPath("mariadb-install-db");
    }

    @Override
    public void provisionReplicaOf(DatabaseServer source) throws IOException {
        byHand("CHANGE MASTER TO MASTER_HOST='" + source.address().host() + "', MASTER_PORT="
                + source.address().port() + ", MASTER_USER='" + Account.REPLICATION.user() + "', MASTER_PASSWORD='"
                + Account.REPLICATION.password() + "', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1,"
                + " MASTER_HEARTBEAT_PERIOD=0.2");
    }

    @Override
    public void openByHand() throws IOException {
        byHand("SET GLOBAL read_only=0");
    }

    @Override
    public void replicateByHand(DatabaseServer source) throws IOException {
        byHand("START SLAVE");
    }
}
