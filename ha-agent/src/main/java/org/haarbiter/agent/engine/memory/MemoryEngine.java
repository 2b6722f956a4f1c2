package org.haarbiter.agent.engine.memory;

import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.DeathListener;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;

/** The engine SPI over a {@link MemoryServer}. */
public final class MemoryEngine implements Engine {
    private final MemoryFleet fleet;
    private final MemoryServer server;

    /** The engine of one server. */
    public MemoryEngine(MemoryFleet fleet, MemoryServer server) {
        this.fleet = fleet;
        this.server = server;
    }

    @Override
    public Traits traits() {
        return new Traits("memory", PositionKind.MYSQL_GTID, true);
    }

    @Override
    public Observation observe(Duration limit) {
        fleet.lock.lock();
        try {
            MemoryServer source = fleet.at(server.source());
            boolean connected = source != null && server.receivesFrom(source);
            int acknowledgers = (int) fleet.receiversOf(server).stream()
                    .filter(r -> r.acknowledges)
                    .count();
            return new Observation(
                    server.state(),
                    server.state() == ServerState.RUNNING ? "" : "it is " + server.state() + " in memory",
                    server.instance(),
                    server.serverId(),
                    "1",
                    server.writable,
                    server.source(),
                    connected,
                    true,
                    server.executed().toString(),
                    server.executed().toString(),
                    0,
                    connected ? 0 : -1,
                    acknowledgers,
                    server.acknowledgersRequired,
                    List.of());
        } finally {
            fleet.lock.unlock();
        }
    }

    @Override
    public void onDeath(DeathListener listener) {
        server.onDeath(listener);
    }

    @Override
    public void fence(Duration limit) {
        if (serverState() == ServerState.HUNG) {
            server.kill();
            return;
        }
        change(() -> server.writable = false);
    }

    @Override
    public void drain(Duration limit) throws EngineException {
        requireRunning();
        change(() -> server.writable = false);
    }

    @Override
    public Observation seal(Duration limit) throws EngineException {
        requireRunning();
        change(() -> server.receiving = false);
        return observe(limit);
    }

    @Override
    public void promote(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        requireRunning();
        GtidSet upTo = (GtidSet) PositionKind.MYSQL_GTID.parse(promotion.upTo());
        fleet.lock.lock();
        try {
            if (!fleet.await(() -> server.executed().covers(upTo), limit.toMillis())) {
                throw new EngineException("promotion: " + upTo.minus(server.executed()) + " wasn't applied in time");
            }
            if (!permitted.getAsBoolean()) {
                throw new EngineException("promotion: the permission to write ran out before writes could open");
            }
            server.receiving = false;
            server.acknowledgersRequired = promotion.acknowledgers();
            server.writable = true;
            fleet.replicate();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException("promotion: interrupted", e);
        } finally {
            fleet.lock.unlock();
        }
    }

    @Override
    public void settle(Duration limit) {
        change(() -> server.follow(null));
    }

    @Override
    public void follow(Following following, Duration limit) throws EngineException {
        requireRunning();
        change(() -> {
            server.writable = false;
            server.acknowledgersRequired = 0;
            server.acknowledges = following.acknowledges();
            server.follow(following.source());
        });
    }

    @Override
    public void requireAcknowledgers(int acknowledgers, Duration limit) throws EngineException {
        requireRunning();
        change(() -> server.acknowledgersRequired = acknowledgers);
    }

    @Override
    public void close() {
        // Owns no thread and no connection.
    }

    private void requireRunning() throws EngineException {
        ServerState state = serverState();
        if (state != ServerState.RUNNING) {
            throw new EngineException(server.address() + " is " + state + " (must be RUNNING)");
        }
    }

    private ServerState serverState() {
        fleet.lock.lock();
        try {
            return server.state();
        } finally {
            fleet.lock.unlock();
        }
    }

    private void change(Runnable change) {
        fleet.lock.lock();
        try {
            change.run();
            fleet.replicate();
        } finally {
            fleet.lock.unlock();
        }
    }
}
