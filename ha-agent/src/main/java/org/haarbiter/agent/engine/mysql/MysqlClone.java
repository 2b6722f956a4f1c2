package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.disk.RebuildMarker;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces a MySQL server's data by its CLONE plugin. The server drops its data, copies the donor's, ends itself and is started
 * again by whoever supervises it. Clients are kept out by offline mode all the time: the plugin refuses to work on a read-only
 * server.
 */
final class MysqlClone {
    private static final Logger LOG = LoggerFactory.getLogger(MysqlClone.class);

    private static final long POLL_NANOS = 500_000_000;
    private static final long LOOK_NANOS = 2_000_000_000L;
    private static final long STATEMENT_NANOS = 10_000_000_000L;

    /**
     * A copy that stands still for so long is given up. The server itself tries for 5 minutes to reach a donor that has died
     * (MySQL 9.7).
     */
    private static final long STALL_NANOS = 15_000_000_000L;

    /** It looks for a killed statement between two attempts to reach the donor, 5 s apart. */
    private static final long KILL_NANOS = 30_000_000_000L;

    /** How long a supervisor is given to start a server that has ended itself, before the agent does it. */
    private static final long SUPERVISOR_NANOS = 10_000_000_000L;

    private static final int NO_SUPERVISOR = 3707;

    private static final String STATUS =
            "SELECT BEGIN_TIME, STATE, ERROR_NO, ERROR_MESSAGE, GTID_EXECUTED FROM performance_schema.clone_status";
    private static final String STAGES = "SELECT STAGE, STATE, ESTIMATE, DATA FROM performance_schema.clone_progress";

    private final MysqlEngine engine;
    private final MysqlSettings settings;
    private final Endpoint donor;
    private final Progress progress;
    private final long deadline;
    private final String aim;

    /** What the server held before. */
    private String history = "";

    /** How the server's last clone went. Without its time no clone was ever begun. */
    private record Status(String began, String state, String error, String gtids) {
        static Status read(Rows rows) {
            return rows.isEmpty()
                    ? new Status("", "", "", "")
                    : new Status(
                            rows.text(0, "BEGIN_TIME"),
                            rows.text(0, "STATE"),
                            rows.text(0, "ERROR_NO") + ": " + rows.text(0, "ERROR_MESSAGE"),
                            rows.text(0, "GTID_EXECUTED"));
        }

        boolean completedSince(String before) {
            return !began.isEmpty() && !began.equals(before) && state.equals("Completed");
        }
    }

    MysqlClone(MysqlEngine engine, Endpoint donor, Progress progress, long deadlineNanos) {
        this.engine = engine;
        this.settings = engine.settings();
        this.donor = donor;
        this.progress = progress;
        this.deadline = deadlineNanos;
        this.aim = "rebuilding from " + donor;
    }

    void run() throws EngineException {
        String uuid;
        int copied = -1;
        try (Session session = console()) {
            uuid = session.run("SELECT @@server_uuid", soon()).get(0).text(0, 0);
            Status before = status(session);
            RebuildMarker.Note earlier = engine.marker().note();
            if (earlier == null
                    || !earlier.donor().equals(donor.toString())
                    || !before.completedSince(earlier.before())) {
                copied = session.peerPid();
                prepare(session);
                history = session.run("SELECT @@global.gtid_executed", soon())
                        .get(0)
                        .text(0, 0);
                mark(before.began());
                copy(session);
            } else {
                LOG.info("{}: the copy was completed before", aim);
            }
        } catch (SqlProblem e) {
            throw engine.failed(aim, e);
        } catch (IOException e) {
            throw new EngineException(aim + ": " + e.getMessage(), e);
        }
        finish(uuid, copied);
    }

    /** Everything that can be refused without harm. */
    private void prepare(Session session) throws EngineException, SqlProblem {
        List<Rows> seen = session.run(
                "SELECT @@global.read_only, @@global.offline_mode;"
                        + "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS WHERE PLUGIN_NAME='clone';"
                        + "SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_source_enabled'",
                soon());
        if (seen.get(0).text(0, 0).equals("0") && seen.get(0).text(0, 1).equals("0")) {
            throw new EngineException(aim + ": the server takes writes (must be fenced)");
        }
        if (seen.get(1).isEmpty() || !seen.get(1).text(0, 0).equals("ACTIVE")) {
            throw new EngineException(
                    aim + ": the clone plugin isn't loaded: write plugin_load_add=mysql_clone.so into the"
                            + " configuration file, on the donor too, and run: INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
        }
        session.run("SET GLOBAL offline_mode=1; SET GLOBAL super_read_only=1", soon());
        engine.stopFollowing(aim, deadline);
        if (seen.get(2).named("rpl_semi_sync_source_enabled").equals("ON")) {
            // Its clients are gone: nobody hears that a commit was let go.
            session.run("SET GLOBAL rpl_semi_sync_source_enabled=0", soon());
        }
        ReplicationTls tls = settings.replicationTls();
        session.run(
                "SET GLOBAL clone_valid_donor_list=" + SqlEngine.quoted(donor.host() + ":" + donor.port())
                        + ", GLOBAL clone_ssl_ca=" + SqlEngine.quoted(tls.caFile() == null ? "" : tls.caFile()),
                soon());
    }

    private void mark(String before) throws EngineException {
        try {
            engine.marker().write(donor, before);
        } catch (IOException e) {
            throw new EngineException(
                    aim + ": nothing was changed: the state directory can't be written: " + e.getMessage(), e);
        }
    }

    /** Returns when the server has all data and ends, or has ended, to start with them. */
    private void copy(Session session) throws EngineException, SqlProblem {
        String secure = settings.replicationTls().mode() == ReplicationTls.Mode.VERIFIED ? " REQUIRE SSL" : "";
        String clone = "CLONE INSTANCE FROM " + SqlEngine.quoted(settings.replicationUser()) + "@"
                + SqlEngine.quoted(donor.host()) + ":" + donor.port() + " IDENTIFIED BY "
                + SqlEngine.quoted(settings.replicationPassword()) + secure;
        LOG.warn("{}: all data of this server is dropped now", aim);
        try {
            session.run("SET GLOBAL offline_mode=1, GLOBAL super_read_only=0, GLOBAL read_only=0", soon());
        } catch (SqlProblem e) {
            throw refused(String.valueOf(e.getMessage()));
        }
        session.send(clone);
        long moved = System.nanoTime();
        long before = -1;
        while (true) {
            try {
                session.await(System.nanoTime() + POLL_NANOS);
                return;
            } catch (SqlProblem e) {
                if (e.kind() == SqlProblem.Kind.LOST || e.code() == NO_SUPERVISOR) {
                    return;
                }
                if (e.kind() == SqlProblem.Kind.REFUSED) {
                    throw refused(String.valueOf(e.getMessage()));
                }
            }
            long now = System.nanoTime();
            Stage stage = stage();
            if (stage == null || !stage.copies() || stage.done() != before) {
                moved = now;
                before = stage == null ? -1 : stage.done();
            }
            if (stage != null) {
                progress.at(stage.name(), stage.done(), stage.total());
            }
            if (now - moved >= STALL_NANOS) {
                throw abandon(session, "nothing has come from the donor for " + STALL_NANOS / 1_000_000_000 + " s");
            }
            if (now - deadline >= 0) {
                throw abandon(session, "it took longer than allowed");
            }
        }
    }

    private record Stage(String name, long done, long total) {
        boolean copies() {
            return name.endsWith("COPY");
        }
    }

    /** How far it is; null where the server doesn't say, as while it restarts. */
    private @Nullable Stage stage() {
        try (Session session = engine.console(System.nanoTime() + LOOK_NANOS)) {
            Rows stages = session.run(STAGES, System.nanoTime() + LOOK_NANOS).get(0);
            String name = "CLONE";
            long done = 0;
            long total = 0;
            for (int i = 0; i < stages.size(); i++) {
                name = stages.text(i, 1).equals("Not Started") ? name : stages.text(i, 0);
                total += stages.number(i, "ESTIMATE", 0);
                done += stages.number(i, "DATA", 0);
            }
            return new Stage(name, done, total == 0 ? -1 : total);
        } catch (SqlProblem e) {
            LOG.debug("{}: looking how far it is", aim, e);
            return null;
        }
    }

    private EngineException abandon(Session session, String why) {
        LOG.warn("{}: {}: ending it", aim, why);
        try (Session other = engine.console(soon())) {
            other.run("KILL QUERY " + session.connectionId(), soon());
            session.await(System.nanoTime() + KILL_NANOS);
            return refused(why);
        } catch (SqlProblem e) {
            return switch (e.kind()) {
                case REFUSED -> refused(why);
                case LOST ->
                    new EngineException(aim + ": " + why + "; and the server has ended: ask for a rebuild again");
                case NO_ANSWER ->
                    new EngineException(aim + ": " + why
                            + "; and the statement doesn't end: restart the server, then ask" + " for a rebuild again");
            };
        }
    }

    /** Closes the server again, and finds out whether there was harm. */
    private EngineException refused(String why) {
        try (Session session = engine.console(soon())) {
            session.run("SET GLOBAL super_read_only=1", soon());
            List<Rows> seen = session.run(STAGES + ";SELECT @@global.gtid_executed", soon());
            Rows stages = seen.get(0);
            boolean dropped = !seen.get(1).text(0, 0).equals(history);
            for (int i = 0; i < stages.size(); i++) {
                dropped |= stages.text(i, 0).equals("DROP DATA")
                        && !stages.text(i, 1).equals("Not Started");
            }
            if (!dropped) {
                engine.marker().remove();
                return new EngineException(aim + ": " + why + "; this server's data is as before");
            }
        } catch (SqlProblem | IOException e) {
            LOG.warn("{}: looking what has become of the server", aim, e);
        }
        return new EngineException(aim + ": " + why + "; this server's data is gone: ask for a rebuild again");
    }

    /** Waits for the server to be back, and leaves it fenced and following nobody. */
    private void finish(String uuid, int copied) throws EngineException {
        progress.at("RESTART", 0, -1);
        try (Session session = restarted(copied)) {
            Status status = status(session);
            RebuildMarker.Note note = engine.marker().note();
            if (note == null || !status.completedSince(note.before())) {
                throw new EngineException(aim + ": the server is back, and its clone is " + status.state() + " ("
                        + status.error() + "): ask for a rebuild again");
            }
            session.run("SET GLOBAL super_read_only=1; SET GLOBAL offline_mode=1", soon());
            MysqlEngine.forget(session, soon());
            Rows now = session.run("SELECT @@server_uuid, @@global.gtid_executed", soon())
                    .get(0);
            if (!now.text(0, 0).equals(uuid)) {
                throw new EngineException(
                        aim + ": the server calls itself " + now.text(0, 0) + " now (must be " + uuid + ")");
            }
            GtidSet holds = (GtidSet) PositionKind.MYSQL_GTID.parse(now.text(0, 1));
            if (!holds.covers(PositionKind.MYSQL_GTID.parse(status.gtids()))) {
                throw new EngineException(aim + ": the server holds " + holds + " (must be all of the copy, "
                        + status.gtids() + "): ask for a rebuild again");
            }
            engine.marker().remove();
            LOG.info("{}: done: it holds {}", aim, holds);
        } catch (SqlProblem e) {
            throw engine.failed(aim, e);
        } catch (IOException e) {
            throw new EngineException(
                    aim + ": the copy is whole, but the state directory can't be written: " + e.getMessage(), e);
        }
    }

    /**
     * A session with the server that has started with the copy.
     *
     * @param copied the pid of the process that made the copy, and may still answer until it ends; -1 where it ended long ago
     */
    private Session restarted(int copied) throws EngineException {
        long goneSince = 0;
        boolean asked = false;
        String said = "it hasn't ended";
        while (System.nanoTime() - deadline < 0) {
            try {
                Session session = console();
                if (session.peerPid() != copied) {
                    return session;
                }
                session.close();
                goneSince = 0;
            } catch (SqlProblem | IOException e) {
                said = String.valueOf(e.getMessage());
                long now = System.nanoTime();
                goneSince = goneSince == 0 ? now : goneSince;
                if (!asked && now - goneSince >= SUPERVISOR_NANOS && !engine.serverRuns()) {
                    asked = true;
                    startServer();
                }
            }
            LockSupport.parkNanos(POLL_NANOS / 5);
        }
        throw new EngineException(aim + ": the server has ended itself after the copy and isn't back (" + said
                + "): start it, or have systemd or server.start-command do so; then ask for a rebuild again, which"
                + " recognises the copy");
    }

    private void startServer() throws EngineException {
        String command = settings.rebuild().startCommand();
        if (command == null) {
            LOG.warn("{}: nobody starts the server, and there is no server.start-command", aim);
        } else {
            Tools.shell(aim + ": starting the server", command, deadline);
        }
    }

    private static Status status(Session session) throws SqlProblem {
        return Status.read(session.run(STATUS, soon()).get(0));
    }

    private Session console() throws SqlProblem {
        return engine.console(soon());
    }

    private static long soon() {
        return System.nanoTime() + STATEMENT_NANOS;
    }
}
