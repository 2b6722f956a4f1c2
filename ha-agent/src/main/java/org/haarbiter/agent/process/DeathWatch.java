package org.haarbiter.agent.process;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.DeathListener;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the server's process, tells of its end, and then resets its clients' connections: the kernel ends them only after it has
 * freed the server's memory. Thread-safe.
 */
public final class DeathWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DeathWatch.class);
    private static final long JOIN_MILLIS = 2_000;
    private static final long KILL_NANOS = 1_000_000_000;
    private static final long POLL_NANOS = 200_000;

    private final Endpoint address;
    private final ConnectionReset reset;
    private final ProcessWatch watch;
    private final Thread resetter;
    private volatile @Nullable ServerProcess watched;
    private volatile @Nullable DeathListener listener;
    private volatile boolean dying;
    private volatile boolean closed;

    /**
     * Watches nothing before {@link #watch}.
     *
     * @param address of the server, for messages
     * @param watchMillis how often to look although no event came, 1 to 1000 ms
     * @param reset of the connections at that address; stays the caller's
     */
    public DeathWatch(Endpoint address, int watchMillis, ConnectionReset reset) {
        this.address = address;
        this.reset = reset;
        this.resetter = new Thread(this::resetAtDeath, "reset-at-death");
        this.watch = new ProcessWatch(watchMillis, this::died);
        resetter.setDaemon(true);
        resetter.start();
    }

    /** See {@link org.haarbiter.agent.engine.Engine#onDeath}. */
    public void onDeath(DeathListener deathListener) {
        listener = deathListener;
    }

    /** Watches this process from now on instead of the one before, which is closed. */
    public void watch(ServerProcess process) {
        watched = process;
        watch.watch(process);
    }

    /** Looks at once, from the calling thread. */
    public void recheck() {
        watch.recheck();
    }

    private void died(String instance, String evidence) {
        dying = true;
        LockSupport.unpark(resetter);
        DeathListener told = listener;
        if (told != null) {
            told.died(instance, evidence);
        }
    }

    private void resetAtDeath() {
        while (!closed) {
            if (dying) {
                dying = false;
                long start = System.nanoTime();
                ServerProcess ending = watched;
                // Its successor may be there already.
                if (ending != null && ending.end() != null) {
                    ending.stepBack();
                }
                int ended = reset.reset(true);
                if (ended >= 0) {
                    LOG.info(
                            "reset {} connections of {} in {} us", ended, address, (System.nanoTime() - start) / 1_000);
                }
            } else {
                LockSupport.park(this);
            }
        }
    }

    /**
     * Kills, and waits until the kernel shows that no instruction of the process runs any more.
     *
     * @throws EngineException where it can't be killed, or doesn't show as ending within a second
     */
    public void kill(ServerProcess target, String why) throws EngineException {
        LOG.warn("killing the server, process {}: {}", target.pid(), why);
        try {
            target.kill();
        } catch (IOException e) {
            throw new EngineException(String.valueOf(e.getMessage()), e);
        }
        long deadline = System.nanoTime() + KILL_NANOS;
        while (target.look() == null) {
            if (System.nanoTime() - deadline > 0) {
                throw new EngineException("the server process " + target.pid() + " was sent SIGKILL a second ago and"
                        + " /proc doesn't show that it ends");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        watch.recheck();
    }

    /** Ends both threads. */
    @Override
    public void close() {
        closed = true;
        watch.close();
        LockSupport.unpark(resetter);
        try {
            resetter.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
