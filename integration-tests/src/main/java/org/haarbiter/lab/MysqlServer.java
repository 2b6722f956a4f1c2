package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** MySQL 8.4 or newer, with global transaction identifiers and row-based binary log, configured to start fenced. */
public final class MysqlServer extends ChildSqlServer {

    /**
     * Each statement stands on one line: that is how a file of initial statements is read. The agent's rights are those
     * that its statements were seen to need; RELOAD is for RESET REPLICA ALL only.
     */
    private static final String ACCOUNTS = Account.ROOT.create()
            + "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
            + Account.AGENT.create()
            + "GRANT CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN, REPLICATION_SLAVE_ADMIN, REPLICATION CLIENT, SYSTEM_USER,"
            + " SERVICE_CONNECTION_ADMIN, CLONE_ADMIN, RELOAD ON *.* TO 'ha_agent'@'%';\n"
            + "GRANT SELECT ON performance_schema.* TO 'ha_agent'@'%';\n"
            + Account.REPLICATION.create()
            + "GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO 'repl'@'%';\n"
            + "CREATE DATABASE app;\n"
            + "CREATE TABLE app.writes (id BIGINT NOT NULL PRIMARY KEY);\n"
            + Account.APPLICATION.create()
            + "GRANT ALL ON app.* TO 'app'@'%';\n";

    /** performance_schema is on for its replication tables only: with these sizes it costs 2 MB, by default 180 MB. */
    private static final List<String> NO_INSTRUMENTS = List.of(
            "accounts_size",
            "hosts_size",
            "users_size",
            "events_waits_history_size",
            "events_waits_history_long_size",
            "events_stages_history_size",
            "events_stages_history_long_size",
            "events_statements_history_size",
            "events_statements_history_long_size",
            "events_transactions_history_size",
            "events_transactions_history_long_size",
            "max_mutex_instances",
            "max_rwlock_instances",
            "max_cond_instances",
            "max_file_instances",
            "max_table_instances",
            "max_socket_instances",
            "max_mutex_classes",
            "max_rwlock_classes",
            "max_cond_classes",
            "max_file_classes",
            "max_memory_classes",
            "max_stage_classes",
            "max_statement_classes",
            "max_socket_classes",
            "max_index_stat",
            "max_table_lock_stat",
            "max_metadata_locks",
            "max_table_handles",
            "max_prepared_statements_instances",
            "max_program_instances",
            "max_file_handles",
            "max_digest_length",
            "max_sql_text_length",
            "digests_size",
            "error_size",
            "session_connect_attrs_size");

    private final Servers.Program program;

    /** A server that isn't started yet; throws when there is no MySQL on this machine. */
    public MysqlServer(ServerPlan plan) {
        this(plan, Servers.mysql());
    }

    private MysqlServer(ServerPlan plan, Servers.Program program) {
        super(plan, program.path());
        this.program = program;
    }

    @Override
    String configuration() {
        StringBuilder text = new StringBuilder("""
                [mysqld]
                user=root
                mysqlx=OFF
                create_admin_listener_thread=ON
                skip_name_resolve=ON
                secure_file_priv=NULL
                log_bin=binlog
                relay_log=relay
                gtid_mode=ON
                enforce_gtid_consistency=ON
                log_replica_updates=ON
                sync_binlog=1
                innodb_flush_log_at_trx_commit=1
                read_only=ON
                super_read_only=ON
                offline_mode=ON
                skip_replica_start=ON
                plugin_load_add=semisync_source.so
                plugin_load_add=semisync_replica.so
                plugin_load_add=mysql_clone.so
                rpl_semi_sync_source_enabled=OFF
                rpl_semi_sync_replica_enabled=OFF
                rpl_semi_sync_source_timeout=4294967295
                rpl_semi_sync_source_wait_no_replica=ON
                rpl_semi_sync_source_wait_point=AFTER_SYNC
                rpl_semi_sync_source_wait_for_replica_count=1
                relay_log_recovery=OFF
                sync_relay_log=1
                relay_log_purge=ON
                replica_net_timeout=4
                replica_parallel_workers=32
                binlog_group_commit_sync_delay=1000
                innodb_log_writer_threads=OFF
                innodb_sync_spin_loops=0
                innodb_redo_log_capacity=64M
                innodb_buffer_pool_size=32M
                innodb_log_buffer_size=4M
                max_connections=200
                table_open_cache=200
                table_definition_cache=400
                performance_schema=ON
                performance_schema_instrument='%=OFF'
                performance_schema_max_statement_stack=1
                """);
        for (String size : NO_INSTRUMENTS) {
            text.append("performance_schema_").append(size).append("=0\n");
        }
        text.append("server_id=").append(serverId()).append('\n');
        text.append("bind_address=").append(address().host()).append('\n');
        text.append("port=").append(address().port()).append('\n');
        text.append("admin_address=").append(address().host()).append('\n');
        text.append("admin_port=").append(adminPort()).append('\n');
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
        TemplateDirectory.copyTo(dataDir(), "mysql", program.version(), ACCOUNTS, this::initialise);
    }

    private void initialise(Path empty) throws IOException {
        Path accounts = empty.resolveSibling("accounts.sql");
        Path log = empty.resolveSibling("initialise.log");
        Files.writeString(accounts, ACCOUNTS, StandardCharsets.UTF_8);
        try {
            Commands.run(
                    List.of(
                            program.path().toString(),
                            "--no-defaults",
                            "--initialize-insecure",
                            "--user=root",
                            "--datadir=" + empty,
                            "--skip-log-bin",
                            "--innodb-redo-log-capacity=8M",
                            "--innodb-buffer-pool-size=32M",
                            "--skip-performance-schema",
                            "--secure-file-priv=NULL",
                            "--init-file=" + accounts,
                            "--log-error=" + log),
                    "");
        } catch (IOException e) {
            throw new IOException("MySQL couldn't make a data directory:\n" + ServerProcess.tail(log), e);
        }
        // Every copy must give itself an identity of its own.
        Files.delete(empty.resolve("auto.cnf"));
    }

    @Override
    public void provisionReplicaOf(DatabaseServer source) throws IOException {
        byHand("CHANGE REPLICATION SOURCE TO SOURCE_HOST='" + source.address().host() + "', SOURCE_PORT="
                + source.address().port() + ", SOURCE_USER='" + Account.REPLICATION.user() + "', SOURCE_PASSWORD='"
                + Account.REPLICATION.password()
                + "', SOURCE_SSL=0, SOURCE_AUTO_POSITION=1, REQUIRE_ROW_FORMAT=1, GTID_ONLY=1, GET_SOURCE_PUBLIC_KEY=1,"
                + " SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=100000, SOURCE_HEARTBEAT_PERIOD=0.2");
    }

    @Override
    public void openByHand() throws IOException {
        byHand("SET GLOBAL super_read_only=0", "SET GLOBAL read_only=0", "SET GLOBAL offline_mode=0");
    }

    @Override
    public void replicateByHand(DatabaseServer source) throws IOException {
        byHand("SET GLOBAL offline_mode=0", "START REPLICA");
    }
}
