package org.haarbiter.agent.engine.elasticsearch;

import java.nio.file.Path;
import java.time.Duration;
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
import org.haarbiter.agent.process.ConnectionReset;
import org.haarbiter.agent.process.DeathWatch;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * The engine for Elasticsearch 8 and newer. The member is the cluster: the agent beside the node that it has elected carries out what
 * the masters want, the others stand by and kill their node where a cluster without an elected one must take no writes. A primary
 * cluster is open to clients; every other is closed to them, and fed by the consumer of a message stream.
 */
public final class ElasticsearchEngine implements Engine {
    private static final Traits TRAITS = new Traits("elasticsearch", PositionKind.STREAM_OFFSETS, true);

    private final ConnectionReset reset;
    private final DeathWatch watch;
    private final Upkeep upkeep;
    private final Looks looks;
    private final Orders orders;
    private volatile @Nullable DeathListener listener;

    /**
     * Connects at the first look.
     *
     * @throws org.haarbiter.settings.SettingsException where the certificates can't be used
     */
    public ElasticsearchEngine(ElasticsearchSettings settings) {
        Rest rest = new Rest(settings.user(), settings.password(), settings.ca());
        this.reset = new ConnectionReset(settings.address());
        this.watch = new DeathWatch(settings.address(), settings.watchMillis(), reset);
        this.upkeep = new Upkeep(settings, rest);
        this.looks = new Looks(settings, rest, watch, upkeep);
        this.orders = new Orders(settings, rest, looks, upkeep, watch);
        watch.onDeath(this::died);
    }

    /** The process's instance is only a part of what looks name. */
    private void died(String instance, String evidence) {
        DeathListener told = listener;
        Observation last = looks.last();
        if (told != null && last != null && last.instance().startsWith(instance)) {
            told.died(last.instance(), evidence);
        }
    }

    @Override
    public Traits traits() {
        return TRAITS;
    }

    @Override
    public Observation observe(Duration limit) {
        return looks.look(deadline(limit));
    }

    @Override
    public void onDeath(DeathListener deathListener) {
        listener = deathListener;
    }

    private static long deadline(Duration limit) {
        return System.nanoTime() + limit.toNanos();
    }

    @Override
    public void fence(Duration limit) throws EngineException {
        orders.fence(deadline(limit));
    }

    @Override
    public @Nullable Observation drain(Duration limit) throws EngineException {
        return orders.drain(deadline(limit));
    }

    @Override
    public @Nullable Observation seal(Duration limit) throws EngineException {
        orders.seal(deadline(limit));
        return null;
    }

    @Override
    public void promote(Promotion promotion, BooleanSupplier permitted, Duration limit) throws EngineException {
        orders.promote(promotion, permitted, deadline(limit));
    }

    @Override
    public void settle(Duration limit) {
        // Nothing is left for after the opening.
    }

    @Override
    public void follow(Following following, Duration limit) throws EngineException {
        orders.follow(following, deadline(limit));
    }

    @Override
    public void requireAcknowledgers(int before, int acknowledgers, Duration limit) throws EngineException {
        throw new EngineException("making writes wait for " + acknowledgers
                + " acknowledgements: a cluster of Elasticsearch waits for no other cluster");
    }

    /** What a cluster holds beyond the stream stays in it: the stream's messages replace only what they are about. */
    @Override
    public @Nullable Surplus keepSurplus(String primaryPosition, Path directory, Duration limit) {
        return null;
    }

    @Override
    public void rebuild(Endpoint donor, Progress progress, Duration limit) throws EngineException {
        throw new EngineException("rebuilding from " + donor
                + ": the arbiter doesn't copy clusters of Elasticsearch: restore a snapshot by hand, and let the stream's"
                + " consumer go on from there");
    }

    @Override
    public void close() {
        upkeep.close();
        watch.close();
        looks.close();
        reset.close();
    }
}
