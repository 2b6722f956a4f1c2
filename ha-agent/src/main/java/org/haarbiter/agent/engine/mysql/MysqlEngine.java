package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.agent.process.ServerProcess;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine for MySQL 8.4 and newer, with GTIDs. The server must be configured to start fenced. */
public final class MysqlEngine extends SqlEngine {
    private static final Logger LOG = LoggerFactory.getLogger(MysqlEngine.class);

    private static final Traits TRAITS = new Traits("mysql", PositionKind.MYSQL_GTID, true);

    private static final long ASK_NANOS = 20_000_000;
    private static final long CUT_NANOS = 100_000_000;
    private static final long STOP_NANOS = 100_000_000;
    private static final long WAIT_STEP_MILLIS = 200;

    /** A shorter limit lets a commit through without acknowledgement while somebody still looks at the outage. */
    private static final long WITHOUT_LIMIT_MILLIS = 3_600_000;

    private static final String READ_ONLY = "SET GLOBAL super_read_only=1";
    private static final String NOTHING = "DO 0";

    private static final String CUT_INPUT = "STOP REPLICA IO_THREAD";
    private static final String ALLOW_READS = "SET GLOBAL offline_mode=0";

    /** Takes up to a second, in which the server answers nobody who asks for a global variable: it ends a thread that polls. */
    private static final String LOAD_SOURCE_PLUGIN = "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'";

    private static final String LOAD_REPLICA_PLUGIN =
            "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'";
    private static final String NO_ACKNOWLEDGEMENT = "SET GLOBAL rpl_semi_sync_source_enabled=0";

    private static final String LONGEST_TIMEOUT = "4294967295";

    private static final int OFFLINE = 3032;
    private static final int NOT_CONFIGURED = 1200;
    private static final int NO_SOURCE = 13117;
    private static final int STOP_APPLIER_FIRST = 3081;
    private static final int STOP_REPLICA_FIRST = 3021;

    private static final List<String> PRIVILEGES = List.of(
            "CONNECTION_ADMIN",
            "SYSTEM_VARIABLES_ADMIN",
            "REPLICATION_SLAVE_ADMIN",
            "REPLICATION CLIENT",
            "SERVICE_CONNECTION_ADMIN",
            "SYSTEM_USER",
            "RELOAD");

    /** The semi-synchronous plugins are loaded: without them their variables are unknown. */
    private volatile boolean sourcePlugin;

    private volatile boolean replicaPlugin;

    /** Starts watching; the server may come later. */
    public MysqlEngine(MysqlSettings settings) {
        super(settings);
    }

    @Override
    public Traits traits() {
        return TRAITS;
    }

    @Override
    String probeSql() {
        return "SELECT @@server_uuid, @@version, @@global.read_only, @@global.offline_mode, @@global.gtid_executed";
    }

    @Override
    Probe readProbe(Rows rows) {
        boolean open = rows.text(0, 2).equals("0") && rows.text(0, 3).equals("0");
        return new Probe(rows.text(0, 0), rows.text(0, 1), open, PositionKind.MYSQL_GTID.parse(rows.text(0, 4)));
    }

    @Override
    String replicationSql() {
        return "SELECT c.HOST, c.PORT, s.SERVICE_STATE AS INPUT, s.COUNT_RECEIVED_HEARTBEATS,"
                + " s.LAST_HEARTBEAT_TIMESTAMP, s.RECEIVED_TRANSACTION_SET, s.LAST_ERROR_NUMBER, s.LAST_ERROR_MESSAGE,"
                + " a.SERVICE_STATE AS APPLIER,"
                + " (SELECT MAX(LAST_ERROR_NUMBER) FROM performance_schema.replication_applier_status_by_worker"
                + " WHERE CHANNEL_NAME='') AS APPLIER_ERRNO,"
                + " (SELECT MAX(LAST_ERROR_MESSAGE) FROM performance_schema.replication_applier_status_by_worker"
                + " WHERE CHANNEL_NAME='') AS APPLIER_ERROR"
                + " FROM performance_schema.replication_connection_configuration c"
                + " JOIN performance_schema.replication_connection_status s USING (CHANNEL_NAME)"
                + " JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)"
                + " WHERE c.CHANNEL_NAME='';"
                + "SELECT @@global.max_connections AS MAX_CONNECTIONS"
                + (sourcePlugin
                        ? ", @@global.rpl_semi_sync_source_enabled AS SOURCE_ENABLED,"
                                + " @@global.rpl_semi_sync_source_wait_for_replica_count AS SOURCE_COUNT,"
                                + " @@global.rpl_semi_sync_source_timeout AS SOURCE_TIMEOUT,"
                                + " @@global.rpl_semi_sync_source_wait_no_replica AS SOURCE_WAITS,"
                                + " @@global.rpl_semi_sync_source_wait_point AS SOURCE_POINT"
                        : "")
                + (replicaPlugin ? ", @@global.rpl_semi_sync_replica_enabled AS REPLICA_ENABLED" : "")
                + ";SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_source_status',"
                + "'Rpl_semi_sync_source_clients','Rpl_semi_sync_source_wait_sessions','Rpl_semi_sync_source_yes_tx',"
                + "'Threads_connected','Connection_errors_max_connections')";
    }

    @Override
    Replication readReplication(List<Rows> results, Position applied) {
        Rows channel = results.get(0);
        Rows settings = results.get(1);
        Rows counters = results.get(2);
        boolean configured =
                !channel.isEmpty() && !channel.text(0, "HOST").isEmpty() && channel.number(0, "PORT", 0) > 0;
        Replication.Input input = Replication.Input.STOPPED;
        Position received = applied;
        if (configured) {
            input = switch (channel.text(0, "INPUT")) {
                case "ON" -> Replication.Input.RUNNING;
                case "CONNECTING" -> Replication.Input.TRYING;
                default -> Replication.Input.STOPPED;
            };
            received = plus(applied, channel.text(0, "RECEIVED_TRANSACTION_SET"));
        }
        boolean sourceSide = settings.text(0, "SOURCE_ENABLED").equals("1");
        boolean waits = sourceSide
                && settings.text(0, "SOURCE_WAITS").equals("1")
                && settings.text(0, "SOURCE_POINT").equals("AFTER_SYNC")
                && settings.number(0, "SOURCE_TIMEOUT", 0) >= WITHOUT_LIMIT_MILLIS
                && counters.named("Rpl_semi_sync_source_status").equals("ON");
        return new Replication(
                configured ? new Endpoint(channel.text(0, "HOST"), (int) channel.number(0, "PORT", 0)) : null,
                input,
                configured ? (int) channel.number(0, "LAST_ERROR_NUMBER", 0) : 0,
                configured ? channel.text(0, "LAST_ERROR_MESSAGE") : "",
                configured && channel.text(0, "APPLIER").equals("ON"),
                configured ? (int) channel.number(0, "APPLIER_ERRNO", 0) : 0,
                configured ? channel.text(0, "APPLIER_ERROR") : "",
                received,
                configured
                        ? channel.text(0, "COUNT_RECEIVED_HEARTBEATS") + " "
                                + channel.text(0, "LAST_HEARTBEAT_TIMESTAMP")
                        : "",
                settings.text(0, "REPLICA_ENABLED").equals("1"),
                sourceSide,
                sourcePlugin ? (int) counters.number("Rpl_semi_sync_source_clients", -1) : -1,
                waits ? (int) settings.number(0, "SOURCE_COUNT", 0) : 0,
                counters.number("Rpl_semi_sync_source_wait_sessions", 0),
                counters.number("Rpl_semi_sync_source_yes_tx", 0),
                counters.number("Threads_connected", 0),
                settings.number(0, "MAX_CONNECTIONS", Long.MAX_VALUE),
                counters.number("Connection_errors_max_connections", 0));
    }

    private static Position plus(Position applied, String received) {
        return ((GtidSet) applied).plus((GtidSet) PositionKind.MYSQL_GTID.parse(received));
    }

    @Override
    void attached(ServerProcess server, long deadline) throws SqlProblem {
        Rows variables = runStatus(
                        server,
                        "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
                                + " ('rpl_semi_sync_source_enabled','rpl_semi_sync_replica_enabled')",
                        deadline)
                .get(0);
        sourcePlugin = !variables.named("rpl_semi_sync_source_enabled").isEmpty();
        replicaPlugin = !variables.named("rpl_semi_sync_replica_enabled").isEmpty();
    }

    /**
     * The server keeps a digest of the password of each account that has logged in since its start, and since the last change of
     * any account, which may come by replication at any time: without it a login costs it 10,000 hash rounds, here 28 ms instead
     * of 2. Whoever follows a server that was just promoted is the first of that account, and the first write waits for it.
     */
    @Override
    void keepLoginsQuick(long deadlineNanos) {
        String user = settings().replicationUser();
        try (Session session =
                Session.connect(settings().socket(), user, settings().replicationPassword())) {
            session.login(deadlineNanos);
        } catch (SqlProblem | IOException e) {
            if (!(e instanceof SqlProblem problem && problem.code() == OFFLINE)) {
                LOG.info(
                        "{} can't log in here ({}): the first follower may take longer to attach",
                        user,
                        e.getMessage());
            }
        }
    }

    @Override
    String grant() {
        String account = quoted(settings().user()) + "@'localhost'";
        return "GRANT " + String.join(", ", PRIVILEGES) + ", CLONE_ADMIN ON *.* TO " + account
                + "; GRANT SELECT ON performance_schema.* TO " + account;
    }

    @Override
    List<String> check(Session session, long deadline) throws SqlProblem {
        List<Rows> results = session.run(
                "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('gtid_mode','enforce_gtid_consistency',"
                        + "'log_replica_updates','sync_binlog','innodb_flush_log_at_trx_commit','relay_log_recovery',"
                        + "'sync_relay_log','skip_replica_start','rpl_semi_sync_source_wait_point');"
                        + "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.persisted_variables WHERE"
                        + " VARIABLE_NAME IN ('super_read_only','read_only','offline_mode','skip_replica_start');"
                        + "SELECT VARIABLE_NAME, VARIABLE_SOURCE FROM performance_schema.variables_info WHERE"
                        + " VARIABLE_NAME IN ('super_read_only','offline_mode');"
                        + "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES",
                deadline);
        List<String> problems = new ArrayList<>();
        Rows variables = results.get(0);
        must(problems, variables, "gtid_mode", "ON", "replicas can't be compared");
        must(problems, variables, "log_replica_updates", "ON", "a promoted replica can't feed the others");
        must(problems, variables, "sync_binlog", "1", "a crash of the machine loses acknowledged writes");
        must(
                problems,
                variables,
                "innodb_flush_log_at_trx_commit",
                "1",
                "a crash of the machine loses acknowledged writes");
        must(
                problems,
                variables,
                "relay_log_recovery",
                "OFF",
                "a restart throws away what was acknowledged and isn't applied yet");
        must(problems, variables, "sync_relay_log", "1", "a crash of the machine loses what was acknowledged");
        must(problems, variables, "skip_replica_start", "ON", "it would follow an old source after a restart");
        if (!sourcePlugin || !replicaPlugin) {
            problems.add(
                    "semi-synchronous replication isn't loaded: " + LOAD_SOURCE_PLUGIN + "; " + LOAD_REPLICA_PLUGIN);
        }
        Rows persisted = results.get(1);
        for (int i = 0; i < persisted.size(); i++) {
            if (persisted.text(i, 1).equals("OFF")) {
                problems.add(
                        persisted.text(i, 0) + " is persisted as OFF, which beats the configuration file: a restarted"
                                + " server would not start fenced: RESET PERSIST " + persisted.text(i, 0));
            }
        }
        Rows sources = results.get(2);
        for (int i = 0; i < sources.size(); i++) {
            if (sources.text(i, 1).equals("COMPILED")) {
                problems.add("the server doesn't start fenced: write " + sources.text(i, 0)
                        + "=ON into its configuration file");
            }
        }
        checkPrivileges(problems, results.get(3));
        return problems;
    }

    private void checkPrivileges(List<String> problems, Rows rows) {
        TreeSet<String> mine = new TreeSet<>();
        TreeSet<String> others = new TreeSet<>();
        for (int i = 0; i < rows.size(); i++) {
            String account = rows.text(i, 0);
            String privilege = rows.text(i, 1).toUpperCase(Locale.ROOT);
            if (account.startsWith(quoted(settings().user()) + "@")) {
                mine.add(privilege);
            } else if ((privilege.equals("SUPER")
                            || privilege.equals("CONNECTION_ADMIN")
                            || privilege.equals("SYSTEM_USER"))
                    && !account.startsWith("'mysql.")
                    && !account.startsWith("'root'@")) {
                others.add(account);
            }
        }
        for (String needed : PRIVILEGES) {
            if (!mine.contains(needed)) {
                problems.add("the agent's account lacks " + needed + ": " + grant());
                break;
            }
        }
        for (String account : others) {
            problems.add(account + " passes every fence: REVOKE SUPER, CONNECTION_ADMIN, SYSTEM_USER ON *.* FROM "
                    + account);
        }
    }

    private static void must(List<String> problems, Rows variables, String name, String value, String otherwise) {
        String is = variables.named(name);
        if (!is.isEmpty() && !is.equalsIgnoreCase(value)) {
            problems.add(name + " is " + is + " (must be " + value + "): " + otherwise
                    + ": write it into the configuration file");
        }
    }

    // Commands.

    @Override
    public void fence(Duration limit) throws EngineException {
        ServerProcess target = fenceTarget();
        if (target == null) {
            return;
        }
        long start = System.nanoTime();
        // In this order: cutting the clients also cuts the replicas that acknowledge, and then waiting commits hold it
        // up.
        // A clone refuses a read-only server, at its end too, and a server that is cloned has no clients' data to
        // write.
        boolean readOnly = replacing() || attempt(true, target, READ_ONLY, start + ASK_NANOS);
        boolean cut = attempt(false, target, "SET GLOBAL offline_mode=1", start + CUT_NANOS);
        if (cut || target.look() != null) {
            if (!readOnly) {
                LOG.warn("clients are cut, and read-only waits for commits that nobody acknowledges");
            }
            return;
        }
        killUnlessClosed(target, "it didn't refuse its clients within " + CUT_NANOS / 1_000_000 + " ms");
    }

    @Override
    String refuseWritesSql() {
        return READ_ONLY;
    }

    @Override
    String allowWritesSql() {
        return "SET GLOBAL super_read_only=0, GLOBAL read_only=0";
    }

    @Override
    public @Nullable Observation seal(Duration limit) throws EngineException {
        requireWhole("cutting replication's input");
        long deadline = System.nanoTime() + limit.toNanos();
        ServerProcess server = server();
        Observation seen;
        try {
            // Read-only: a commit that waits for acknowledgements isn't part of the position, and may become so.
            seen = seen(server, tryRun("STOP REPLICA IO_THREAD;" + READ_ONLY + ";" + lookSql(), deadline), 2);
        } catch (SqlProblem e) {
            if (notAReplica(e)) {
                refuseWrites("making its position final", deadline);
                return null;
            }
            killIfStranded(e);
            throw failed("cutting replication's input", e);
        }
        Replication now = lastReplication();
        if (now != null && now.source() != null && !now.applier() && now.applierErrno() == 0) {
            startApplier(deadline);
            return null;
        }
        return seen;
    }

    private static boolean notAReplica(SqlProblem e) {
        return e.kind() == SqlProblem.Kind.REFUSED && (e.code() == NOT_CONFIGURED || e.code() == NO_SOURCE);
    }

    private void startApplier(long deadline) throws EngineException {
        try {
            tryRun("START REPLICA SQL_THREAD", deadline);
        } catch (SqlProblem e) {
            if (!notAReplica(e)) {
                throw failed("applying what was received", e);
            }
        }
    }

    @Override
    void open(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        if (promotion.acknowledgers() > 0 && !sourcePlugin) {
            throw notLoaded("opening writes with acknowledgements", LOAD_SOURCE_PLUGIN);
        }
        Replication before = lastReplication();
        if (!followed(before, promotion) || !hasApplied(promotion.upTo())) {
            startLogAndAwaitApplied(
                    followed(before, promotion) || commitsWait(before, deadline) ? NOTHING : NEW_BINARY_LOG,
                    promotion.upTo(),
                    deadline);
        }
        if (promotion.acknowledgers() == 0 && sourcePlugin && (before == null || before.sourceSide())) {
            runHeldUp("requiring no acknowledgement", NO_ACKNOWLEDGEMENT, deadline);
        }
        requirePermission(promotion, permitted, deadline);
        // Acknowledgements after catching up: its own applier would wait for some that never come. Before opening: no
        // commit may go through without. One statement sets its variables in their order, and none after one that
        // fails. A drained source has nothing more to send: clients needn't wait until the input is cut, 5 to 25 ms. It
        // goes with the opening, so that the agent's death leaves nobody open who acknowledges to another.
        run(
                "opening writes",
                (promotion.acknowledgers() > 0 ? requireSql(promotion.acknowledgers()) + ", " : "SET ")
                        + "GLOBAL super_read_only=0, GLOBAL read_only=0, GLOBAL offline_mode=0"
                        + (receives(before) ? ";" + CUT_INPUT : ""),
                deadline);
    }

    /**
     * A primary that was fenced while commits waited: a new binary log would wait for them, and they for those who can't attach
     * before this server lets clients in again.
     */
    private boolean commitsWait(@Nullable Replication before, long deadline) throws EngineException {
        return (before == null || before.source() == null)
                && freshReplication("looking for commits that wait", deadline).waiting() > 0;
    }

    /** Each statement of its own would be another turn of the server's and the agent's threads on a busy machine. */
    private void startLogAndAwaitApplied(String startLog, String upTo, long deadline) throws EngineException {
        if (upTo.isEmpty()) {
            run("starting a binary log", startLog, deadline);
            return;
        }
        String aim = "applying everything up to " + upTo;
        long began = System.nanoTime();
        String missing = "";
        boolean looked = false;
        while (true) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            long step = Math.max(1, Math.min(WAIT_STEP_MILLIS, left));
            List<Rows> answers = run(
                    aim,
                    (looked ? NOTHING : startLog)
                            + ";SELECT GTID_SUBTRACT(" + quoted(upTo) + ", @@global.gtid_executed);"
                            + "SELECT WAIT_FOR_EXECUTED_GTID_SET(" + quoted(upTo) + ", "
                            + String.format(Locale.ROOT, "%.3f", step / 1000.0) + ")",
                    deadline + WAIT_STEP_MILLIS * 1_000_000);
            missing = looked ? missing : answers.get(1).text(0, 0);
            if (answers.get(2).text(0, 0).equals("0")) {
                LOG.info(
                        "applied {} in {} ms",
                        missing.isEmpty() ? "everything before" : missing,
                        (System.nanoTime() - began) / 1_000_000);
                return;
            }
            Replication now = freshReplication(aim, deadline + WAIT_STEP_MILLIS * 1_000_000);
            if (now.applierErrno() != 0) {
                throw new EngineException(aim + ": error " + now.applierErrno() + ": " + now.applierError());
            }
            if (!looked && now.sourceSide()) {
                // Its applier's commits wait for acknowledgements of a replica that already has them: for ever.
                runHeldUp(aim, NO_ACKNOWLEDGEMENT, deadline);
            }
            if (!looked && now.source() != null && !now.applier()) {
                startApplier(deadline);
            }
            looked = true;
            if (System.nanoTime() - deadline >= 0) {
                throw new EngineException(aim + ": not reached in time");
            }
        }
    }

    private static String requireSql(int acknowledgers) {
        return "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count=" + acknowledgers
                + ", GLOBAL rpl_semi_sync_source_timeout=" + LONGEST_TIMEOUT
                + ", GLOBAL rpl_semi_sync_source_wait_no_replica=1"
                + ", GLOBAL rpl_semi_sync_source_wait_point=AFTER_SYNC"
                + ", GLOBAL rpl_semi_sync_source_enabled=1";
    }

    @Override
    public void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "requiring " + acknowledgers + " acknowledgements";
        expectAcknowledgers(aim, before, deadline);
        if (acknowledgers > 0) {
            if (!sourcePlugin) {
                throw notLoaded(aim, LOAD_SOURCE_PLUGIN);
            }
            run(aim, requireSql(acknowledgers), deadline);
        } else if (sourcePlugin) {
            runHeldUp(aim, NO_ACKNOWLEDGEMENT, deadline);
        }
    }

    @Override
    public void settle(Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "forgetting the old source";
        Replication now = freshReplication(aim, deadline);
        if (now.source() != null) {
            stopReplication(aim, deadline);
            run(aim, "RESET REPLICA ALL", deadline);
        }
        if (replicaPlugin && now.acknowledging()) {
            run(aim, "SET GLOBAL rpl_semi_sync_replica_enabled=0", deadline);
        }
        enableEvents(deadline);
    }

    /**
     * Stops both threads. A source that died while it was sending a transaction leaves the applier with the first half of
     * it: the applier then keeps the rows locked and waits 60 s for the rest before it stops. Killing its workers rolls
     * the half back at once. Only for a server that has applied everything it needs.
     */
    private void stopReplication(String aim, long deadline) throws EngineException {
        try {
            trySlow("STOP REPLICA", Math.min(deadline, System.nanoTime() + STOP_NANOS));
            return;
        } catch (SqlProblem e) {
            if (e.kind() != SqlProblem.Kind.NO_ANSWER) {
                throw failed(aim, e);
            }
        }
        ServerProcess server = server();
        List<Rows> workers = ask(
                server,
                "SELECT t.PROCESSLIST_ID FROM performance_schema.replication_applier_status_by_worker w"
                        + " JOIN performance_schema.threads t USING (THREAD_ID) WHERE w.CHANNEL_NAME=''",
                System.nanoTime() + STOP_NANOS);
        int killed = 0;
        if (workers != null) {
            for (int i = 0; i < workers.get(0).size(); i++) {
                String kill = "KILL " + workers.get(0).text(i, 0);
                killed += ask(server, kill, System.nanoTime() + STOP_NANOS) == null ? 0 : 1;
            }
        }
        LOG.warn("the applier held half a transaction of the old source; {} of its threads killed", killed);
        try {
            trySlow("STOP REPLICA", deadline);
        } catch (SqlProblem e) {
            throw killed > 0
                    ? failed(aim, e)
                    : new EngineException(
                            aim + ": the applier waits a minute for the rest of a transaction that its source began to"
                                    + " send before it died, and keeps its rows locked: the agent's account needs: "
                                    + grant(),
                            e);
        }
    }

    /** Events that came by replication are disabled on replicas. Only those that the account may see can be enabled. */
    private void enableEvents(long deadline) throws EngineException {
        String aim = "enabling events";
        Rows events = run(
                        aim,
                        "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE STATUS IN"
                                + " ('SLAVESIDE_DISABLED','REPLICA_SIDE_DISABLED')",
                        deadline)
                .get(0);
        for (int i = 0; i < events.size(); i++) {
            run(
                    aim,
                    "ALTER EVENT `" + events.text(i, 0).replace("`", "``") + "`.`"
                            + events.text(i, 1).replace("`", "``") + "` ENABLE",
                    deadline);
        }
    }

    private static EngineException notLoaded(String aim, String statement) {
        return new EngineException(aim + ": the plugin isn't loaded: " + statement);
    }

    @Override
    public void follow(Following following, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "following " + following.source();
        requireWhole(aim);
        if (following.acknowledges() && !replicaPlugin) {
            throw notLoaded(aim + " with acknowledgements", LOAD_REPLICA_PLUGIN);
        }
        Replication now = refuseWrites(aim, deadline);
        String flag = replicaPlugin && now.acknowledging() != following.acknowledges()
                ? "SET GLOBAL rpl_semi_sync_replica_enabled=" + (following.acknowledges() ? 1 : 0) + ";"
                : "";
        if (following.source().equals(now.source())) {
            String start = flag.isEmpty()
                    ? now.input() == Replication.Input.STOPPED || !now.applier() ? "START REPLICA;" : ""
                    : flag + "STOP REPLICA IO_THREAD; START REPLICA;";
            run(aim, start + ALLOW_READS, deadline);
        } else {
            repoint(following.source(), now, flag, aim, deadline);
        }
        if (now.sourceSide()) {
            // Last: it takes a second. Nobody waits any more for whom it would be a false yes: read-only is on.
            runHeldUp(aim, NO_ACKNOWLEDGEMENT, deadline);
        }
    }

    // Surplus and rebuilding.

    @Override
    SurplusFile.@Nullable Contents surplus(String primaryPosition, Probe probe, Replication now, long deadline)
            throws EngineException {
        String aim = "saving the surplus transactions ";
        GtidSet surplus = ((GtidSet) now.received()).minus(PositionKind.MYSQL_GTID.parse(primaryPosition));
        if (surplus.isEmpty()) {
            return null;
        }
        GtidSet unapplied = surplus.minus(probe.applied());
        if (!unapplied.isEmpty()) {
            throw new EngineException(aim + surplus + ": " + unapplied
                    + " are received and not applied yet: ask again, or mend the applier if it has stopped");
        }
        Rows purged =
                run(aim + surplus, "SELECT @@global.gtid_purged", deadline).get(0);
        GtidSet left = surplus.minus(PositionKind.MYSQL_GTID.parse(purged.text(0, 0)));
        if (!left.equals(surplus)) {
            throw new EngineException(aim + surplus + ": " + surplus.minus(left)
                    + " aren't in the binary logs any more: they were purged");
        }
        return new MysqlSurplus(surplus);
    }

    @Override
    void replaceData(Endpoint donor, Progress progress, long deadline) throws EngineException {
        new MysqlClone(this, donor, progress, deadline).run();
    }

    /** Stops following for good. Only for a server whose data is about to be replaced. */
    void stopFollowing(String aim, long deadline) throws EngineException {
        try {
            stopReplication(aim, deadline);
        } catch (EngineException e) {
            if (!(e.getCause() instanceof SqlProblem problem) || !notAReplica(problem)) {
                throw e;
            }
        }
    }

    /** Forgets whom the donor followed: that came with its data. */
    static void forget(Session session, long deadline) throws SqlProblem {
        try {
            session.run("STOP REPLICA", deadline);
        } catch (SqlProblem e) {
            if (!notAReplica(e)) {
                throw e;
            }
        }
        session.run("RESET REPLICA ALL", deadline);
    }

    /** And a look at replication after it. */
    private Replication refuseWrites(String aim, long deadline) throws EngineException {
        try {
            return fresh(tryRun(READ_ONLY + ";" + lookSql(), deadline), 1);
        } catch (SqlProblem e) {
            killIfStranded(e);
            throw failed(aim + ": refusing writes", e);
        }
    }

    /** For a server that can't be made read-only. Its clients must be gone: with them, it may be a long statement of theirs. */
    private void killIfStranded(SqlProblem e) throws EngineException {
        ServerProcess server = server();
        Replication now = lastReplication();
        if (e.code() != LOCK_WAIT_TIMEOUT || now == null || !now.sourceSide()) {
            return;
        }
        List<Rows> fenced = ask(server, "SELECT @@global.offline_mode", System.nanoTime() + CUT_NANOS);
        if (fenced != null && fenced.get(0).text(0, 0).equals("1")) {
            kill(
                    server,
                    "its clients are gone and commits that nobody will acknowledge keep it from being read-only; it must"
                            + " start anew");
        }
    }

    private void repoint(Endpoint source, Replication now, String flag, String aim, long deadline)
            throws EngineException {
        String place = "SOURCE_HOST=" + quoted(source.host()) + ", SOURCE_PORT=" + source.port();
        if (now.source() != null) {
            // While the applier runs, the relay log with what isn't applied yet survives the change.
            String applier = now.applier() ? "" : "START REPLICA SQL_THREAD;";
            try {
                tryRun(
                        "STOP REPLICA IO_THREAD;" + applier + flag + "CHANGE REPLICATION SOURCE TO " + place
                                + "; START REPLICA;" + ALLOW_READS,
                        deadline);
                return;
            } catch (SqlProblem e) {
                boolean other = e.code() == STOP_APPLIER_FIRST || e.code() == STOP_REPLICA_FIRST || notAReplica(e);
                if (e.kind() != SqlProblem.Kind.REFUSED || !other) {
                    throw failed(aim, e);
                }
                LOG.warn("{}: {}: stopping the applier as well", aim, e.getMessage());
            }
        }
        stopReplication(aim, deadline);
        run(
                aim,
                flag + "CHANGE REPLICATION SOURCE TO " + place + ", SOURCE_USER="
                        + quoted(settings().replicationUser()) + ", SOURCE_PASSWORD="
                        + quoted(settings().replicationPassword())
                        + settings().replicationTls().options("SOURCE")
                        + ", SOURCE_AUTO_POSITION=1, REQUIRE_ROW_FORMAT=1, GTID_ONLY=1, GET_SOURCE_PUBLIC_KEY=1,"
                        + " SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=100000, SOURCE_HEARTBEAT_PERIOD=0.2; START REPLICA;"
                        + ALLOW_READS,
                deadline);
    }
}
