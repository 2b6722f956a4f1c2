package org.haarbiter.agent.engine.redis;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
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
import org.haarbiter.agent.engine.disk.RebuildMarker;
import org.haarbiter.agent.process.ConnectionReset;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * The engine for Redis 7.0 and newer, and Valkey. The server must be configured to start as a replica of nobody ({@code replicaof
 * 127.0.0.1 1}): a primary that comes back empty would otherwise empty its replicas.
 *
 * <p>Redis acknowledges a write before any replica has it, so what the replicas lack of a dead primary's writes is lost. A fenced
 * server is a replica of {@code 127.0.0.1 1}, keeps its data and its history, and refuses writes; its own replicas stay attached.
 */
public final class RedisEngine implements Engine {
    /** Without a file all is gone, with one what came after the last snapshot or the last second. */
    private static final Traits TRAITS = new Traits("redis", PositionKind.REPLICATION_OFFSET, false);

    private final RedisSettings settings;
    private final DeathWatch watch;
    private final ConnectionReset reset;
    private final RebuildMarker marker;
    private final Line command;
    private final Line slow;
    private final Line fencing;
    private final Upkeep upkeep;
    private final Looks looks;
    private final Orders orders;

    /** A rebuild is under way in this process. */
    private final AtomicBoolean replacing = new AtomicBoolean();

    /**
     * Starts watching; the server may come later.
     *
     * @throws org.haarbiter.settings.SettingsException where the TLS files can't be used
     */
    public RedisEngine(RedisSettings settings) {
        this.settings = settings;
        Links links = new Links(settings);
        this.command = new Line(links);
        this.slow = new Line(links);
        this.fencing = new Line(links);
        this.reset = new ConnectionReset(settings.address());
        this.marker = new RebuildMarker(settings.stateDirectory());
        this.watch = new DeathWatch(settings.address(), settings.watchMillis(), reset);
        this.upkeep = new Upkeep(settings, links, this::attached, List.of(fencing, command), reset);
        this.looks = new Looks(settings, links, watch, upkeep);
        this.orders = new Orders(settings, links, looks, watch, reset, command, fencing);
        upkeep.start();
    }

    private @Nullable Attached attached() {
        return looks.attached();
    }

    @Override
    public Traits traits() {
        return TRAITS;
    }

    // Death.

    @Override
    public void onDeath(DeathListener deathListener) {
        watch.onDeath(deathListener);
    }

    // Looking.

    @Override
    public Observation observe(Duration limit) {
        Observation seen = looks.look(deadline(limit));
        upkeep.answers(seen.state() == ServerState.RUNNING || seen.state() == ServerState.REFUSING);
        return judged(seen);
    }

    private Observation judged(Observation seen) {
        String why = notWhole();
        return why == null ? seen : seen.whileRebuilding(why);
    }

    private @Nullable String notWhole() {
        return replacing.get() ? "a rebuild of this server is under way" : marker.sentence();
    }

    /** For commands that rely on the server's history, or would change what a rebuild is just making. */
    private void requireWhole(String aim) throws EngineException {
        String why = notWhole();
        if (why != null) {
            throw new EngineException(aim + ": refused: " + why);
        }
    }

    private static long deadline(Duration limit) {
        return System.nanoTime() + limit.toNanos();
    }

    // Commands.

    @Override
    public void fence(Duration limit) throws EngineException {
        orders.fence();
    }

    @Override
    public @Nullable Observation drain(Duration limit) throws EngineException {
        requireWhole("refusing new writes");
        // Where it fails, writes are open again.
        looks.opening();
        try {
            return orders.drain(deadline(limit));
        } finally {
            looks.openingEnded();
        }
    }

    @Override
    public @Nullable Observation seal(Duration limit) throws EngineException {
        requireWhole("stopping the input");
        return orders.seal(deadline(limit));
    }

    @Override
    public void promote(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        requireWhole("opening writes");
        looks.opening();
        try {
            orders.promote(promotion, permitted, deadline(limit));
        } finally {
            looks.openingEnded();
        }
    }

    @Override
    public void settle(Duration limit) throws EngineException {
        orders.settle(deadline(limit));
    }

    @Override
    public void follow(Following following, Duration limit) throws EngineException {
        requireWhole("following " + following.source());
        orders.follow(following, deadline(limit));
    }

    @Override
    public void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException {
        orders.requireAcknowledgers(before, acknowledgers, deadline(limit));
    }

    @Override
    public @Nullable Surplus keepSurplus(String primaryPosition, Path directory, Duration limit)
            throws EngineException {
        String aim = "saving what only this server holds";
        requireWhole(aim);
        return new RdbSurplus(settings, slow).keep(served(aim), primaryPosition, directory, deadline(limit));
    }

    @Override
    public void rebuild(Endpoint donor, Progress progress, Duration limit) throws EngineException {
        String aim = "rebuilding from " + donor;
        if (donor.equals(settings.address())) {
            throw new EngineException(aim + ": that is this server itself");
        }
        if (!replacing.compareAndSet(false, true)) {
            throw new EngineException(aim + ": a rebuild of this server is under way already");
        }
        try {
            new Replacement(settings, slow, marker).run(served(aim), donor, progress, deadline(limit));
        } finally {
            replacing.set(false);
        }
    }

    private Attached served(String aim) throws EngineException {
        Attached server = looks.attached();
        if (server == null) {
            throw new EngineException(aim + ": the server at " + settings.address() + " was never reached");
        }
        return server;
    }

    @Override
    public void close() {
        watch.close();
        upkeep.close();
        for (Line line : List.of(command, slow, fencing)) {
            line.close();
        }
        looks.close();
        reset.close();
    }
}
