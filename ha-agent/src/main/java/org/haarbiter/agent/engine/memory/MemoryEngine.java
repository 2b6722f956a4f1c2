package org.haarbiter.agent.engine.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.engine.DeathListener;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

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
                    server.acknowledges,
                    -1,
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
    public Observation drain(Duration limit) throws EngineException {
        requireRunning();
        change(() -> server.writable = false);
        return observe(limit);
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
    public void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException {
        requireRunning();
        fleet.lock.lock();
        try {
            if (server.acknowledgersRequired != before) {
                throw new EngineException("commits wait for " + server.acknowledgersRequired + " (must be " + before
                        + " still): somebody else has changed it");
            }
            change(() -> server.acknowledgersRequired = acknowledgers);
        } finally {
            fleet.lock.unlock();
        }
    }

    @Override
    public @Nullable Surplus keepSurplus(String primaryPosition, Path directory, Duration limit)
            throws EngineException {
        requireRunning();
        GtidSet primary = (GtidSet) PositionKind.MYSQL_GTID.parse(primaryPosition);
        List<MemoryServer.Transaction> surplus = new ArrayList<>();
        GtidSet positions;
        fleet.lock.lock();
        try {
            if (server.writable || (server.receiving && server.source() != null)) {
                throw new EngineException(server.address() + " takes writes or receives (must be fenced and sealed)");
            }
            positions = server.executed().minus(primary);
            for (MemoryServer.Transaction one : server.history()) {
                if (positions.covers(PositionKind.MYSQL_GTID.parse(one.gtid()))) {
                    surplus.add(one);
                }
            }
        } finally {
            fleet.lock.unlock();
        }
        if (surplus.isEmpty()) {
            return null;
        }
        Path file = directory.resolve(
                "surplus-" + server.serverId() + "-" + Integer.toHexString(positions.hashCode()) + ".txt");
        try {
            Files.createDirectories(directory);
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.write(
                    part,
                    surplus.stream()
                            .map(one -> one.gtid() + " " + one.payload())
                            .toList());
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            return new Surplus(file, positions.toString(), surplus.size(), Files.size(file));
        } catch (IOException e) {
            throw new EngineException("saving the surplus transactions in " + directory + ": " + e, e);
        }
    }

    @Override
    public void rebuild(Endpoint donor, Progress progress, Duration limit) throws EngineException {
        requireRunning();
        fleet.lock.lock();
        try {
            MemoryServer from = fleet.at(donor);
            if (from == null || from == server || from.state() != ServerState.RUNNING) {
                throw new EngineException("rebuilding from " + donor + ": it doesn't answer; the data is as before");
            }
            if (server.writable) {
                throw new EngineException(server.address() + " takes writes (must be fenced)");
            }
            server.become(from);
            progress.at("copied", 1, 1);
        } finally {
            fleet.lock.unlock();
        }
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
