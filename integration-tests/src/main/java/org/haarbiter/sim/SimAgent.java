package org.haarbiter.sim;

import java.util.Objects;
import org.haarbiter.agent.core.AgentCore;
import org.haarbiter.agent.core.AgentLimits;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.core.ServerHealth;
import org.haarbiter.agent.core.Step;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** The real mind of an agent, driven as the agent's loop drives it, beside a server that is made up. */
final class SimAgent extends SimProcess {
    static final long HEARTBEAT = 100_000_000;
    private static final long COMMAND_LIMIT = 2_000_000_000L;
    private static final long FENCE_ASKED = 100_000_000;
    private static final long READ_ONLY_LIMIT = 1_000_000_000;
    private static final long HUNG = 150_000_000;
    private static final AgentLimits LIMITS = new AgentLimits(250, 100, 300, 500, 750, 1_000, 10);

    final SimServer server;
    private final World world;
    private final Chance chance;
    private final Identity identity;
    private @Nullable AgentCore core;

    /** What is on its disk. */
    private long knownEpoch;

    private long heldUntil = Long.MIN_VALUE;

    /** The service manager starts it again only once the hook has run. */
    boolean hookPending;

    private boolean remembering;
    private long nextBeat;
    private long wokenAt;
    private boolean looking;
    private boolean lookAgain;
    private long acceptedEpoch;
    private String lastGoal = "";

    SimAgent(SimServer server, String site, World world, Chance chance) {
        super("agent-" + server.name, world.timeline, chance);
        this.server = server;
        this.world = world;
        this.chance = chance;
        this.identity = new Identity(
                server.group.name, server.name, site, server.address, new Endpoint(server.address.host(), 7401), true);
    }

    @Nullable
    Goal goal() {
        AgentCore present = core;
        return present == null ? null : present.goal();
    }

    @Nullable
    Sighting sighting() {
        AgentCore present = core;
        return present == null ? null : present.sighting();
    }

    void start() {
        begin();
        looking = false;
        lookAgain = false;
        remembering = false;
        acceptedEpoch = 0;
        boolean survives = server.group.kind == PositionKind.MYSQL_GTID;
        AgentCore born = new AgentCore(
                identity,
                new Traits(server.group.kind.toString(), server.group.kind, survives),
                LIMITS,
                chance.next(),
                knownEpoch,
                heldUntil,
                clock());
        heldUntil = Long.MIN_VALUE;
        core = born;
        int inLife = life();
        server.deathWatch = instance -> timeline.after(
                chance.millis(1, 4),
                () -> arrive(inLife, () -> {
                    born.died(instance, "its process is exiting");
                    proceed(born);
                }));
        nextBeat = clock();
        proceed(born);
    }

    void stop(String how) {
        world.timeline.note("agent of " + server.name + " ended: " + how);
        end();
        core = null;
    }

    /**
     * It is asked to stop, and leaves its permission on its disk.
     *
     * @return whether its server has to be fenced first; the caller sees to it
     */
    boolean leave() {
        AgentCore present = Objects.requireNonNull(core, "only a running agent stops");
        Step.Fence fence = present.fenceBeforeStop(clock());
        heldUntil = present.heldUntilNanos();
        stop("in good order" + (fence == null ? "" : ", after a fence: " + fence.why()));
        return fence != null;
    }

    void answered(Answer answer) {
        AgentCore present = core;
        if (present == null) {
            return;
        }
        present.answered(answer, clock());
        Goal goal = present.goal();
        if (goal != null) {
            if (goal.epoch() < acceptedEpoch) {
                throw world.truth.violated(
                        "2 epochs only grow",
                        server.name + "'s agent went from epoch " + acceptedEpoch + " to " + goal.epoch());
            }
            acceptedEpoch = goal.epoch();
            String now = goal.role() + " epoch " + goal.epoch()
                    + (goal.source() == null ? "" : " of " + goal.source().host())
                    + (goal.acknowledgers() == 0 ? "" : " acks " + goal.acknowledgers());
            if (!now.equals(lastGoal)) {
                lastGoal = now;
                world.timeline.note("goal of " + server.name + ": " + now);
            }
        }
        proceed(present);
    }

    private void proceed(AgentCore present) {
        Step step = present.next(clock(), world.wallMillis());
        while (step != null) {
            carryOut(present, step);
            step = present.next(clock(), world.wallMillis());
        }
        long now = clock();
        boolean due = now >= nextBeat;
        if (present.looked() && (due || present.tellsMore())) {
            beat(present, now);
        }
        if (due) {
            askPeers(present, now);
            nextBeat = now + HEARTBEAT;
            if (present.lookDue()) {
                look(present);
            }
            wakeAt(present, nextBeat);
        }
        if (present.awaited() && !looking) {
            look(present);
        }
        long deadline = present.deadlineNanos(now);
        if (deadline > now && deadline < nextBeat && deadline != wokenAt) {
            wokenAt = deadline;
            wakeAt(present, deadline);
        }
        if (toldWritableEpoch() != 0) {
            world.truth.toldWritable(server);
        }
    }

    /** The epoch under which load balancers would be told now that this server takes writes; 0 where they wouldn't. */
    long toldWritableEpoch() {
        AgentCore present = core;
        if (present == null) {
            return 0;
        }
        ServerHealth health = present.health();
        boolean told = health != null && !health.standsBy() && present.permitted(health.openEpoch(), clock());
        return health != null && told ? health.openEpoch() : 0;
    }

    private void wakeAt(AgentCore present, long local) {
        // A little late rather than early: the clock's rounding must not make it miss the moment.
        after(local - clock() + 1_000, () -> proceed(present));
    }

    private void beat(AgentCore present, long now) {
        Heartbeat heartbeat = present.heartbeat(now);
        remember(present, heartbeat.sighting().acceptedEpoch());
        world.heartbeat(this, heartbeat);
    }

    /** Writing takes a while, and an agent that ends meanwhile hasn't written. */
    private void remember(AgentCore present, long epoch) {
        if (epoch <= knownEpoch || remembering) {
            return;
        }
        remembering = true;
        after(chance.percent(90) ? chance.millis(0, 8) : chance.millis(20, 300), () -> {
            remembering = false;
            knownEpoch = epoch;
            present.remembered(epoch);
            proceed(present);
        });
    }

    private void askPeers(AgentCore present, long now) {
        Goal goal = present.goal();
        PeerRequest request = present.peerRequest(now);
        if (goal == null || request == null) {
            return;
        }
        world.count("peers-asked");
        for (Peer peer : goal.peers().peers()) {
            world.request(this, server.group.agent(peer.member()), request);
        }
    }

    PeerAnswer asked(PeerRequest request) {
        AgentCore present = Objects.requireNonNull(core, "it arrives at a running agent only");
        PeerAnswer answer = present.asked(request, clock());
        world.count(answer.granted() ? "peer-granted" : "peer-refused");
        proceed(present);
        return answer;
    }

    void peerAnswered(PeerAnswer answer) {
        AgentCore present = Objects.requireNonNull(core, "it arrives at a running agent only");
        present.peerAnswered(answer);
        proceed(present);
    }

    private void look(AgentCore present) {
        if (looking) {
            lookAgain = true;
            return;
        }
        looking = true;
        long began = clock();
        after(chance.millis(0, 2), () -> {
            if (server.answers()) {
                Observation seen = server.look();
                after(
                        chance.percent(10) ? chance.millis(5, 120) : chance.millis(0, 3),
                        () -> looked(present, seen, began));
            } else if (server.frozen()) {
                after(HUNG, () -> looked(present, server.answers() ? server.look() : server.lookFromOutside(), began));
            } else {
                looked(present, server.lookFromOutside(), began);
            }
        });
    }

    private void looked(AgentCore present, Observation seen, long began) {
        present.observed(seen, began);
        looking = false;
        if (lookAgain) {
            lookAgain = false;
            look(present);
        }
        proceed(present);
    }

    // ---- steps

    /** One command under way: ends once, whatever comes first. */
    private final class Running {
        final AgentCore core;
        final Step step;
        final int serverLife = server.life();
        final long began = clock();
        final long deadline;
        boolean over;

        Running(AgentCore core, Step step, long limit) {
            this.core = core;
            this.step = step;
            this.deadline = clock() + limit;
        }

        boolean alive() {
            return !over && up() && clock() < deadline;
        }

        void end(@Nullable String problem) {
            if (over) {
                return;
            }
            over = true;
            // Some engines look by themselves, others leave it to the next look.
            boolean looks = step instanceof Step.Seal && problem == null && server.answers() && chance.percent(70);
            Observation after = looks ? server.look() : null;
            int inLife = life();
            timeline.after(
                    chance.millis(0, 1),
                    () -> arrive(inLife, () -> {
                        world.timeline.note("step of " + server.name + " ended: "
                                + step.getClass().getSimpleName() + " epoch " + step.epoch()
                                + (problem == null ? "" : ": " + problem));
                        if (after == null) {
                            core.ended(step, problem, clock());
                        } else {
                            core.ended(step, after, began, clock());
                        }
                        look(core);
                        proceed(core);
                    }));
        }

        /** A statement reaches the server, unless it was given up. */
        void statement(Runnable what) {
            if (!server.up() || server.life() != serverLife) {
                end("the server is gone");
                return;
            }
            if (server.starting) {
                end("the server is starting");
                return;
            }
            server.arrive(serverLife, () -> {
                if (alive()) {
                    what.run();
                }
            });
        }
    }

    private void carryOut(AgentCore present, Step step) {
        boolean fence = step instanceof Step.Fence;
        world.timeline.note("step of " + server.name + ": " + step.getClass().getSimpleName() + " epoch " + step.epoch()
                + (step instanceof Step.Fence f ? " (" + f.why() + ")" : ""));
        Running running = new Running(present, step, fence ? FENCE_ASKED : COMMAND_LIMIT);
        after(chance.millis(0, fence ? 10 : 15), () -> command(running));
        watch(running, fence);
    }

    private void watch(Running running, boolean fence) {
        after(fence ? FENCE_ASKED : COMMAND_LIMIT, () -> {
            if (running.over) {
                return;
            }
            if (server.up() && server.life() != running.serverLife && !(running.step instanceof Step.Rebuild)) {
                running.end("the server was restarted meanwhile");
            } else if (fence) {
                server.crash("killed by its agent's fence");
                world.supervise(server);
                running.end(null);
            } else {
                running.end(server.up() ? "no answer in time" : "the server is gone");
            }
        });
        if (!fence && !(running.step instanceof Step.Rebuild)) {
            watchLife(running);
        }
    }

    private void watchLife(Running running) {
        after(50_000_000, () -> {
            if (running.over) {
                return;
            }
            if (!server.up() || server.life() != running.serverLife) {
                running.end("the server is gone");
            } else {
                watchLife(running);
            }
        });
    }

    private void command(Running running) {
        Step step = running.step;
        long limit = timeline.now() + COMMAND_LIMIT - 100_000_000;
        if (step instanceof Step.Fence) {
            if (!server.up()) {
                running.end(null);
            } else {
                running.statement(() -> server.fence(running::end));
            }
        } else if (step instanceof Step.Drain) {
            running.statement(() -> server.drain(running::alive, limit, running::end));
        } else if (step instanceof Step.Seal) {
            running.statement(() -> readOnly(running, () -> server.seal(running::end)));
        } else if (step instanceof Step.Promote promote) {
            running.statement(() -> server.awaitApplied(
                    promote.promotion().upTo(), limit, running::alive, problem -> applied(running, promote, problem)));
        } else if (step instanceof Step.Settle) {
            running.statement(() -> server.settle(running::end));
        } else if (step instanceof Step.Follow follow) {
            running.statement(() -> readOnly(
                    running,
                    () -> server.follow(
                            follow.following().source(), follow.following().acknowledges(), running::end)));
        } else if (step instanceof Step.Rebuild rebuild) {
            running.statement(() -> rebuild(running, rebuild));
        } else if (step instanceof Step.RequireAcknowledgers require) {
            running.statement(() -> server.require(require.before(), require.acknowledgers(), running::end));
        }
    }

    private void rebuild(Running running, Step.Rebuild step) {
        SimServer donor = server.group.at(step.donor());
        server.rebuildBegins();
        world.count("rebuild-began");
        after(chance.millis(50, 600), () -> {
            if (running.over) {
                return;
            }
            if (donor == null || !donor.answers() || !server.up()) {
                running.end("the copy broke off");
                return;
            }
            world.count("rebuild-done");
            server.provision(donor);
            running.end(null);
        });
    }

    /** Commits that wait keep a server from being read-only: after a second its agent kills it. */
    private void readOnly(Running running, Runnable then) {
        if (!server.stranded()) {
            then.run();
        } else {
            after(READ_ONLY_LIMIT, () -> {
                if (running.over) {
                    return;
                }
                if (server.stranded()) {
                    server.crash("killed by its agent: commits that nobody acknowledges keep it from being read-only");
                    world.supervise(server);
                }
                running.end("it wasn't read-only in time");
            });
        }
    }

    private void applied(Running running, Step.Promote promote, @Nullable String problem) {
        if (problem != null) {
            running.end(problem);
            return;
        }
        after(chance.millis(0, 2), () -> {
            if (!running.core.permitted(promote.epoch(), clock())) {
                running.end("the permission ran out before writes could open");
                return;
            }
            running.statement(() -> {
                server.open(promote.epoch(), promote.promotion().acknowledgers());
                running.end(null);
            });
        });
    }
}
