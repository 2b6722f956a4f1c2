package org.haarbiter.agent.engine.mysql;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.agent.process.ServerProcess;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.words.DomainGtids;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine for MariaDB 10.11 and newer, with GTIDs. The server must be configured to start read-only. */
public final class MariadbEngine extends SqlEngine {
    private static final Logger LOG = LoggerFactory.getLogger(MariadbEngine.class);

    /** What was received and isn't applied yet is dropped by a restart, also where it was acknowledged. */
    private static final Traits TRAITS = new Traits("mariadb", PositionKind.MARIADB_GTID, false);

    private static final long ASK_NANOS = 20_000_000;
    private static final long CUT_NANOS = 60_000_000;
    private static final long FENCE_NANOS = 100_000_000;

    /** A source that was heard more recently than this answers the replica that takes its leave. */
    private static final long QUIET_MILLIS = 400;

    private static final long RESET_NANOS = 2_000_000;
    private static final long KILLED_NANOS = 50_000_000;
    private static final long WAIT_STEP_MILLIS = 200;
    private static final long WITHOUT_LIMIT_MILLIS = 3_600_000;
    private static final String LONGEST_TIMEOUT = "4294967295";

    private static final String ALLOW_WRITES = "SET GLOBAL read_only=0";

    private static final int NOT_CONFIGURED = 1200;

    /** A file of its replication settings, or the relay log that one names, is missing or damaged. */
    private static final int SETTINGS_UNREADABLE = 1201;

    private static final List<String> PRIVILEGES = List.of(
            "BINLOG MONITOR",
            "SLAVE MONITOR",
            "READ_ONLY ADMIN",
            "REPLICATION MASTER ADMIN",
            "REPLICATION SLAVE ADMIN",
            "CONNECTION ADMIN",
            "PROCESS",
            "RELOAD");

    /** What was applied, and what is in the binary log by each server that wrote it: the latter shows histories that parted. */
    private static final String POSITIONS = "SELECT @@global.gtid_slave_pos, @@global.gtid_binlog_state";

    private final @Nullable Tls tls;
    private final @Nullable CopyPort copies;

    /**
     * Starts watching, and hands out copies where there is a port for them; the server may come later.
     *
     * @throws org.haarbiter.settings.SettingsException where the TLS files can't be used
     */
    public MariadbEngine(MysqlSettings settings) {
        super(settings);
        TlsSettings given = settings.rebuild().tls();
        this.tls = given == null ? null : Tls.load(given);
        this.copies = settings.rebuild().copyPort() > 0 ? new CopyPort(this, settings, tls) : null;
    }

    @Override
    @Nullable
    String copyProblem() {
        CopyPort port = copies;
        return port == null ? null : port.unavailable();
    }

    @Override
    void closeMore() {
        if (copies != null) {
            copies.close();
        }
    }

    @Override
    public Traits traits() {
        return TRAITS;
    }

    @Override
    String probeSql() {
        return "SELECT @@server_id, @@version, @@global.read_only, @@global.gtid_slave_pos, @@global.gtid_binlog_state";
    }

    @Override
    Probe readProbe(Rows rows) {
        return new Probe(
                rows.text(0, 0),
                rows.text(0, 1),
                rows.text(0, 2).equals("0"),
                plus(parse(rows.text(0, 3)), parse(rows.text(0, 4))));
    }

    private static DomainGtids parse(String text) {
        return (DomainGtids) PositionKind.MARIADB_GTID.parse(text);
    }

    private static DomainGtids plus(Position one, Position other) {
        return ((DomainGtids) one).plus((DomainGtids) other);
    }

    @Override
    String replicationSql() {
        return "SHOW SLAVE STATUS;"
                + "SELECT @@global.max_connections AS MAX_CONNECTIONS, @@global.rpl_semi_sync_master_enabled AS"
                + " SOURCE_ENABLED, @@global.rpl_semi_sync_master_timeout AS SOURCE_TIMEOUT,"
                + " @@global.rpl_semi_sync_master_wait_no_slave AS SOURCE_WAITS,"
                + " @@global.rpl_semi_sync_master_wait_point AS SOURCE_POINT,"
                + " @@global.rpl_semi_sync_slave_enabled AS REPLICA_ENABLED;"
                + "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_status',"
                + "'Rpl_semi_sync_master_clients','Rpl_semi_sync_master_wait_sessions','Rpl_semi_sync_master_yes_tx',"
                + "'Slave_received_heartbeats','Threads_connected',"
                + "'Connection_errors_max_connections')";
    }

    @Override
    Replication readReplication(List<Rows> results, Position applied) {
        Rows channel = results.get(0);
        Rows settings = results.get(1);
        Rows counters = results.get(2);
        boolean configured = !channel.isEmpty()
                && !channel.text(0, "Master_Host").isEmpty()
                && channel.number(0, "Master_Port", 0) > 0;
        Replication.Input input = Replication.Input.STOPPED;
        boolean applier = configured && channel.text(0, "Slave_SQL_Running").equals("Yes");
        Position received = applied;
        if (configured) {
            input = switch (channel.text(0, "Slave_IO_Running")) {
                case "Yes" -> Replication.Input.RUNNING;
                case "No" -> Replication.Input.STOPPED;
                default -> Replication.Input.TRYING;
            };
            // With both threads stopped the relay log is worth nothing: the next start drops it.
            if (applier || input != Replication.Input.STOPPED) {
                received = plus(applied, parse(channel.text(0, "Gtid_IO_Pos")));
            }
        }
        boolean sourceSide = settings.text(0, "SOURCE_ENABLED").equals("1");
        boolean waits = sourceSide
                && settings.text(0, "SOURCE_WAITS").equals("1")
                && settings.text(0, "SOURCE_POINT").equals("AFTER_SYNC")
                && settings.number(0, "SOURCE_TIMEOUT", 0) >= WITHOUT_LIMIT_MILLIS
                && counters.named("Rpl_semi_sync_master_status").equals("ON");
        return new Replication(
                configured
                        ? new Endpoint(channel.text(0, "Master_Host"), (int) channel.number(0, "Master_Port", 0))
                        : null,
                input,
                configured ? (int) channel.number(0, "Last_IO_Errno", 0) : 0,
                configured ? channel.text(0, "Last_IO_Error") : "",
                applier,
                configured ? (int) channel.number(0, "Last_SQL_Errno", 0) : 0,
                configured ? channel.text(0, "Last_SQL_Error") : "",
                received,
                configured
                        ? counters.named("Slave_received_heartbeats") + " " + channel.text(0, "Master_Log_File") + " "
                                + channel.text(0, "Read_Master_Log_Pos")
                        : "",
                settings.text(0, "REPLICA_ENABLED").equals("1"),
                sourceSide,
                (int) counters.number("Rpl_semi_sync_master_clients", -1),
                waits ? 1 : 0,
                counters.number("Rpl_semi_sync_master_wait_sessions", 0),
                counters.number("Rpl_semi_sync_master_yes_tx", 0),
                counters.number("Threads_connected", 0),
                settings.number(0, "MAX_CONNECTIONS", Long.MAX_VALUE),
                counters.number("Connection_errors_max_connections", 0));
    }

    @Override
    void attached(ServerProcess server, long deadline) {
        // Semi-synchronous replication is built in: there is nothing to learn.
    }

    @Override
    String grant() {
        return "GRANT " + String.join(", ", PRIVILEGES) + " ON *.* TO "
                + quoted(settings().user()) + "@'localhost'";
    }

    @Override
    List<String> check(Session session, long deadline) throws SqlProblem {
        List<Rows> results = session.run(
                "SELECT VARIABLE_NAME, GLOBAL_VALUE FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN"
                        + " ('GTID_STRICT_MODE','LOG_SLAVE_UPDATES','LOG_BIN','SYNC_BINLOG',"
                        + "'INNODB_FLUSH_LOG_AT_TRX_COMMIT','SKIP_SLAVE_START','SYNC_RELAY_LOG',"
                        + "'RPL_SEMI_SYNC_MASTER_WAIT_POINT','INIT_RPL_ROLE');"
                        + "SELECT VARIABLE_NAME, GLOBAL_VALUE_ORIGIN FROM information_schema.SYSTEM_VARIABLES WHERE"
                        + " VARIABLE_NAME IN ('READ_ONLY');"
                        + "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES",
                deadline);
        List<String> problems = new ArrayList<>();
        Rows variables = results.get(0);
        must(problems, variables, "LOG_BIN", "ON", "it can't feed replicas");
        must(problems, variables, "GTID_STRICT_MODE", "ON", "histories that have parted go unnoticed");
        must(problems, variables, "LOG_SLAVE_UPDATES", "ON", "a promoted replica can't feed the others");
        must(problems, variables, "SYNC_BINLOG", "1", "a crash of the machine loses acknowledged writes");
        must(
                problems,
                variables,
                "INNODB_FLUSH_LOG_AT_TRX_COMMIT",
                "1",
                "a crash of the machine loses acknowledged writes");
        must(problems, variables, "SYNC_RELAY_LOG", "1", "a crash of the machine loses what was acknowledged");
        must(
                problems,
                variables,
                "INIT_RPL_ROLE",
                "SLAVE",
                "after a crash it keeps writes that the new primary doesn't have, and can't rejoin");
        if (results.get(1).named("READ_ONLY").equals("COMPILE-TIME")) {
            problems.add("the server doesn't start fenced: write read_only=ON into its configuration file");
        }
        checkPrivileges(problems, results.get(2));
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
            } else if (privilege.equals("READ_ONLY ADMIN")
                    && !account.startsWith("'root'@")
                    && !account.startsWith("'mariadb.sys'@")
                    && !account.startsWith("'mysql'@'localhost'")) {
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
            problems.add(account + " writes on a read-only server: REVOKE READ_ONLY ADMIN ON *.* FROM " + account);
        }
    }

    private static void must(List<String> problems, Rows variables, String name, String value, String otherwise) {
        String is = variables.named(name);
        if (!is.isEmpty() && !is.equalsIgnoreCase(value)) {
            problems.add(name.toLowerCase(Locale.ROOT) + " is " + is + " (must be " + value + "): " + otherwise
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
        boolean readOnly = attempt(true, target, "SET GLOBAL read_only=1", start + ASK_NANOS);
        // Whoever waits for an acknowledgement must not hear of it any more: their commits are let go in the next step.
        int reset = resetConnections();
        cutClients(target, start + CUT_NANOS);
        if (!readOnly) {
            readOnly = attempt(true, target, "SET GLOBAL read_only=1", start + FENCE_NANOS);
        }
        if (readOnly || target.look() != null) {
            LOG.info("fenced in {} us, {} connections reset", (System.nanoTime() - start) / 1_000, reset);
            return;
        }
        killUnlessClosed(target, "it didn't become read-only within " + FENCE_NANOS / 1_000_000 + " ms");
    }

    private void cutClients(ServerProcess target, long deadline) {
        List<Rows> sessions = ask(
                target,
                "SELECT DISTINCT USER FROM information_schema.PROCESSLIST WHERE COMMAND NOT IN"
                        + " ('Daemon','Slave_IO','Slave_SQL','Slave_worker','Binlog Dump','Connect')",
                deadline);
        if (sessions == null) {
            return;
        }
        Rows users = sessions.get(0);
        for (int i = 0; i < users.size(); i++) {
            String user = users.text(i, 0);
            if (!user.equals(settings().user())
                    && !user.equals(settings().replicationUser())
                    && !user.equals("system user")
                    && !user.equals("event_scheduler")
                    && !user.equals("unauthenticated user")
                    && !user.isEmpty()) {
                attempt(false, target, "KILL USER " + quoted(user), deadline);
            }
        }
    }

    @Override
    String refuseWritesSql() {
        return "SET GLOBAL read_only=1";
    }

    @Override
    String allowWritesSql() {
        return ALLOW_WRITES;
    }

    @Override
    public @Nullable Observation seal(Duration limit) throws EngineException {
        String aim = "cutting replication's input";
        requireWhole(aim);
        long deadline = System.nanoTime() + limit.toNanos();
        ServerProcess server = server();
        List<Rows> results = cutInput(aim, deadline);
        return results.isEmpty() ? null : seen(server, results, 1);
    }

    /**
     * Stops the receiving thread. Where the source's host doesn't answer, the statement takes 2 s, because the replica
     * connects to it once more to end its session there: so that connection is reset, until the statement returns.
     * Where the agent may not reset connections, the thread of a source that has become quiet is killed first.
     *
     * @return the statement's result and after it those of {@link #lookSql}; empty where the server follows nobody
     */
    private List<Rows> cutInput(String aim, long deadline) throws EngineException {
        Replication now = lastReplication();
        long heard = sourceHeardMillis();
        if (!resets()
                && now != null
                && now.input() == Replication.Input.RUNNING
                && (heard < 0 || heard > QUIET_MILLIS)) {
            killInput(aim, deadline);
        }
        long patience = resets() && now != null ? ASK_NANOS : Math.max(0, deadline - System.nanoTime());
        while (true) {
            try {
                return stopInput(Math.min(deadline, System.nanoTime() + patience));
            } catch (SqlProblem e) {
                if (notAReplica(e)) {
                    return List.of();
                }
                if (e.kind() != SqlProblem.Kind.NO_ANSWER || System.nanoTime() - deadline >= 0) {
                    throw failed(aim, e);
                }
            }
            Endpoint source = now == null ? null : now.source();
            if (source != null) {
                resetOutgoing(source.port(), server());
            }
            patience = RESET_NANOS;
        }
    }

    /** And looks. Awaits the answer of the statement before, if it is still outstanding; asked for twice, it does nothing. */
    private List<Rows> stopInput(long deadline) throws EngineException, SqlProblem {
        return tryRun("STOP SLAVE IO_THREAD;" + lookSql(), deadline);
    }

    private void killInput(String aim, long deadline) throws EngineException {
        Rows threads = run(aim, "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND='Slave_IO'", deadline)
                .get(0);
        for (int i = 0; i < threads.size(); i++) {
            ask(server(), "KILL " + threads.text(i, 0), System.nanoTime() + ASK_NANOS);
        }
        if (!threads.isEmpty()) {
            // Nothing shows when the killed thread has come to where the next statement frees it at once.
            LockSupport.parkNanos(KILLED_NANOS);
        }
    }

    private static boolean notAReplica(SqlProblem e) {
        return e.kind() == SqlProblem.Kind.REFUSED && e.code() == NOT_CONFIGURED;
    }

    @Override
    void open(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        requireAtMostOne(promotion.acknowledgers());
        Replication before = lastReplication();
        boolean followed = followed(before, promotion);
        if (!followed || !hasApplied(promotion.upTo())) {
            List<Rows> positions =
                    run("starting a binary log", (followed ? "DO 0" : NEW_BINARY_LOG) + ";" + POSITIONS, deadline);
            awaitApplied(positions.get(1), promotion.upTo(), deadline);
        }
        if (receives(before)) {
            openAndStop(promotion, permitted, deadline);
            return;
        }
        // After catching up: its own applier would wait for acknowledgements that never come. Before opening: no commit
        // may go through without.
        run(
                "requiring " + promotion.acknowledgers() + " acknowledgements",
                requireSql(promotion.acknowledgers())
                        + (before == null || before.source() != null ? ";STOP SLAVE" : ""),
                deadline);
        requirePermission(promotion, permitted, deadline);
        run("opening writes", ALLOW_WRITES, deadline);
    }

    /**
     * A drained source has nothing more to send: clients needn't wait until replication is stopped. That goes with the opening,
     * so that the agent's death leaves nobody open who acknowledges to another.
     */
    private void openAndStop(Promotion promotion, BooleanSupplier permitted, long deadline) throws EngineException {
        String aim = "opening writes";
        requirePermission(promotion, permitted, deadline);
        try {
            tryRun(
                    requireSql(promotion.acknowledgers()) + ";" + ALLOW_WRITES + ";STOP SLAVE",
                    Math.min(deadline, System.nanoTime() + ASK_NANOS));
            return;
        } catch (SqlProblem e) {
            if (e.kind() != SqlProblem.Kind.NO_ANSWER) {
                throw failed(aim, e);
            }
        }
        // Mostly it is the source that doesn't answer.
        cutInput(aim, deadline);
        if (!readProbe(run(aim, probeSql(), deadline).get(0)).writable()) {
            throw new EngineException(aim + ": the server hasn't opened them");
        }
    }

    /**
     * Waits.
     *
     * @param positions what {@link #POSITIONS} said a moment ago
     * @return what it says now
     */
    private Rows awaitApplied(Rows positions, String upTo, long deadline) throws EngineException {
        String aim = "applying everything up to " + upTo;
        boolean looked = false;
        while (true) {
            // Its own writes of an earlier time are in the binary log only, and MASTER_GTID_WAIT doesn't look there.
            if (plus(parse(positions.text(0, 0)), parse(positions.text(0, 1))).covers(parse(upTo))) {
                return positions;
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new EngineException(aim + ": not reached in time; applied so far: " + positions.text(0, 0));
            }
            if (looked) {
                Replication now = freshReplication(aim, deadline);
                if (now.applierErrno() != 0) {
                    throw new EngineException(aim + ": error " + now.applierErrno() + ": " + now.applierError());
                }
                if (now.sourceSide()) {
                    // Its applier's commits wait for acknowledgements of a replica that already has them: for ever.
                    run(aim, "SET GLOBAL rpl_semi_sync_master_enabled=0", deadline);
                }
                if (now.source() != null && !now.applier()) {
                    throw new EngineException(aim
                            + ": the applier is stopped, and with it what was received is lost; applied so far: "
                            + positions.text(0, 0));
                }
            }
            looked = true;
            positions = run(
                            aim,
                            "SELECT MASTER_GTID_WAIT("
                                    + quoted(parse(upTo).newest().toString()) + ", "
                                    + String.format(Locale.ROOT, "%.3f", Math.min(WAIT_STEP_MILLIS, left) / 1000.0)
                                    + ");" + POSITIONS,
                            deadline + WAIT_STEP_MILLIS * 1_000_000)
                    .get(1);
        }
    }

    private static void requireAtMostOne(int acknowledgers) throws EngineException {
        if (acknowledgers > 1) {
            throw new EngineException("requiring " + acknowledgers
                    + " acknowledgements: MariaDB can wait for one at most: lower the group's acknowledgers to 1");
        }
    }

    private static String requireSql(int acknowledgers) {
        return acknowledgers > 0
                ? "SET GLOBAL rpl_semi_sync_master_timeout=" + LONGEST_TIMEOUT
                        + ", GLOBAL rpl_semi_sync_master_wait_no_slave=1"
                        + ", GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC"
                        + ", GLOBAL rpl_semi_sync_master_enabled=1"
                : "SET GLOBAL rpl_semi_sync_master_enabled=0";
    }

    @Override
    public void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException {
        requireAtMostOne(acknowledgers);
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "requiring " + acknowledgers + " acknowledgements";
        expectAcknowledgers(aim, before, deadline);
        run(aim, requireSql(acknowledgers), deadline);
    }

    @Override
    public void settle(Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "forgetting the old source";
        Replication now = freshReplication(aim, deadline);
        if (now.source() != null) {
            run(aim, "STOP SLAVE; RESET SLAVE ALL", deadline);
        }
        if (now.acknowledging()) {
            run(aim, "SET GLOBAL rpl_semi_sync_slave_enabled=0", deadline);
        }
        Rows events = run(
                        "enabling events",
                        "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE"
                                + " STATUS='SLAVESIDE_DISABLED'",
                        deadline)
                .get(0);
        for (int i = 0; i < events.size(); i++) {
            run(
                    "enabling events",
                    "ALTER EVENT `" + events.text(i, 0).replace("`", "``") + "`.`"
                            + events.text(i, 1).replace("`", "``") + "` ENABLE",
                    deadline);
        }
    }

    @Override
    public void follow(Following following, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        String aim = "following " + following.source();
        requireWhole(aim);
        List<Rows> results =
                run(aim + ": refusing writes", "SET GLOBAL read_only=1;" + POSITIONS + ";" + lookSql(), deadline);
        Replication now = fresh(results, 2);
        String flag = now.acknowledging() != following.acknowledges()
                ? "SET GLOBAL rpl_semi_sync_slave_enabled=" + (following.acknowledges() ? 1 : 0) + ";"
                : "";
        try {
            pointTo(following, now, results.get(1), flag, aim, deadline);
        } catch (EngineException e) {
            if (!(e.getCause() instanceof SqlProblem problem) || problem.code() != SETTINGS_UNREADABLE) {
                throw e;
            }
            // It was killed while it dropped its relay logs, and refuses every statement but this one. What they held
            // can't be read by anybody, and it asks its source again from what it has applied.
            LOG.warn("{}: {}; its replication settings are made anew", aim, problem.getMessage());
            run(aim, "RESET SLAVE ALL", deadline);
            List<Rows> anew = run(aim, POSITIONS + ";" + lookSql(), deadline);
            repoint(following.source(), fresh(anew, 1), anew.get(0), flag, aim, deadline);
        }
        if (now.sourceSide()) {
            run(aim, "SET GLOBAL rpl_semi_sync_master_enabled=0", deadline);
        }
    }

    private void pointTo(Following following, Replication now, Rows positions, String flag, String aim, long deadline)
            throws EngineException {
        if (following.source().equals(now.source())) {
            boolean stopped = now.input() == Replication.Input.STOPPED;
            if (!flag.isEmpty() && !stopped) {
                cutInput(aim, deadline);
            }
            if (!flag.isEmpty() || stopped || !now.applier()) {
                // Also after error 1236, which the server doesn't retry: the source has caught up by now, or will have.
                run(aim, flag + "START SLAVE", deadline);
            }
        } else {
            repoint(following.source(), now, positions, flag, aim, deadline);
        }
    }

    // Surplus and rebuilding.

    @Override
    SurplusFile.@Nullable Contents surplus(String primaryPosition, Probe probe, Replication now, long deadline)
            throws EngineException {
        String aim = "saving the surplus transactions";
        DomainGtids primary = parse(primaryPosition);
        if (!probe.applied().covers(now.received()) && !primary.covers(now.received())) {
            throw new EngineException(aim + ": " + now.received().minus(probe.applied())
                    + " is received and not applied yet: ask again, or mend the applier if it has stopped");
        }
        Rows positions = run(aim, POSITIONS, deadline).get(0);
        MariadbSurplus surplus = new MariadbSurplus(primary, parse(positions.text(0, 1)), parse(positions.text(0, 0)));
        return surplus.isEmpty() ? null : surplus;
    }

    @Override
    void replaceData(Endpoint donor, Progress progress, long deadline) throws EngineException {
        new MariadbCopy(this, donor, tls, progress, deadline).run();
    }

    /**
     * Points it to another source.
     *
     * @param seen replication as it was a moment ago
     * @param positions what {@link #POSITIONS} said together with it
     */
    private void repoint(Endpoint source, Replication seen, Rows positions, String flag, String aim, long deadline)
            throws EngineException {
        Replication now = seen;
        @Nullable Endpoint before = now.source();
        if (now.input() != Replication.Input.STOPPED) {
            List<Rows> cut = cutInput(aim, deadline);
            now = cut.isEmpty() ? now : fresh(cut, 1);
        }
        if (now.applier()) {
            // Stopping the applier as well drops what it hasn't applied yet.
            positions = awaitApplied(positions, now.received().toString(), deadline);
        } else if (seen.input() != Replication.Input.STOPPED) {
            positions = run(aim, POSITIONS, deadline).get(0);
        }
        boolean wrote = !parse(positions.text(0, 0)).covers(parse(positions.text(0, 1)));
        run(
                aim,
                (before == null ? "" : "STOP SLAVE;") + flag + "CHANGE MASTER TO MASTER_HOST=" + quoted(source.host())
                        + ", MASTER_PORT=" + source.port()
                        + (before == null
                                ? ", MASTER_USER=" + quoted(settings().replicationUser()) + ", MASTER_PASSWORD="
                                        + quoted(settings().replicationPassword())
                                        + settings().replicationTls().options("MASTER")
                                        + ", MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=0.2"
                                : "")
                        + ", MASTER_USE_GTID=slave_pos" + (wrote ? ", MASTER_DEMOTE_TO_SLAVE=1" : "")
                        + "; START SLAVE",
                deadline);
    }
}
