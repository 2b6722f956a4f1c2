package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.DeathListener;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.disk.DiskCanary;
import org.haarbiter.agent.engine.disk.RebuildMarker;
import org.haarbiter.agent.process.ConnectionReset;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.agent.process.ServerProcess;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What MySQL and MariaDB have in common: being found, being looked at, and being killed. */
abstract sealed class SqlEngine implements Engine permits MysqlEngine, MariadbEngine {
    /**
     * For a server that is about to be opened: its first write waits for a follower to attach, and each follower's position is
     * looked for from the beginning of the binary log. With 32,000 transactions in it a follower had the next one after 44 to
     * 70 ms (MySQL 9.7) and 126 to 137 ms (MariaDB 10.11), from a new log after 20 to 28 and 4 to 6.
     */
    static final String NEW_BINARY_LOG = "FLUSH NO_WRITE_TO_BINLOG BINARY LOGS";

    private static final Logger LOG = LoggerFactory.getLogger(SqlEngine.class);

    private static final int TOO_MANY_CONNECTIONS = 1040;
    private static final int TOO_MANY_CONNECTIONS_OF_USER = 1203;
    static final int NO_PRIVILEGE = 1227;
    static final int LOCK_WAIT_TIMEOUT = 1205;
    private static final long KILL_QUERY_NANOS = 100_000_000;
    private static final long REFUSED_LATELY_NANOS = 1_000_000_000;
    private static final long FENCE_LOGIN_NANOS = 100_000_000;
    private static final long KEEP_NANOS = 5_000_000_000L;
    private static final long KEEP_LIMIT_NANOS = 50_000_000;
    private static final long CHECK_LIMIT_NANOS = 5_000_000_000L;
    private static final long CHECK_NANOS = 60_000_000_000L;
    private static final long LOGIN_RETRY_NANOS = 1_000_000_000;
    private static final long SCAN_NANOS = 50_000_000;
    private static final long HELD_UP_MILLIS = 1_500;

    private final MysqlSettings settings;
    private final DeathWatch watch;
    private final ConnectionReset reset;
    private final DiskCanary canary;
    private final RebuildMarker marker;
    private final Tools tools;

    /** A rebuild is under way in this process. */
    private final AtomicBoolean replacing = new AtomicBoolean();

    private final ReplicationClock clock = new ReplicationClock();
    private final Line status;
    private final Line command;
    private final Line slow;
    private final Line fenceFirst;
    private final Line fenceSecond;
    private final Thread keeper;
    private volatile @Nullable ServerProcess process;
    private volatile boolean closed;
    private volatile boolean answering;

    /** A look at this process found it closed to writes, and no command to open it has begun since. */
    private volatile boolean closedToWrites;

    /** Commands to open writes so far, so that a look can tell whether one began beside it. */
    private final AtomicInteger openings = new AtomicInteger();

    private volatile int openingsEnded;

    /** Commands under way that keep the server from answering others. */
    private final AtomicInteger heldUp = new AtomicInteger();

    /** The newest look at replication, also for the commands; null until there is one of this process. */
    private volatile @Nullable Replication replication;

    /** Set by the observing thread only. */
    private volatile @Nullable Observation last;

    /** What the keeping thread has found wrong with the settings. */
    private volatile List<String> checked = List.of();

    // Only the observing thread uses these.
    private @Nullable Session probe;
    private boolean wasUp;
    private long nextLoginNanos = System.nanoTime();
    private String loginProblem = "";
    private ServerState loginState = ServerState.UNKNOWN;
    private long nextScanNanos = System.nanoTime();
    private String attachedInstance = "";
    private long refusedConnections = -1;
    private long refusedNanos;

    SqlEngine(MysqlSettings settings) {
        this.settings = settings;
        this.status = new Line(settings);
        this.command = new Line(settings);
        this.slow = new Line(settings);
        this.fenceFirst = new Line(settings);
        this.fenceSecond = new Line(settings);
        this.reset = new ConnectionReset(settings.address());
        this.canary = new DiskCanary(settings.dataDirectory(), settings.diskMillis());
        this.marker = new RebuildMarker(settings.rebuild().stateDirectory());
        this.tools = new Tools(settings.rebuild().toolsDirectory(), this instanceof MariadbEngine);
        this.keeper = new Thread(this::keepLines, "keep-sessions");
        this.watch = new DeathWatch(settings.address(), settings.watchMillis(), reset);
        keeper.setDaemon(true);
        canary.start();
        keeper.start();
    }

    // What the two servers say differently.

    /** The statement of every tick; its result goes to {@link #readProbe}. */
    abstract String probeSql();

    abstract Probe readProbe(Rows rows);

    /** The statements whose results go to {@link #readReplication}. */
    abstract String replicationSql();

    abstract Replication readReplication(List<Rows> results, Position applied);

    /** Learns about a new process what doesn't change while it runs. */
    abstract void attached(ServerProcess server, long deadlineNanos) throws SqlProblem;

    /** Looks for settings that make the arbiter's promises void; sentences with what to do. */
    abstract List<String> check(Session session, long deadlineNanos) throws SqlProblem;

    /**
     * Sees that those who will follow this server once it is promoted can log in without delay. Called at the start of each
     * process and every few seconds.
     */
    void keepLoginsQuick(long deadlineNanos) {}

    /** Why no other member can be rebuilt from this one; null where nothing is known to stand against it. */
    @Nullable
    String copyProblem() {
        return null;
    }

    /** Ends what the engine has of its own. */
    void closeMore() {}

    /** The GRANT that gives the agent's account what it needs. */
    abstract String grant();

    /** Makes the server refuse writes; waits for commits that are under way. */
    abstract String refuseWritesSql();

    abstract String allowWritesSql();

    /**
     * What the binary logs hold that the primary lacks; null for nothing.
     *
     * @param probe what was just seen of the server
     * @param now and of its replication
     */
    abstract SurplusFile.@Nullable Contents surplus(
            String primaryPosition, Probe probe, Replication now, long deadlineNanos) throws EngineException;

    /** {@link #rebuild}, once at a time. Writes the marker before it destroys anything and removes it as the last thing. */
    abstract void replaceData(Endpoint donor, Progress progress, long deadlineNanos) throws EngineException;

    /** {@link #promote}, which has noted that writes may be open from now on. */
    abstract void open(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException;

    // Commands that may open writes.

    private interface Command {
        @Nullable
        Observation run() throws EngineException;
    }

    private @Nullable Observation mayOpen(Command command) throws EngineException {
        openings.incrementAndGet();
        closedToWrites = false;
        try {
            return command.run();
        } finally {
            openingsEnded = openings.get();
        }
    }

    @Override
    public final void promote(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        requireWhole("opening writes");
        mayOpen(() -> {
            open(promotion, permitted, limit);
            return null;
        });
    }

    @Override
    public final @Nullable Observation drain(Duration limit) throws EngineException {
        requireWhole("refusing new writes");
        // Where it fails, writes are open again.
        return mayOpen(() -> refuseNewWrites(System.nanoTime() + limit.toNanos()));
    }

    /** Every client waits for this and for the position after it: one turn of the server's and the agent's threads for all. */
    private @Nullable Observation refuseNewWrites(long deadline) throws EngineException {
        String aim = "refusing new writes for a switch";
        ServerProcess server = server();
        try {
            return seen(
                    server,
                    tryRun("SET @was_open = NOT @@global.read_only;" + refuseWritesSql() + ";" + lookSql(), deadline),
                    2);
        } catch (SqlProblem e) {
            if (e.kind() == SqlProblem.Kind.NO_ANSWER) {
                ask(server, "KILL QUERY " + command.connectionId(), System.nanoTime() + KILL_QUERY_NANOS);
            }
            // The server lets it wait no longer than a second.
            long end = System.nanoTime() + 1_500_000_000L;
            // A session that was lost meanwhile doesn't know, and what was closed before must not be opened.
            if (run(aim, "SELECT @was_open", end).get(0).text(0, 0).equals("1")) {
                // It may have come to pass after all.
                run(aim, allowWritesSql(), end);
            }
            throw new EngineException(
                    aim + ": " + e.getMessage()
                            + (e.code() == LOCK_WAIT_TIMEOUT || e.kind() == SqlProblem.Kind.NO_ANSWER
                                    ? ": a long statement, LOCK TABLES, or commits that wait for acknowledgement hold it"
                                            + " up; writes are open again"
                                    : ""),
                    e);
        }
    }

    // Surplus and rebuilding.

    @Override
    public final @Nullable Surplus keepSurplus(String primaryPosition, Path directory, Duration limit)
            throws EngineException {
        String aim = "saving the surplus transactions";
        long deadline = System.nanoTime() + limit.toNanos();
        requireWhole(aim);
        List<Rows> results = run(aim, lookSql() + ";SELECT @@global.log_bin_basename; SHOW BINARY LOGS", deadline);
        Probe probe = readProbe(results.get(0));
        Replication now = fresh(results, 0);
        if (probe.writable()) {
            throw new EngineException(aim + ": the server takes writes (must be fenced)");
        }
        if (now.input() != Replication.Input.STOPPED) {
            throw new EngineException(aim + ": the server still receives from " + now.source() + " (must be sealed)");
        }
        SurplusFile.Contents contents = surplus(primaryPosition, probe, now, deadline);
        if (contents == null) {
            return null;
        }
        Rows names = results.get(results.size() - 1);
        Path base =
                settings.dataDirectory().resolve(results.get(results.size() - 2).text(0, 0));
        List<Path> logs = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            logs.add(base.resolveSibling(names.text(i, 0)));
        }
        return new SurplusFile(tools, contents).keep(probe.serverId(), logs, directory, deadline);
    }

    @Override
    public final void rebuild(Endpoint donor, Progress progress, Duration limit) throws EngineException {
        long deadline = System.nanoTime() + limit.toNanos();
        if (donor.equals(settings.address())) {
            throw new EngineException("rebuilding from " + donor + ": that is this server itself");
        }
        if (!replacing.compareAndSet(false, true)) {
            throw new EngineException("rebuilding from " + donor + ": a rebuild of this server is under way already");
        }
        try {
            replaceData(donor, progress, deadline);
        } finally {
            replacing.set(false);
        }
    }

    /** For commands that rely on the server's history, or would change what a rebuild is just making. */
    final void requireWhole(String aim) throws EngineException {
        String why = notWhole();
        if (why != null) {
            throw new EngineException(aim + ": refused: " + why);
        }
    }

    /** A rebuild is under way in this process. */
    final boolean replacing() {
        return replacing.get();
    }

    private @Nullable String notWhole() {
        return replacing() ? "a rebuild of this server is under way" : marker.sentence();
    }

    final RebuildMarker marker() {
        return marker;
    }

    final Tools tools() {
        return tools;
    }

    /** Whether a process serves the data directory; true also where that can't be seen. */
    final boolean serverRuns() {
        try {
            return ServerProcess.pidIn(settings.dataDirectory()) > 0;
        } catch (IOException e) {
            LOG.warn("looking whether the server runs: {}", e.toString());
            return true;
        }
    }

    /** A session of its own with whatever process serves the socket now. */
    final Session console(long deadlineNanos) throws SqlProblem {
        Session session;
        try {
            session = Session.connect(settings.socket(), settings.user(), settings.password());
        } catch (IOException e) {
            throw SqlProblem.lost(String.valueOf(e.getMessage()));
        }
        try {
            session.login(deadlineNanos);
            session.run(Line.SET_UP, deadlineNanos);
            return session;
        } catch (SqlProblem e) {
            session.close();
            throw e;
        }
    }

    // Death.

    @Override
    public final void onDeath(DeathListener deathListener) {
        watch.onDeath(deathListener);
    }

    // Looking.

    @Override
    public final Observation observe(Duration limit) {
        long now = System.nanoTime();
        long deadline = now + limit.toNanos();
        Observation seen;
        try {
            seen = look(deadline);
        } catch (SqlProblem e) {
            seen = unanswered(e);
        }
        boolean before = answering;
        answering = seen.state() == ServerState.RUNNING || seen.state() == ServerState.REFUSING;
        if (answering && !before) {
            LockSupport.unpark(keeper);
        }
        last = seen;
        String why = notWhole();
        return why == null ? seen : seen.whileRebuilding(why);
    }

    private Observation look(long deadline) throws SqlProblem {
        ServerProcess known = process;
        int openingsBefore = openings.get();
        if (known != null && known.end() != null) {
            dropProbe();
        }
        Session session = probe;
        if (session == null) {
            long now = System.nanoTime();
            if (known != null && known.end() == null && now - nextLoginNanos < 0 && !loginProblem.isEmpty()) {
                return state(loginState, loginProblem);
            }
            try {
                session = Session.connect(settings.socket(), settings.user(), settings.password());
            } catch (ConnectException | NoSuchFileException e) {
                return absent(String.valueOf(e.getMessage()), e instanceof NoSuchFileException);
            } catch (IOException e) {
                return known != null && known.look() == null
                        ? state(ServerState.HUNG, String.valueOf(e.getMessage()))
                        : state(ServerState.UNKNOWN, String.valueOf(e.getMessage()));
            }
            Observation refusal = adopt(session);
            if (refusal != null) {
                session.close();
                return refusal;
            }
            probe = session;
        }
        if (!session.ready()) {
            Observation refusal = login(session, deadline);
            if (refusal != null) {
                return refusal;
            }
        }
        if (!session.outstanding()) {
            session.send(probeSql());
        }
        Probe answer = readProbe(session.await(deadline).get(0));
        closedToWrites = !answer.writable() && openings.get() == openingsBefore && openingsEnded == openingsBefore;
        return running(answer, deadline);
    }

    private @Nullable Observation adopt(Session session) {
        ServerProcess known = process;
        try {
            int pid = session.peerPid();
            if (known != null && known.pid() == pid && known.end() == null) {
                return null;
            }
            ServerProcess found = ServerProcess.of(pid);
            if (known != null && known.instance().equals(found.instance()) && known.end() != null) {
                // Its socket takes connections until its memory is freed.
                found.close();
                return state(ServerState.DEAD, ending(known));
            }
            become(found);
            return null;
        } catch (IOException e) {
            return state(ServerState.UNKNOWN, String.valueOf(e.getMessage()));
        }
    }

    private void become(ServerProcess found) {
        process = found;
        replication = null;
        last = null;
        wasUp = false;
        closedToWrites = false;
        refusedConnections = -1;
        checked = List.of();
        watch.watch(found);
    }

    private @Nullable Observation login(Session session, long deadline) throws SqlProblem {
        try {
            session.login(deadline);
            boolean mariadb = session.serverVersion().contains("MariaDB");
            if (mariadb != this instanceof MariadbEngine) {
                throw SqlProblem.refused(
                        0,
                        settings.socket() + " leads to version " + session.serverVersion() + " (must be "
                                + traits().name() + "): check the engine setting");
            }
            loginProblem = "";
            return null;
        } catch (SqlProblem e) {
            if (e.kind() != SqlProblem.Kind.REFUSED) {
                throw e;
            }
            dropProbe();
            nextLoginNanos = System.nanoTime() + LOGIN_RETRY_NANOS;
            boolean full = tooManyConnections(e);
            loginState = full ? ServerState.REFUSING : ServerState.UNKNOWN;
            loginProblem = full
                    ? turnedAway(e)
                    : "the agent can't log in as " + settings.user() + " (" + e.getMessage()
                            + "): check user and password in " + settings.credentialsFile() + "; the account needs: "
                            + grant();
            return state(loginState, loginProblem);
        }
    }

    private static boolean tooManyConnections(SqlProblem e) {
        return e.code() == TOO_MANY_CONNECTIONS || e.code() == TOO_MANY_CONNECTIONS_OF_USER;
    }

    private static String turnedAway(SqlProblem e) {
        return "it turns new connections away, the agent's too (" + e.getMessage() + "): raise max_connections";
    }

    private Observation running(Probe answer, long deadline) {
        wasUp = true;
        ServerProcess server = Objects.requireNonNull(process);
        List<String> problems = new ArrayList<>();
        String turnedAway = null;
        Replication now;
        try {
            if (!attachedInstance.equals(server.instance())) {
                attached(server, deadline);
                attachedInstance = server.instance();
            }
            now = readReplication(status.run(server, replicationSql(), deadline), answer.applied());
            replication = now;
            clock.saw(now, answer.applied(), System.nanoTime());
        } catch (SqlProblem e) {
            if (e.kind() == SqlProblem.Kind.LOST) {
                watch.recheck();
            }
            now = replication;
            // A full server may have let the agent in on the one connection that it keeps for administrators.
            if (tooManyConnections(e)) {
                turnedAway = turnedAway(e);
            } else {
                problems.add(
                        e.kind() == SqlProblem.Kind.REFUSED
                                ? "the server doesn't tell of its replication (" + e.getMessage() + "): " + grant()
                                : "the server doesn't tell of its replication: " + e.getMessage());
            }
        }
        problems.addAll(checked);
        addIfAny(problems, canary.unavailable());
        addIfAny(problems, reset.unavailable());
        addIfAny(problems, copyProblem());
        if (now != null && now.inputErrno() != 0) {
            problems.add("receiving from " + now.source() + ": error " + now.inputErrno() + ": " + now.inputError());
        }
        if (now != null && now.applierErrno() != 0) {
            problems.add("applying: error " + now.applierErrno() + ": " + now.applierError());
        }
        ServerState state = ServerState.RUNNING;
        String detail = "";
        DiskCanary.Trouble trouble = canary.trouble();
        String full = turnedAway != null || now == null ? turnedAway : full(now);
        if (trouble != null) {
            state = trouble.state();
            detail = trouble.detail();
        } else if (full != null) {
            state = ServerState.REFUSING;
            detail = full;
        }
        long nanos = System.nanoTime();
        boolean follows = now != null && now.source() != null;
        return observation(
                state,
                detail,
                server.instance(),
                answer,
                now,
                follows ? clock.lagMillis(nanos) : -1,
                follows ? clock.heardMillis(nanos) : -1,
                now == null || now.acknowledgers() < 0 ? -1 : clock.waitingMillis(nanos),
                problems);
    }

    private static Observation observation(
            ServerState state,
            String detail,
            String instance,
            Probe answer,
            @Nullable Replication now,
            long lagMillis,
            long heardMillis,
            long waitingMillis,
            List<String> problems) {
        return new Observation(
                state,
                detail,
                instance,
                answer.serverId(),
                answer.version(),
                answer.writable(),
                now == null ? null : now.source(),
                now != null && now.input() == Replication.Input.RUNNING,
                now != null && now.applying(),
                now == null ? answer.applied().toString() : now.received().toString(),
                answer.applied().toString(),
                lagMillis,
                heardMillis,
                now == null ? -1 : now.acknowledgers(),
                now == null ? 0 : now.acknowledgersRequired(),
                now != null && now.acknowledging(),
                waitingMillis,
                problems);
    }

    private @Nullable String full(Replication now) {
        long nanos = System.nanoTime();
        if (refusedConnections >= 0 && now.refusedConnections() > refusedConnections) {
            refusedNanos = nanos;
        }
        boolean refusedLately = refusedConnections >= 0
                && refusedNanos != 0
                && nanos - refusedNanos < REFUSED_LATELY_NANOS
                && now.connections() * 10 >= now.connectionsLimit() * 9;
        refusedConnections = now.refusedConnections();
        return now.connections() >= now.connectionsLimit() || refusedLately
                ? "it turns clients away: " + now.connections() + " connections (max_connections is "
                        + now.connectionsLimit() + ")"
                : null;
    }

    private static void addIfAny(List<String> problems, @Nullable String sentence) {
        if (sentence != null) {
            problems.add(sentence);
        }
    }

    /** The socket isn't there, or nobody listens. */
    private Observation absent(String why, boolean noFile) {
        ServerProcess known = process;
        if (known != null && known.look() == null) {
            return wasUp
                    ? state(ServerState.REFUSING, "it has stopped listening (" + why + "): it is shutting down")
                    : state(ServerState.STARTING, "process " + known.pid() + " doesn't listen yet");
        }
        watch.recheck();
        if (System.nanoTime() - nextScanNanos >= 0) {
            nextScanNanos = System.nanoTime() + SCAN_NANOS;
            try {
                int pid = ServerProcess.pidIn(settings.dataDirectory());
                if (pid > 0) {
                    ServerProcess found = ServerProcess.of(pid);
                    if (known == null || !found.instance().equals(known.instance())) {
                        become(found);
                        return state(ServerState.STARTING, "process " + pid + " doesn't listen yet");
                    }
                    found.close();
                }
            } catch (IOException e) {
                LOG.debug("looking for a starting server", e);
            }
        }
        if (known != null) {
            return state(ServerState.DEAD, ending(known));
        }
        return state(
                ServerState.UNKNOWN,
                noFile
                        ? "never reached: there is no socket " + settings.socket()
                                + ": start the server, or check the socket setting"
                        : "never reached: " + why + ": start the server");
    }

    private static String ending(ServerProcess known) {
        return "server process " + known.pid() + " ended: " + known.end();
    }

    private Observation unanswered(SqlProblem e) {
        ServerProcess known = process;
        if (known == null) {
            dropProbe();
            return state(ServerState.UNKNOWN, String.valueOf(e.getMessage()));
        }
        if (e.kind() != SqlProblem.Kind.NO_ANSWER) {
            dropProbe();
            watch.recheck();
            String end = known.look();
            if (end != null) {
                return state(ServerState.DEAD, ending(known));
            }
            return state(lastState(), "the agent's session ended: " + e.getMessage());
        }
        if (known.look() != null) {
            dropProbe();
            return state(ServerState.DEAD, ending(known));
        }
        Session session = probe;
        long silent = session == null ? 0 : (System.nanoTime() - session.sinceNanos()) / 1_000_000;
        long limit = settings.hungMillis() + (heldUp.get() > 0 ? HELD_UP_MILLIS : 0);
        if (silent >= limit) {
            return state(
                    ServerState.HUNG,
                    "it hasn't answered for " + silent + " ms (must be less than " + limit + "), and its process "
                            + known.pid() + " exists");
        }
        return state(lastState(), "it hasn't answered for " + silent + " ms");
    }

    private ServerState lastState() {
        Observation before = last;
        return before == null ? ServerState.UNKNOWN : before.state();
    }

    /** A state with what was last known of the same instance. */
    private Observation state(ServerState state, String detail) {
        ServerProcess known = process;
        String instance = known == null ? "" : known.instance();
        Observation before = last;
        if (before == null || !before.instance().equals(instance)) {
            return Observation.unseen(state, detail, instance);
        }
        return before.inState(state, detail, before.source() == null ? -1 : clock.heardMillis(System.nanoTime()));
    }

    private void dropProbe() {
        Session present = probe;
        probe = null;
        if (present != null) {
            present.close();
        }
    }

    // Sessions for the commands.

    private void keepLines() {
        String warm = "";
        long nextCheckNanos = System.nanoTime();
        while (!closed) {
            ServerProcess server = process;
            if (server != null && answering && server.end() == null) {
                boolean fresh = !warm.equals(server.instance());
                long patience = fresh ? 20 * KEEP_LIMIT_NANOS : KEEP_LIMIT_NANOS;
                try {
                    for (Line line : List.of(fenceFirst, fenceSecond, command)) {
                        line.keep(server, System.nanoTime() + patience);
                    }
                    keepLoginsQuick(System.nanoTime() + CHECK_LIMIT_NANOS);
                    if (fresh) {
                        warmUp(server);
                        warm = server.instance();
                    }
                    if (fresh || System.nanoTime() - nextCheckNanos >= 0) {
                        checkSettings(server);
                        nextCheckNanos = System.nanoTime() + CHECK_NANOS;
                    }
                } catch (SqlProblem e) {
                    LOG.debug("keeping sessions open", e);
                    if (e.kind() == SqlProblem.Kind.LOST) {
                        watch.recheck();
                    }
                }
            }
            LockSupport.parkNanos(this, KEEP_NANOS);
        }
    }

    /** On a session of its own: the statements are slow beside those that everything else waits for. */
    private void checkSettings(ServerProcess server) throws SqlProblem {
        try (Line line = new Line(settings)) {
            long deadline = System.nanoTime() + CHECK_LIMIT_NANOS;
            List<String> found = line.with(server, deadline, session -> check(session, deadline));
            if (process == server) {
                checked = found;
            }
        }
    }

    /** Runs the paths of an emergency once without effect: a class that loads during a failover costs milliseconds. */
    private void warmUp(ServerProcess server) {
        try {
            server.checkKill();
        } catch (IOException e) {
            LOG.warn("{}", e.getMessage());
        }
        reset.count();
    }

    /** Asks for an effect in an emergency; what goes wrong is the next rung's business. */
    final boolean attempt(boolean first, ServerProcess server, String sql, long deadline) {
        Line line = first ? fenceFirst : fenceSecond;
        long start = System.nanoTime();
        try {
            try {
                line.run(server, sql, deadline);
            } catch (SqlProblem e) {
                if (e.kind() != SqlProblem.Kind.LOST || server.look() != null) {
                    throw e;
                }
                line.run(server, sql, deadline);
            }
            LOG.info("{}: done in {} us", sql, (System.nanoTime() - start) / 1_000);
            return true;
        } catch (SqlProblem e) {
            LOG.warn("{}: {} after {} us", sql, e.getMessage(), (System.nanoTime() - start) / 1_000);
            return false;
        }
    }

    /**
     * The last check before writes open. A fence's statement may still wait in the server for commits that nobody
     * acknowledged; opening lets those go, and it would close the server again in their wake: it is ended first.
     */
    final void requirePermission(Promotion promotion, BooleanSupplier permitted, long deadline) throws EngineException {
        String aim = "ending an earlier fence's statement";
        for (Line line : List.of(fenceFirst, fenceSecond)) {
            if (line.outstanding()) {
                run(aim, "KILL QUERY " + line.connectionId(), deadline);
                try {
                    line.settle(server(), deadline);
                } catch (SqlProblem e) {
                    throw failed(aim, e);
                }
            }
        }
        // After that: a fence that began meanwhile has taken the permission away.
        if (!permitted.getAsBoolean()) {
            throw new EngineException(
                    "writes stay closed: the permission of epoch " + promotion.epoch() + " has run out");
        }
    }

    final @Nullable List<Rows> ask(ServerProcess server, String sql, long deadline) {
        try {
            return fenceSecond.run(server, sql, deadline);
        } catch (SqlProblem e) {
            LOG.warn("{}: {}", sql, e.getMessage());
            return null;
        }
    }

    /** The process that commands are for. */
    final ServerProcess server() throws EngineException {
        ServerProcess known = process;
        if (known == null) {
            throw new EngineException("the server at " + settings.socket() + " was never reached");
        }
        String end = known.look();
        if (end != null) {
            throw new EngineException("the server process " + known.pid() + " has ended: " + end);
        }
        return known;
    }

    /** The process that a fence is for; null where it has ended. */
    final @Nullable ServerProcess fenceTarget() throws EngineException {
        ServerProcess known = process;
        if (known == null) {
            throw new EngineException("can't fence the server at " + settings.socket()
                    + ": it was never reached, so its process isn't known");
        }
        if (known.look() != null) {
            return null;
        }
        long deadline = System.nanoTime() + FENCE_LOGIN_NANOS;
        for (Line line : List.of(fenceFirst, fenceSecond)) {
            // Mostly they are open. Where this process has only just started, its own login mustn't pass for a server
            // that doesn't obey.
            try {
                line.open(known, deadline);
            } catch (SqlProblem e) {
                LOG.debug("opening a session for a fence", e);
            }
        }
        return known;
    }

    /**
     * The last rung, for a server that may be taking writes. One that was last seen closed, a starting one say, is spared:
     * slow is no reason to kill it, and its fence is asked for again.
     */
    final void killUnlessClosed(ServerProcess target, String why) throws EngineException {
        if (closedToWrites) {
            throw new EngineException("fencing: " + why + "; it was last seen closed to writes, so it isn't killed");
        }
        kill(target, why);
    }

    final void kill(ServerProcess target, String why) throws EngineException {
        watch.kill(target, why);
    }

    final int resetConnections() {
        return reset.reset(false);
    }

    /** Ends the connections that the server has opened to that port elsewhere; -1 where the agent can't. */
    final int resetOutgoing(int port, ServerProcess server) {
        return reset.resetOutgoing(port, server);
    }

    final boolean resets() {
        return reset.unavailable() == null;
    }

    /** Runs statements of a command; failure is a sentence that begins with {@code aim}. */
    final List<Rows> run(String aim, String sql, long deadline) throws EngineException {
        ServerProcess server = server();
        try {
            return command.run(server, sql, deadline);
        } catch (SqlProblem e) {
            throw failed(aim, e);
        }
    }

    /**
     * As {@link #run}, for a statement during which the server is known to answer nobody for up to a second: that doesn't
     * count as hung.
     */
    final void runHeldUp(String aim, String sql, long deadline) throws EngineException {
        heldUp.incrementAndGet();
        try {
            run(aim, sql, deadline);
        } finally {
            heldUp.decrementAndGet();
        }
    }

    /** Throws where commits don't wait for so many acknowledgements. */
    final void expectAcknowledgers(String aim, int before, long deadline) throws EngineException {
        int now = freshReplication(aim, deadline).acknowledgersRequired();
        if (now != before) {
            throw new EngineException(aim + ": commits wait for " + now + " (must be " + before
                    + " still): somebody else has changed it");
        }
    }

    /** As {@link #run}, with the server's own error left to the caller. */
    final List<Rows> tryRun(String sql, long deadline) throws EngineException, SqlProblem {
        return command.run(server(), sql, deadline);
    }

    /** As {@link #tryRun}, on a session that may be held up for a minute: other commands don't wait for it. */
    final List<Rows> trySlow(String sql, long deadline) throws EngineException, SqlProblem {
        return slow.run(server(), sql, deadline);
    }

    final EngineException failed(String aim, SqlProblem e) {
        if (e.kind() == SqlProblem.Kind.LOST) {
            watch.recheck();
        }
        String mend = e.code() == NO_PRIVILEGE ? "; the agent's account needs: " + grant() : "";
        return new EngineException(aim + ": " + e.getMessage() + mend, e);
    }

    /** The statements of a whole look, for a command to end its own with; {@link #fresh} and {@link #seen} read them. */
    final String lookSql() {
        return probeSql() + ";" + replicationSql();
    }

    /** A fresh look at replication for a command. */
    final Replication freshReplication(String aim, long deadline) throws EngineException {
        return fresh(run(aim, lookSql(), deadline), 0);
    }

    /**
     * Replication as {@link #lookSql} showed it.
     *
     * @param from the first of its results
     */
    final Replication fresh(List<Rows> results, int from) {
        Replication now = readReplication(
                results.subList(from + 1, results.size()),
                readProbe(results.get(from)).applied());
        replication = now;
        return now;
    }

    /**
     * The server as {@link #lookSql} showed it to a command; its condition, which a command can't judge, is that of the newest
     * look. Null where that was of another process, or found it not running.
     */
    final @Nullable Observation seen(ServerProcess server, List<Rows> results, int from) {
        Observation before = last;
        if (before == null
                || before.state() != ServerState.RUNNING
                || !before.instance().equals(server.instance())) {
            return null;
        }
        return observation(
                before.state(),
                before.detail(),
                before.instance(),
                readProbe(results.get(from)),
                fresh(results, from),
                before.lagMillis(),
                before.sourceHeardMillis(),
                before.waitingMillis(),
                before.problems());
    }

    /** The newest look has shown everything up to the position applied: a process that has it goes on having it. */
    final boolean hasApplied(String upTo) {
        Observation seen = last;
        ServerProcess server = process;
        PositionKind kind = traits().positionKind();
        return seen != null
                && server != null
                && seen.instance().equals(server.instance())
                && kind.parse(seen.applied()).covers(kind.parse(upTo));
    }

    /**
     * Enough followers are attached already, as the one that goes ahead in a planned switch is: the first write waits for no
     * other, so that there is no need of {@link #NEW_BINARY_LOG}.
     */
    static boolean followed(@Nullable Replication before, Promotion promotion) {
        return before != null && promotion.acknowledgers() > 0 && before.acknowledgers() >= promotion.acknowledgers();
    }

    /** In a planned switch it still receives from the drained primary. */
    static boolean receives(@Nullable Replication before) {
        return before != null && before.input() != Replication.Input.STOPPED;
    }

    /** The newest look at replication; null before the first. */
    final @Nullable Replication lastReplication() {
        return replication;
    }

    /** How long ago the source was heard, in ms; -1 where it never was. */
    final long sourceHeardMillis() {
        return clock.heardMillis(System.nanoTime());
    }

    final List<Rows> runStatus(ServerProcess server, String sql, long deadline) throws SqlProblem {
        return status.run(server, sql, deadline);
    }

    final MysqlSettings settings() {
        return settings;
    }

    static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    @Override
    public final void close() {
        closed = true;
        closeMore();
        watch.close();
        LockSupport.unpark(keeper);
        canary.close();
        for (Line line : List.of(status, command, slow, fenceFirst, fenceSecond)) {
            line.close();
        }
        dropProbe();
        reset.close();
        try {
            keeper.join(2_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
