package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.haarbiter.agent.core.AgentCore;
import org.haarbiter.agent.core.AgentLimits;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.link.LinkClient;
import org.haarbiter.link.LinkClientListener;
import org.haarbiter.link.LinkLoop;
import org.haarbiter.link.LinkSettings;
import org.haarbiter.link.PeerCheck;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsRenewal;
import org.haarbiter.settings.Timing;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A whole agent in one object: engine, loop, and a link to every master. */
public final class AgentNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentNode.class);

    private static final int REBUILD_RETRY_MILLIS = 30_000;

    /** A short pause of the agent mustn't take a server out of a load balancer. */
    private static final int LEAST_STALE_MILLIS = 2_000;

    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

    private final Engine engine;
    private final EpochFile epochFile;
    private final ExecutorService epochWriter;
    private final LinkLoop links = new LinkLoop();
    private final List<LinkClient> masters = new ArrayList<>();
    private final PeerLinks peers;
    private final @Nullable Tls tls;
    private final @Nullable TlsRenewal renewal;
    private final Supervision supervision;
    private final LeftLease leftLease;
    private final AgentLoop loop;

    // Only the loop's thread uses these.
    private long rememberedEpoch;
    private boolean remembering;
    private @Nullable String epochProblem;

    /**
     * Starts at once.
     *
     * @param engine closed with this
     * @param supervision the service manager that is told how it goes
     * @throws IOException where the state directory can't be used
     */
    public AgentNode(
            Identity identity,
            Engine engine,
            Timing timing,
            java.nio.file.Path stateDirectory,
            List<Endpoint> masterAddresses,
            @Nullable Tls tls,
            Supervision supervision)
            throws IOException {
        this.engine = engine;
        this.tls = tls;
        this.renewal = tls == null ? null : new TlsRenewal(tls);
        this.supervision = supervision;
        this.epochFile = new EpochFile(stateDirectory);
        long knownEpoch = epochFile.read();
        this.rememberedEpoch = knownEpoch;
        this.leftLease = new LeftLease(stateDirectory);
        long left = leftLease.take(TimeUnit.MILLISECONDS.toNanos(timing.leaseMillis()));
        long now = Ticker.SYSTEM.nanos();
        this.epochWriter = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "agent-epoch");
            thread.setDaemon(true);
            return thread;
        });
        AgentCore core = new AgentCore(
                identity,
                engine.traits(),
                new AgentLimits(
                        timing.fenceBudgetMillis(),
                        timing.heartbeatMillis(),
                        REBUILD_RETRY_MILLIS,
                        timing.leaseMillis() / 2,
                        timing.leaseMillis() - timing.fenceBudgetMillis(),
                        timing.leaseMillis(),
                        timing.driftPerMille()),
                new SecureRandom().nextLong(),
                knownEpoch,
                left == Long.MIN_VALUE ? left : now + left,
                now);
        LinkSettings linkSettings = LinkSettings.of(timing);
        Heard heard = new Heard();
        for (Endpoint address : masterAddresses) {
            masters.add(new LinkClient(
                    address,
                    "master",
                    tls,
                    tls == null ? PeerCheck.ANYBODY : tls.rules().anyMaster(),
                    linkSettings,
                    links,
                    Ticker.SYSTEM,
                    heard));
        }
        this.peers = new PeerLinks(
                identity.group(),
                identity.agent(),
                tls,
                LinkSettings.amongPeers(timing),
                links,
                Ticker.SYSTEM,
                heard::asked,
                heard::answered);
        this.loop = new AgentLoop(
                core,
                engine,
                new AgentLoop.Timing(
                        timing.heartbeatMillis(),
                        timing.hungMillis(),
                        Math.max(2_000, timing.leaseMillis()),
                        timing.fenceBudgetMillis()),
                Ticker.SYSTEM,
                System::currentTimeMillis,
                this::tell,
                peers,
                this::lastWord,
                stateDirectory.resolve("surplus"),
                links.thread(),
                supervision.supervisor());
        heard.loop = loop;
        masters.forEach(LinkClient::start);
    }

    /** What load balancers are told. */
    HealthAnswers health(Identity identity, Timing timing) {
        int staleMillis = Math.max(LEAST_STALE_MILLIS, 2 * timing.silenceMillis() + timing.hungMillis());
        return new HealthAnswers(identity, loop::health, loop::permitted, Ticker.SYSTEM, staleMillis);
    }

    private void tell(Heartbeat heartbeat) {
        LinkClient.sendToAll(masters, heartbeat);
        if (supervision.supervisor().present()) {
            supervision.supervisor().status(status(heartbeat.sighting()));
        }
        long epoch = heartbeat.sighting().acceptedEpoch();
        if (epoch > rememberedEpoch && !remembering) {
            remembering = true;
            remember(epoch);
        }
    }

    private void remember(long epoch) {
        try {
            epochWriter.execute(() -> {
                String problem = null;
                try {
                    epochFile.write(epoch);
                } catch (IOException e) {
                    problem = "epoch " + epoch + " can't be remembered: " + e
                            + " (free space or mend the state directory)";
                }
                String failure = problem;
                loop.post(() -> remembered(epoch, failure));
            });
        } catch (RejectedExecutionException e) {
            LOG.warn("epoch {} isn't remembered: the agent is stopping", epoch);
        }
    }

    private void remembered(long epoch, @Nullable String problem) {
        // Where it failed the next heartbeat tries again.
        remembering = false;
        if (problem == null) {
            rememberedEpoch = epoch;
            loop.remembered(epoch);
        } else if (!problem.equals(epochProblem)) {
            LOG.error(problem);
        }
        epochProblem = problem;
    }

    private String status(Sighting sighting) {
        String server;
        if (sighting.state() != ServerState.RUNNING) {
            server = "its server is " + sighting.state().name().toLowerCase(Locale.ROOT)
                    + (sighting.detail().isEmpty() ? "" : ": " + sighting.detail());
        } else if (sighting.openEpoch() > 0) {
            server = "primary, takes writes under epoch " + sighting.openEpoch();
        } else if (sighting.writable()) {
            server = "its server takes writes, not by this agent's doing";
        } else if (sighting.receiving()) {
            server = "replica of " + sighting.source();
        } else {
            server = sighting.fencedEpoch() > 0 ? "fenced" : "its server refuses writes";
        }
        return mastersConnected() + " of " + masters.size() + " masters connected; " + server;
    }

    private Sighting lastWord(Sighting sighting) {
        return withLinkProblems(sighting.withGuard(supervision.guard()));
    }

    private Sighting withLinkProblems(Sighting sighting) {
        List<String> problems = new ArrayList<>(sighting.problems());
        if (epochProblem != null) {
            problems.add(epochProblem);
        }
        if (renewal != null && !renewal.problem().isEmpty()) {
            problems.add(renewal.problem());
        }
        problems.addAll(peers.problems());
        for (LinkClient master : masters) {
            String failure = master.failure();
            if (!master.connected() && failure != null) {
                problems.add("master " + master.remote() + " can't be reached: " + failure);
            }
        }
        return problems.size() == sighting.problems().size() ? sighting : sighting.withProblems(problems);
    }

    /** What its links to the masters and to its peers show and trust; null where they are plain. */
    @Nullable
    Tls tls() {
        return tls;
    }

    /** The loop, for metrics and watchdogs. */
    public AgentLoop loop() {
        return loop;
    }

    /** How many masters the agent is connected to. */
    public long mastersConnected() {
        return masters.stream().filter(LinkClient::connected).count();
    }

    /** What comes in before the loop is there is dropped: it will be said again. */
    private static final class Heard implements LinkClientListener {
        volatile @Nullable AgentLoop loop;

        @Override
        public void connected(Endpoint master) {
            LOG.info("master {} is there", master);
        }

        @Override
        public void answer(Endpoint master, Answer answer) {
            AgentLoop running = loop;
            if (running != null) {
                running.answered(answer);
            }
        }

        @Override
        public void answer(Endpoint peer, PeerAnswer answer) {
            LOG.warn("{} is a master and answers as an agent of the group; ignored", peer);
        }

        PeerAnswer asked(PeerRequest request) {
            AgentLoop running = loop;
            return running == null
                    ? new PeerAnswer(
                            request.member(), request.session(), request.round(), 0, false, "the agent is starting")
                    : running.asked(request);
        }

        void answered(PeerAnswer answer) {
            AgentLoop running = loop;
            if (running != null) {
                running.answered(answer);
            }
        }

        @Override
        public void disconnected(Endpoint master, String reason) {
            LOG.warn("master {} is gone: {}", master, reason);
        }
    }

    /** Waits until its server was looked at, and tells the service manager that the agent is ready. */
    void awaitReady() throws InterruptedException {
        loop.awaitLooked();
        supervision.supervisor().ready();
    }

    /**
     * Stops in good order. A server that takes writes by a permission that runs goes on, and the permission is left for the agent
     * that starts next; any other is fenced first.
     *
     * @return false where that wasn't possible: whoever started this process must see to it that the server is fenced
     */
    boolean stop() {
        supervision.supervisor().stopping();
        @Nullable Long heldUntil = loop.leave(STOP_LIMIT);
        boolean left = heldUntil != null;
        if (heldUntil != null && heldUntil != Long.MIN_VALUE) {
            try {
                leftLease.leave(heldUntil - Ticker.SYSTEM.nanos());
            } catch (IOException e) {
                LOG.error("the permission to write can't be left for the next agent", e);
                left = false;
            }
        }
        close();
        return left;
    }

    /** Leaves the server as it is. */
    @Override
    public void close() {
        loop.close();
        masters.forEach(LinkClient::close);
        peers.close();
        links.close();
        if (renewal != null) {
            renewal.close();
        }
        epochWriter.shutdownNow();
        engine.close();
    }
}
