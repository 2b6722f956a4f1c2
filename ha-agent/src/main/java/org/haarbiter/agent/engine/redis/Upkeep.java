package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.haarbiter.agent.engine.disk.DiskCanary;
import org.haarbiter.agent.process.ConnectionReset;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be ready before an emergency: connections that are open, settings that keep the arbiter's promises, a disk that
 * answers, and a way to reset connections. Has a thread of its own.
 */
final class Upkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

    private static final long KEEP_NANOS = 5_000_000_000L;
    private static final long KEEP_LIMIT_NANOS = 50_000_000;
    private static final long CHECK_NANOS = 60_000_000_000L;
    private static final long CHECK_LIMIT_NANOS = 2_000_000_000L;

    private final RedisSettings settings;
    private final Links links;
    private final Supplier<@Nullable Attached> attached;
    private final List<Line> lines;
    private final ConnectionReset reset;
    private final @Nullable DiskCanary canary;
    private final Thread thread;
    private volatile List<String> checked = List.of();
    private volatile boolean canaryStarted;
    private volatile boolean answering;
    private volatile boolean closed;

    /**
     * Nothing is done before {@link #start}.
     *
     * @param lines what is kept open
     */
    Upkeep(
            RedisSettings settings,
            Links links,
            Supplier<@Nullable Attached> attached,
            List<Line> lines,
            ConnectionReset reset) {
        this.settings = settings;
        this.links = links;
        this.attached = attached;
        this.lines = lines;
        this.reset = reset;
        Path directory = settings.dataDirectory();
        this.canary = directory == null ? null : new DiskCanary(directory, settings.diskMillis());
        this.thread = new Thread(this::run, "keep-connections");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Another process: what was found of the one before is no longer said. */
    void forget() {
        checked = List.of();
    }

    /** A look says whether the server answers now. */
    void answers(boolean now) {
        boolean before = answering;
        answering = now;
        if (now && !before) {
            LockSupport.unpark(thread);
        }
    }

    /** Sentences for an operator. */
    List<String> problems() {
        List<String> all = new ArrayList<>(checked);
        DiskCanary watching = canary;
        if (watching != null && canaryStarted && watching.unavailable() != null) {
            all.add(watching.unavailable());
        }
        String unavailable = reset.unavailable();
        if (unavailable != null) {
            all.add(unavailable);
        }
        return all;
    }

    /** Only a server that writes each change to its disk stands or falls with it. */
    synchronized DiskCanary.@Nullable Trouble diskTrouble(ServerInfo info) {
        DiskCanary watching = canary;
        if (watching == null || !info.logEnabled()) {
            return null;
        }
        if (!canaryStarted) {
            canaryStarted = true;
            watching.start();
        }
        DiskCanary.Trouble trouble = watching.trouble();
        // A replica goes on in memory, and the source's writes don't wait for its disk.
        return trouble != null && !info.primary() && trouble.state() == ServerState.REFUSING ? null : trouble;
    }

    private void run() {
        String warm = "";
        long nextCheckNanos = System.nanoTime();
        while (!closed) {
            Attached server = attached.get();
            if (server != null && answering && server.process().end() == null) {
                boolean fresh = !warm.equals(server.instance());
                long patience = fresh ? 20 * KEEP_LIMIT_NANOS : KEEP_LIMIT_NANOS;
                try {
                    for (Line line : lines) {
                        line.keep(server, System.nanoTime() + patience);
                    }
                    if (fresh) {
                        warmUp(server);
                        warm = server.instance();
                    }
                    if (fresh || System.nanoTime() - nextCheckNanos >= 0) {
                        check(server);
                        nextCheckNanos = System.nanoTime() + CHECK_NANOS;
                    }
                } catch (RedisProblem e) {
                    LOG.debug("keeping connections open: {}", e.getMessage());
                }
            }
            LockSupport.parkNanos(this, KEEP_NANOS);
        }
    }

    private void check(Attached server) throws RedisProblem {
        List<String> found = new Checks(settings, links).run(System.nanoTime() + CHECK_LIMIT_NANOS);
        if (server.equals(attached.get())) {
            checked = found;
        }
    }

    /** Runs the paths of an emergency once without effect: a class that loads during a failover costs milliseconds. */
    private void warmUp(Attached server) {
        try {
            server.process().checkKill();
        } catch (IOException e) {
            LOG.warn("{}", e.getMessage());
        }
        reset.count();
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        if (canary != null) {
            canary.close();
        }
        try {
            thread.join(2_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
