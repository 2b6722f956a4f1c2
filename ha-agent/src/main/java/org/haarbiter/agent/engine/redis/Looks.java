package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.disk.DiskCanary;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.agent.process.ServerProcess;
import org.haarbiter.agent.process.UnixSocket;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisDataException;

/** Looks at the server. One thread looks; what was seen is there for all. */
final class Looks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Looks.class);

    private static final long LOGIN_RETRY_NANOS = 1_000_000_000;
    private static final long REFUSED_LATELY_NANOS = 1_000_000_000;
    private static final int LINK_DOWN_SECONDS = 5;

    static final List<String[]> LOOK = List.<String[]>of(ServerInfo.COMMAND, LiveSettings.COMMAND);

    private final RedisSettings settings;
    private final Links links;
    private final DeathWatch watch;
    private final Upkeep upkeep;
    private final SourceClock clock = new SourceClock();

    /** Commands to open writes so far, so that a look can tell whether one began beside it. */
    private final AtomicInteger openings = new AtomicInteger();

    private volatile int openingsEnded;

    /** A look at this process found it closed to writes, and no command to open it has begun since. */
    private volatile boolean closedToWrites;

    private volatile @Nullable Attached attached;
    private volatile @Nullable Observation last;
    private volatile @Nullable LiveSettings lastSettings;

    /** What the server was last told by {@link RedisEngine#follow}: it always acknowledges, wanted or not. */
    private volatile boolean acknowledging = true;

    /** How often a primary pings its replicas when it isn't drained. */
    private volatile int pingSeconds = 1;

    // Only the observing thread uses these.
    private @Nullable Link probe;

    /** Which process has answered on it; empty where none has yet. */
    private String probed = "";

    private boolean wasUp;
    private long nextLoginNanos = System.nanoTime();
    private String loginProblem = "";
    private ServerState loginState = ServerState.UNKNOWN;
    private long refusedClients = -1;
    private long refusedNanos;

    Looks(RedisSettings settings, Links links, DeathWatch watch, Upkeep upkeep) {
        this.settings = settings;
        this.links = links;
        this.watch = watch;
        this.upkeep = upkeep;
    }

    /** The process that answered last; null before the first answer. */
    @Nullable
    Attached attached() {
        return attached;
    }

    @Nullable
    Observation last() {
        return last;
    }

    boolean closedToWrites() {
        return closedToWrites;
    }

    boolean acknowledging() {
        return acknowledging;
    }

    void acknowledges(boolean wanted) {
        acknowledging = wanted;
    }

    int pingSeconds() {
        return pingSeconds;
    }

    /** A command that may open writes begins; {@link #openingEnded} comes after it. */
    void opening() {
        openings.incrementAndGet();
        closedToWrites = false;
    }

    void openingEnded() {
        openingsEnded = openings.get();
    }

    Observation look(long deadlineNanos) {
        Observation seen;
        try {
            seen = ask(deadlineNanos);
        } catch (RedisProblem e) {
            seen = unanswered(e);
        }
        last = seen;
        return seen;
    }

    private Observation ask(long deadline) throws RedisProblem {
        Attached known = attached;
        int openingsBefore = openings.get();
        if (known != null && known.process().end() != null && known.instance().equals(probed)) {
            dropProbe();
        }
        Link link = probe;
        if (link == null) {
            boolean wait = known != null && known.process().end() == null && System.nanoTime() - nextLoginNanos < 0;
            if (wait && !loginProblem.isEmpty()) {
                return state(loginState, loginProblem);
            }
            try {
                link = links.connect(deadline);
            } catch (ConnectException e) {
                return absent(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                if (known == null) {
                    return state(ServerState.UNKNOWN, "can't connect to " + settings.address() + ": " + e.getMessage());
                }
                // A listener that is just being closed resets who is connecting.
                return known.process().look() == null
                        ? state(ServerState.HUNG, "can't connect to it: " + e.getMessage())
                        : state(ServerState.DEAD, ending(known.process()));
            }
            probe = link;
        }
        if (!link.ready()) {
            Observation refusal = login(link, deadline);
            if (refusal != null) {
                return refusal;
            }
        }
        if (!link.outstanding()) {
            link.send(LOOK);
        }
        List<Object> answers = link.await(deadline);
        Link.check(answers.get(0));
        ServerInfo info = ServerInfo.parse(Link.text(answers.get(0)));
        Observation refusal = adopt(info);
        if (refusal != null) {
            dropProbe();
            return refusal;
        }
        Observation seen = running(info, answers.get(1), true);
        closedToWrites = !seen.writable() && openings.get() == openingsBefore && openingsEnded == openingsBefore;
        return seen;
    }

    private @Nullable Observation login(Link link, long deadline) throws RedisProblem {
        try {
            link.login(deadline);
            loginProblem = "";
            return null;
        } catch (RedisProblem e) {
            if (e.kind() != RedisProblem.Kind.REFUSED) {
                throw e;
            }
            dropProbe();
            nextLoginNanos = System.nanoTime() + LOGIN_RETRY_NANOS;
            loginState = e.tooManyClients() ? ServerState.REFUSING : ServerState.UNKNOWN;
            loginProblem = e.tooManyClients()
                    ? "it turns new connections away, the agent's too (" + e.getMessage() + "): raise maxclients"
                    : "the agent can't log in as " + settings.user() + " (" + e.getMessage()
                            + "): check user and password in " + settings.credentialsFile() + "; the account needs: "
                            + Account.statement(settings.user());
            return state(loginState, loginProblem);
        }
    }

    /** Finds the process that has given this answer. */
    private @Nullable Observation adopt(ServerInfo info) {
        Attached known = attached;
        if (known != null
                && known.runId().equals(info.runId())
                && known.process().end() == null) {
            return null;
        }
        Path socket = settings.socket();
        try {
            int pid = info.processId();
            if (socket != null) {
                try (UnixSocket peer = UnixSocket.connect(socket)) {
                    pid = peer.peerPid();
                }
            }
            ServerProcess process = ServerProcess.of(pid);
            if (!process.listensAt(settings.address().port())) {
                process.close();
                return state(
                        ServerState.UNKNOWN,
                        "process " + pid + ", which " + (socket == null ? "INFO names" : "serves " + socket)
                                + ", doesn't listen at " + settings.address() + " (must be the server there): "
                                + (socket == null
                                        ? "give its Unix socket (socket) where the server has pids of its own"
                                        : "check the socket setting"));
            }
            if (known != null
                    && known.instance().equals(process.instance())
                    && known.process().end() != null) {
                // Its sockets take connections until its memory is freed.
                process.close();
                return state(ServerState.DEAD, ending(known.process()));
            }
            become(new Attached(process, info.runId()));
            probed = process.instance();
            return null;
        } catch (IOException e) {
            return state(ServerState.UNKNOWN, "its process isn't known: " + e.getMessage());
        }
    }

    private void become(Attached now) {
        attached = now;
        last = null;
        lastSettings = null;
        wasUp = false;
        closedToWrites = false;
        refusedClients = -1;
        upkeep.forget();
        watch.watch(now.process());
    }

    /** @param clocked the observing thread has seen it: only that one counts times */
    private Observation running(ServerInfo info, Object settingsAnswer, boolean clocked) {
        Attached server = Objects.requireNonNull(attached);
        List<String> problems = new ArrayList<>();
        LiveSettings live;
        if (settingsAnswer instanceof JedisDataException error) {
            live = lastSettings;
            problems.add("the server doesn't tell its settings (" + error.getMessage()
                    + "); the agent's account needs: " + Account.statement(settings.user()));
        } else {
            live = LiveSettings.parse(settingsAnswer);
            lastSettings = live;
            if (live.pingSeconds() != LiveSettings.NO_PINGS && live.pingSeconds() > 0) {
                pingSeconds = live.pingSeconds();
            }
        }
        if (clocked) {
            clock.saw(info, System.nanoTime());
            wasUp = true;
        }
        boolean drained = live != null && live.drained();
        if (info.primary() && live != null && !drained && live.pingSeconds() == LiveSettings.NO_PINGS) {
            problems.add("repl-ping-replica-period is " + LiveSettings.NO_PINGS + ", as a switch leaves it that was"
                    + " interrupted (must be 1): CONFIG SET repl-ping-replica-period 1");
        }
        if (info.source() != null && !info.linkUp() && !info.syncing() && info.linkDownSeconds() >= LINK_DOWN_SECONDS) {
            problems.add("it has not received from " + info.source() + " for " + info.linkDownSeconds()
                    + " s: the server's log says why");
        }
        problems.addAll(upkeep.problems());
        ServerState state = ServerState.RUNNING;
        String detail = "";
        String refusing = refusing(info, live, clocked);
        DiskCanary.Trouble disk = upkeep.diskTrouble(info);
        if (info.loading()) {
            state = ServerState.STARTING;
            detail = info.syncing()
                    ? "it reads the copy that " + info.source() + " has sent"
                    : "it reads its data from the disk";
        } else if (disk != null) {
            state = disk.state();
            detail = disk.detail();
        } else if (refusing != null) {
            state = ServerState.REFUSING;
            detail = refusing;
        }
        String position = info.position();
        boolean open = info.primary() ? !drained : !info.readOnly();
        boolean follows = info.source() != null;
        return new Observation(
                state,
                detail,
                server.instance(),
                settings.address().toString(),
                info.version(),
                open && !info.loading(),
                info.source(),
                follows && (info.linkUp() || info.syncing()),
                follows && info.linkUp() && !info.syncing() && !info.loading(),
                position,
                position,
                follows && info.linkUp() ? 0 : -1,
                follows ? clock.heardMillis(System.nanoTime()) : -1,
                info.acknowledgers(
                        live == null || live.lagLimitSeconds() == 0
                                ? LiveSettings.USUAL_LAG_LIMIT_SECONDS
                                : live.lagLimitSeconds()),
                live == null ? 0 : live.acknowledgersRequired(),
                acknowledging,
                0,
                problems,
                false,
                info.priority(),
                null);
    }

    /** Why it turns clients or writes away; null where it doesn't. */
    private @Nullable String refusing(ServerInfo info, @Nullable LiveSettings live, boolean counts) {
        long nanos = System.nanoTime();
        if (counts) {
            if (refusedClients >= 0 && info.refusedClients() > refusedClients) {
                refusedNanos = nanos;
            }
            refusedClients = info.refusedClients();
        }
        boolean refusedLately = refusedNanos != 0
                && nanos - refusedNanos < REFUSED_LATELY_NANOS
                && info.clients() * 10 >= info.clientsLimit() * 9;
        if (info.clients() >= info.clientsLimit() || refusedLately) {
            return "it turns clients away: " + info.clients() + " connections (maxclients is " + info.clientsLimit()
                    + ")";
        }
        if (!info.primary()) {
            return null;
        }
        if (info.saveFailed()
                && live != null
                && live.stopsOnSaveError()
                && !live.saves().isEmpty()) {
            return "it refuses writes (MISCONF): the last snapshot couldn't be written; its log says why (no room, or no"
                    + " right to write in its directory)";
        }
        return info.logEnabled() && info.logFailed()
                ? "it refuses writes (MISCONF): its append-only file can't be written; its log says why"
                : null;
    }

    /**
     * The server as {@link #LOOK} showed it to a command; its condition, which a command can't judge, is that of the newest look.
     * Null where that was of another process, or found it not running.
     */
    @Nullable
    Observation seen(Attached server, List<Object> answers) {
        Observation before = last;
        if (before == null
                || before.state() != ServerState.RUNNING
                || !before.instance().equals(server.instance())
                || answers.get(0) instanceof JedisDataException
                || answers.get(1) instanceof JedisDataException) {
            return null;
        }
        return running(ServerInfo.parse(Link.text(answers.get(0))), answers.get(1), false);
    }

    // No answer.

    private static String ending(ServerProcess known) {
        return "server process " + known.pid() + " ended: " + known.end();
    }

    private Observation unanswered(RedisProblem e) {
        Attached known = attached;
        if (e.kind() == RedisProblem.Kind.REFUSED) {
            if (e.is("BUSY")) {
                return state(
                        ServerState.REFUSING,
                        "it is busy with a script and refuses everything else (" + e.getMessage() + ")");
            }
            return state(
                    ServerState.UNKNOWN,
                    "it doesn't tell the agent of itself (" + e.getMessage() + "); the agent's account needs: "
                            + Account.statement(settings.user()));
        }
        if (e.kind() == RedisProblem.Kind.NO_ANSWER
                && (known == null || known.process().end() != null)) {
            known = silent(known);
        }
        if (known == null) {
            if (e.kind() == RedisProblem.Kind.LOST) {
                dropProbe();
            }
            return state(ServerState.UNKNOWN, "never reached: " + e.getMessage());
        }
        if (e.kind() == RedisProblem.Kind.LOST) {
            dropProbe();
            watch.recheck();
            return known.process().look() != null
                    ? state(ServerState.DEAD, ending(known.process()))
                    : state(lastState(), "the agent's connection ended: " + e.getMessage());
        }
        if (known.process().look() != null) {
            // A successor that reads a large file answers slowly: its connection is kept, and its answer comes later.
            return state(ServerState.DEAD, ending(known.process()));
        }
        Link link = probe;
        long silent = link == null ? 0 : (System.nanoTime() - link.sinceNanos()) / 1_000_000;
        return silent >= settings.hungMillis()
                ? state(
                        ServerState.HUNG,
                        "it hasn't answered for " + silent + " ms (must be less than " + settings.hungMillis()
                                + "), and its process " + known.process().pid() + " exists")
                : state(lastState(), "it hasn't answered for " + silent + " ms");
    }

    /** A process that takes connections and has never answered one can be fenced all the same, where its socket tells who it is. */
    private @Nullable Attached silent(@Nullable Attached before) {
        Path socket = settings.socket();
        if (socket == null) {
            return before;
        }
        try (UnixSocket peer = UnixSocket.connect(socket)) {
            ServerProcess process = ServerProcess.of(peer.peerPid());
            boolean same = before != null && before.instance().equals(process.instance());
            if (same || !process.listensAt(settings.address().port())) {
                process.close();
                return before;
            }
            Attached now = new Attached(process, "");
            become(now);
            return now;
        } catch (IOException e) {
            LOG.debug("looking for a server that doesn't answer: {}", e.toString());
            return before;
        }
    }

    /** Nobody listens. */
    private Observation absent(String why) {
        Attached known = attached;
        if (known == null) {
            return state(
                    ServerState.UNKNOWN,
                    "never reached: nobody listens at " + settings.address() + " (" + why + "): start the server");
        }
        watch.recheck();
        if (known.process().look() != null) {
            return state(ServerState.DEAD, ending(known.process()));
        }
        return wasUp
                ? state(ServerState.REFUSING, "it has stopped listening (" + why + "): it is shutting down")
                : state(ServerState.STARTING, "process " + known.process().pid() + " doesn't listen yet");
    }

    private ServerState lastState() {
        Observation before = last;
        return before == null ? ServerState.UNKNOWN : before.state();
    }

    /** A state with what was last known of the same instance. */
    private Observation state(ServerState state, String detail) {
        Attached known = attached;
        String instance = known == null ? "" : known.instance();
        Observation before = last;
        if (before == null || !before.instance().equals(instance)) {
            return Observation.unseen(state, detail, instance);
        }
        return before.inState(state, detail, before.source() == null ? -1 : clock.heardMillis(System.nanoTime()));
    }

    private void dropProbe() {
        Link present = probe;
        probe = null;
        probed = "";
        if (present != null) {
            present.close();
        }
    }

    @Override
    public void close() {
        dropProbe();
    }
}
