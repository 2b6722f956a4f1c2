package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.haarbiter.agent.core.AgentCore;
import org.haarbiter.agent.core.AgentLimits;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.link.LinkClient;
import org.haarbiter.link.LinkClientListener;
import org.haarbiter.link.LinkLoop;
import org.haarbiter.link.LinkSettings;
import org.haarbiter.link.Tls;
import org.haarbiter.settings.Timing;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A whole agent in one object: engine, loop, and a link to every master. */
public final class AgentNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentNode.class);

    private final Engine engine;
    private final EpochFile epochFile;
    private final ExecutorService epochWriter;
    private final LinkLoop links = new LinkLoop();
    private final List<LinkClient> masters = new ArrayList<>();
    private final AgentLoop loop;
    private volatile long knownEpoch;

    /**
     * Starts at once.
     *
     * @param engine closed with this
     * @throws IOException where the state directory can't be used
     */
    public AgentNode(
            Identity identity,
            Engine engine,
            Timing timing,
            java.nio.file.Path stateDirectory,
            List<Endpoint> masterAddresses,
            @Nullable Tls tls)
            throws IOException {
        this.engine = engine;
        this.epochFile = new EpochFile(stateDirectory);
        this.knownEpoch = epochFile.read();
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
                        timing.leaseMillis() / 2,
                        timing.leaseMillis() - timing.fenceBudgetMillis()),
                new SecureRandom().nextLong(),
                knownEpoch,
                Ticker.SYSTEM.nanos());
        LinkSettings linkSettings = LinkSettings.of(timing);
        Masters heard = new Masters();
        for (Endpoint address : masterAddresses) {
            masters.add(new LinkClient(address, tls, linkSettings, links, Ticker.SYSTEM, heard));
        }
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
                this::withLinkProblems,
                links.thread());
        heard.loop = loop;
        masters.forEach(LinkClient::start);
    }

    private void tell(Heartbeat heartbeat) {
        LinkClient.sendToAll(masters, heartbeat);
        long epoch = heartbeat.sighting().acceptedEpoch();
        if (epoch > knownEpoch) {
            knownEpoch = epoch;
            remember(epoch);
        }
    }

    private void remember(long epoch) {
        try {
            epochWriter.execute(() -> {
                try {
                    epochFile.write(epoch);
                } catch (IOException e) {
                    LOG.error(
                            "epoch {} can't be remembered: {} (free space or mend the state directory)",
                            epoch,
                            e.toString());
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.warn("epoch {} isn't remembered: the agent is stopping", epoch);
        }
    }

    private Sighting withLinkProblems(Sighting sighting) {
        List<String> problems = new ArrayList<>(sighting.problems());
        for (LinkClient master : masters) {
            String failure = master.failure();
            if (!master.connected() && failure != null) {
                problems.add("master " + master.master() + " can't be reached: " + failure);
            }
        }
        return problems.size() == sighting.problems().size() ? sighting : withProblems(sighting, problems);
    }

    private static Sighting withProblems(Sighting s, List<String> problems) {
        return new Sighting(
                s.group(),
                s.member(),
                s.site(),
                s.engine(),
                s.positionKind(),
                s.address(),
                s.state(),
                s.detail(),
                s.instance(),
                s.serverId(),
                s.version(),
                s.writable(),
                s.source(),
                s.receiving(),
                s.applying(),
                s.received(),
                s.applied(),
                s.lagMillis(),
                s.sourceHeardMillis(),
                s.acceptedTerm(),
                s.acceptedEpoch(),
                s.sealedEpoch(),
                s.fencedEpoch(),
                s.openEpoch(),
                s.acknowledgers(),
                s.acknowledgersRequired(),
                s.historyComplete(),
                s.electable(),
                problems);
    }

    /** The loop, for metrics and watchdogs. */
    public AgentLoop loop() {
        return loop;
    }

    /** How many masters the agent is connected to. */
    public long mastersConnected() {
        return masters.stream().filter(LinkClient::connected).count();
    }

    private static final class Masters implements LinkClientListener {
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
        public void disconnected(Endpoint master, String reason) {
            LOG.warn("master {} is gone: {}", master, reason);
        }
    }

    /** Leaves the server as it is. */
    @Override
    public void close() {
        loop.close();
        masters.forEach(LinkClient::close);
        links.close();
        epochWriter.shutdownNow();
        engine.close();
    }
}
