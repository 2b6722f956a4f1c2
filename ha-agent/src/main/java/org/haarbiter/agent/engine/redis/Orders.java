package org.haarbiter.agent.engine.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.process.ConnectionReset;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The commands that change what the server is. */
final class Orders {
    private static final Logger LOG = LoggerFactory.getLogger(Orders.class);

    static final String[] STOP_FOLLOWING = {"REPLICAOF", "127.0.0.1", "1"};
    private static final String[] UNPAUSE = {"CLIENT", "UNPAUSE"};

    private static final long FENCE_LOGIN_NANOS = 100_000_000;
    private static final long ASK_NANOS = 50_000_000;
    private static final long CUT_NANOS = 200_000_000;
    private static final long UNDO_NANOS = 1_500_000_000;
    private static final long POLL_NANOS = 500_000;
    /** A handshake took 3 to 60 ms on a machine whose processors were all busy. */
    private static final long ASK_AGAIN_NANOS = 75_000_000;
    /** At 75, 225 and 525 ms; Redis itself asks after a second. */
    private static final int MOST_ASKS = 3;

    /**
     * Longer than a planned switch takes. Writes are refused by min-replicas-to-write, which Redis looks at before a pause; but only
     * while it pauses no key expires or is evicted and nothing is published, which would make its history longer.
     */
    private static final String PAUSE_MILLIS = "60000";

    private final RedisSettings settings;
    private final Links links;
    private final Looks looks;
    private final DeathWatch watch;
    private final ConnectionReset reset;
    private final Line command;
    private final Line fencing;

    /** How often the present source was asked again. Used by the thread that follows. */
    private int asks = MOST_ASKS;

    private long askAgainNanos;

    Orders(
            RedisSettings settings,
            Links links,
            Looks looks,
            DeathWatch watch,
            ConnectionReset reset,
            Line command,
            Line fencing) {
        this.settings = settings;
        this.links = links;
        this.looks = looks;
        this.watch = watch;
        this.reset = reset;
        this.command = command;
        this.fencing = fencing;
    }

    /** What a command found of the server. */
    private record Found(Attached server, ServerInfo info, LiveSettings live, List<Object> answers) {}

    private Attached server() throws EngineException {
        Attached known = looks.attached();
        if (known == null) {
            throw new EngineException("the server at " + settings.address() + " was never reached");
        }
        String end = known.process().look();
        if (end != null) {
            throw new EngineException("the server process " + known.process().pid() + " has ended: " + end);
        }
        return known;
    }

    private Found find(String aim, long deadline) throws EngineException {
        Attached server = server();
        try {
            List<Object> answers = command.with(server, deadline, link -> link.run(deadline, Looks.LOOK));
            return new Found(
                    server, ServerInfo.parse(Link.text(answers.get(0))), LiveSettings.parse(answers.get(1)), answers);
        } catch (RedisProblem e) {
            throw failed(aim, e);
        }
    }

    private EngineException failed(String aim, RedisProblem e) {
        if (e.kind() == RedisProblem.Kind.LOST) {
            watch.recheck();
        }
        String mend = e.is("NOPERM") ? "; the agent's account needs: " + Account.statement(settings.user()) : "";
        return new EngineException(aim + ": " + e.getMessage() + mend, e);
    }

    // Fencing.

    void fence() throws EngineException {
        Attached target = looks.attached();
        if (target == null) {
            throw new EngineException("can't fence the server at " + settings.address()
                    + ": it was never reached, so its process isn't known");
        }
        if (target.process().look() != null) {
            return;
        }
        String why;
        try {
            // Mostly it is open. Where this process has only just started, its own login mustn't pass for a server that
            // doesn't obey.
            fencing.prepare(target, System.nanoTime() + FENCE_LOGIN_NANOS);
            boolean was = stopWrites(target, System.nanoTime() + ASK_NANOS);
            if (was) {
                cutClients(fencing, target);
            }
            return;
        } catch (RedisProblem e) {
            if (target.process().look() != null) {
                watch.recheck();
                return;
            }
            why = String.valueOf(e.getMessage());
        }
        if (looks.closedToWrites()) {
            throw new EngineException("fencing: " + why + "; it was last seen closed to writes, so it isn't killed");
        }
        watch.kill(target.process(), why);
    }

    /** @return it was a primary */
    private boolean stopWrites(Attached target, long deadline) throws RedisProblem {
        try {
            return refuse(target, deadline);
        } catch (RedisProblem e) {
            if (!e.is("BUSY")) {
                throw e;
            }
            endScript(fencing, target, e, deadline);
            return refuse(target, deadline);
        }
    }

    private boolean refuse(Attached target, long deadline) throws RedisProblem {
        long start = System.nanoTime();
        List<Object> said = fencing.all(target, deadline, new String[] {"INFO", "replication"}, new String[] {
            "CONFIG", "SET", "replica-read-only", "yes"
        });
        Link.check(said.get(0));
        ServerInfo info = ServerInfo.parse(Link.text(said.get(0)));
        boolean primary = info.primary();
        if (primary) {
            fencing.run(target, deadline, STOP_FOLLOWING);
        }
        if (!info.readOnly()) {
            // Else it matters to nobody whether the setting could be made.
            Link.check(said.get(1));
        }
        LOG.info("writes refused in {} us", (System.nanoTime() - start) / 1_000);
        return primary;
    }

    /**
     * Ends a script that keeps the server from everything else.
     *
     * @throws RedisProblem where it can't be ended, for it has written
     */
    private static void endScript(Line line, Attached target, RedisProblem busy, long deadline) throws RedisProblem {
        String kind = String.valueOf(busy.getMessage()).contains("FUNCTION KILL") ? "FUNCTION" : "SCRIPT";
        LOG.warn("ending a script of a client: {}", busy.getMessage());
        Object said = line.all(target, deadline, new String[] {kind, "KILL"}).get(0);
        if (!Link.text(said).startsWith("NOTBUSY")) {
            Link.check(said);
        }
        while (true) {
            Object answer = line.all(target, deadline, new String[] {"INFO", "replication"})
                    .get(0);
            if (!Link.text(answer).startsWith("BUSY")) {
                return;
            }
            if (System.nanoTime() - deadline > 0) {
                throw RedisProblem.noAnswer("a script that was told to end goes on");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Clients of a server that isn't the primary any more shall look for the new one. Their writes are refused already. */
    private void cutClients(Line line, Attached target) {
        long start = System.nanoTime();
        long deadline = start + CUT_NANOS;
        try {
            int cut = line.with(target, deadline, link -> {
                List<Long> own = links.own();
                Object list = link.run(deadline, List.<String[]>of(new String[] {"CLIENT", "LIST", "TYPE", "normal"}))
                        .get(0);
                List<String[]> kills = new ArrayList<>();
                for (String one : Link.text(list).split("\n", -1)) {
                    if (one.startsWith("id=")) {
                        long id = Long.parseLong(one.substring(3, one.indexOf(' ')));
                        if (id != link.id() && !own.contains(id)) {
                            kills.add(new String[] {"CLIENT", "KILL", "ID", Long.toString(id)});
                        }
                    }
                }
                kills.add(new String[] {"CLIENT", "KILL", "TYPE", "pubsub"});
                kills.add(UNPAUSE);
                // A client that has gone by itself meanwhile is an error among the answers.
                link.all(deadline, kills);
                return kills.size() - 2;
            });
            LOG.info("cut {} clients in {} us", cut, (System.nanoTime() - start) / 1_000);
        } catch (RedisProblem e) {
            LOG.warn("cutting the clients, whose writes are refused already: {}", e.getMessage());
            reset.reset(false);
        }
    }

    @Nullable
    Observation seal(long deadline) throws EngineException {
        String aim = "stopping the input";
        Attached server = server();
        try {
            try {
                return stopInput(server, deadline);
            } catch (RedisProblem e) {
                if (!e.is("BUSY")) {
                    throw e;
                }
                endScript(command, server, e, deadline);
                return stopInput(server, deadline);
            }
        } catch (RedisProblem e) {
            throw failed(aim, e);
        }
    }

    /** Whoever waits for the position waits for this: one turn of the server's for all. */
    private @Nullable Observation stopInput(Attached server, long deadline) throws RedisProblem {
        List<String[]> commands = new ArrayList<>();
        commands.add(new String[] {"INFO", "replication"});
        commands.add(STOP_FOLLOWING);
        commands.addAll(Looks.LOOK);
        List<Object> said = command.with(server, deadline, link -> link.run(deadline, commands));
        if (ServerInfo.parse(Link.text(said.get(0))).primary()) {
            cutClients(command, server);
        }
        return looks.seen(server, said.subList(2, said.size()));
    }

    // Planned switches.

    @Nullable
    Observation drain(long deadline) throws EngineException {
        String aim = "refusing new writes for a switch";
        Found before;
        try {
            before = find(aim, deadline);
        } catch (EngineException e) {
            throw new EngineException(e.getMessage() + ": nothing was changed, writes are open where they were", e);
        }
        if (!before.info().primary() || before.live().drained()) {
            return looks.seen(before.server(), before.answers());
        }
        LiveSettings live = before.live();
        int lagLimit = live.lagLimitSeconds() == 0 ? LiveSettings.USUAL_LAG_LIMIT_SECONDS : live.lagLimitSeconds();
        List<String[]> drain = new ArrayList<>();
        drain.add(new String[] {"CLIENT", "PAUSE", PAUSE_MILLIS, "WRITE"});
        drain.add(settings(LiveSettings.DRAINED, lagLimit, LiveSettings.NO_PINGS));
        drain.addAll(Looks.LOOK);
        try {
            List<Object> said = command.with(before.server(), deadline, link -> {
                try {
                    return link.run(deadline, drain);
                } catch (RedisProblem e) {
                    // Behind what may still be carried out, on the same connection: whatever becomes of it, this comes
                    // after.
                    link.send(List.of(
                            settings(live.minReplicas(), live.lagLimitSeconds(), looks.pingSeconds()), UNPAUSE));
                    link.await(System.nanoTime() + UNDO_NANOS);
                    throw e;
                }
            });
            return looks.seen(before.server(), said.subList(2, 4));
        } catch (RedisProblem e) {
            throw failed(
                    aim,
                    e.kind() == RedisProblem.Kind.NO_ANSWER || e.is("BUSY")
                            ? RedisProblem.noAnswer(e.getMessage()
                                    + ": a script or another long command holds it up; writes are open again")
                            : e);
        }
    }

    private static String[] settings(int minReplicas, int lagLimit, int pingSeconds) {
        return new String[] {
            "CONFIG",
            "SET",
            "min-replicas-to-write",
            Integer.toString(minReplicas),
            "min-replicas-max-lag",
            Integer.toString(lagLimit),
            "repl-ping-replica-period",
            Integer.toString(pingSeconds)
        };
    }

    // Opening.

    void promote(Promotion promotion, BooleanSupplier permitted, long deadline) throws EngineException {
        String aim = "opening writes";
        Found now = awaitPosition(aim, promotion.upTo(), deadline);
        boolean replica = !now.info().primary();
        String[] opened = settings(promotion.acknowledgers(), now.live().lagLimitSeconds(), looks.pingSeconds());
        boolean ordered = false;
        try {
            // Not both at once: where the setting fails, writes must stay closed.
            if (replica && !isSet(now.live(), promotion.acknowledgers())) {
                command.run(now.server(), deadline, opened);
            }
            if (!permitted.getAsBoolean()) {
                throw new EngineException(
                        aim + ": the permission for epoch " + promotion.epoch() + " has run out: writes stay closed");
            }
            ordered = true;
            // An order that is lost on its way must not be given again: there is no permission for that.
            command.with(
                    now.server(),
                    deadline,
                    once(link -> replica
                            ? link.run(deadline, List.of(new String[] {"REPLICAOF", "NO", "ONE"}, UNPAUSE))
                            : link.run(deadline, List.of(opened, UNPAUSE))));
        } catch (RedisProblem e) {
            if (ordered
                    && e.kind() == RedisProblem.Kind.NO_ANSWER
                    && now.server().process().look() == null) {
                watch.kill(
                        now.server().process(),
                        "an order to open writes wasn't answered in time, and might be carried out when there is no"
                                + " permission any more");
            }
            throw failed(aim, e);
        }
    }

    private boolean isSet(LiveSettings live, int minReplicas) {
        return live.minReplicas() == minReplicas && live.pingSeconds() == looks.pingSeconds();
    }

    private static <T> Line.Work<T> once(Line.Work<T> work) {
        boolean[] tried = {false};
        return link -> {
            if (tried[0]) {
                throw RedisProblem.lost("the connection ended with an order to open writes on its way");
            }
            tried[0] = true;
            return work.with(link);
        };
    }

    private Found awaitPosition(String aim, String upTo, long deadline) throws EngineException {
        PositionKind kind = PositionKind.REPLICATION_OFFSET;
        Position wanted = kind.parse(upTo);
        while (true) {
            Found now = find(aim, deadline);
            String has = now.info().position();
            boolean there = !now.info().loading() && !now.info().syncing();
            if (there && kind.parse(has).covers(wanted)) {
                return now;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new EngineException(aim + ": it has '" + has + "' of the history (must have '" + upTo + "'"
                        + (there ? ")" : ", and be without a copy or a file to be read)"));
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    void requireAcknowledgers(int before, int acknowledgers, long deadline) throws EngineException {
        String aim = "setting min-replicas-to-write to " + acknowledgers;
        Found found = find(aim, deadline);
        int now = found.live().acknowledgersRequired();
        if (now != before) {
            throw new EngineException(
                    aim + ": it is " + now + " (must be " + before + " still): somebody else has changed it");
        }
        run(aim, found.server(), deadline, new String[] {
            "CONFIG", "SET", "min-replicas-to-write", Integer.toString(acknowledgers)
        });
    }

    void settle(long deadline) throws EngineException {
        run("ending a pause of clients", server(), deadline, UNPAUSE);
    }

    private void run(String aim, Attached server, long deadline, String[]... commands) throws EngineException {
        try {
            command.run(server, deadline, commands);
        } catch (RedisProblem e) {
            throw failed(aim, e);
        }
    }

    // Following.

    void follow(Following following, long deadline) throws EngineException {
        String aim = "following " + following.source();
        Found now = find(aim, deadline);
        boolean primary = now.info().primary();
        List<String[]> commands = new ArrayList<>();
        boolean asDrained = now.live().minReplicas() != 0 || now.live().pingSeconds() == LiveSettings.NO_PINGS;
        String user = settings.replicationUser();
        String password = settings.replicationPassword();
        if (user != null && password != null) {
            commands.add(new String[] {"CONFIG", "SET", "masteruser", user, "masterauth", password});
        }
        if (!now.info().readOnly()) {
            commands.add(new String[] {"CONFIG", "SET", "replica-read-only", "yes"});
        }
        boolean goesOver = primary || !following.source().equals(now.info().source());
        if (goesOver) {
            asks = 0;
            askAgainNanos = System.nanoTime() + ASK_AGAIN_NANOS;
            commands.add(replicaOf(following.source()));
        } else if (asksAgain(now.info())) {
            // The same order again does nothing by itself. The history stays, so what follows is still a partial copy.
            commands.add(STOP_FOLLOWING);
            commands.add(replicaOf(following.source()));
        }
        if (asDrained) {
            // Only now that it is a replica: the other way round it would take writes in between.
            commands.add(settings(0, now.live().lagLimitSeconds(), looks.pingSeconds()));
        }
        if (!commands.isEmpty()) {
            run(aim, now.server(), deadline, commands.toArray(String[][]::new));
        }
        looks.acknowledges(following.acknowledges());
        if (goesOver) {
            // Also where it was a replica already: a client of the primary that was just demoted may have come back
            // before it
            // was told of the new one, and would stay.
            cutClients(command, now.server());
        }
    }

    private static String[] replicaOf(Endpoint source) {
        return new String[] {"REPLICAOF", source.host(), Integer.toString(source.port())};
    }

    /**
     * A new primary that was asked a moment before it was promoted answers NOMASTERLINK, and Redis asks again only within a
     * second: for so long nobody has a copy of what it takes. Later and later, and then no more, since asking anew breaks off an
     * answer that is only slow.
     */
    private boolean asksAgain(ServerInfo info) {
        long now = System.nanoTime();
        if (info.linkUp() || info.syncing() || asks >= MOST_ASKS || now - askAgainNanos < 0) {
            return false;
        }
        asks++;
        askAgainNanos = now + (ASK_AGAIN_NANOS << asks);
        return true;
    }
}
