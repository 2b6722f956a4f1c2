package org.haarbiter.agent.process;

import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.DeathListener;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the server's process every few milliseconds and tells of its end, once for each process. The kernel shows the
 * end in {@code /proc} within a millisecond, while pidfd and sockets report it only after the process's memory was
 * freed: about 90 ms later for each resident gigabyte. The pidfd is polled in the same loop and wakes it at once.
 */
public final class ProcessWatch implements AutoCloseable {
    private final int watchMillis;
    private final DeathListener listener;
    private final Thread thread;
    private volatile @Nullable ServerProcess watched;
    private volatile boolean closed;
    private @Nullable ServerProcess told;

    /**
     * Starts the watching thread, with nothing to watch yet.
     *
     * @param watchMillis how often to look, 1 to 1000 ms
     */
    public ProcessWatch(int watchMillis, DeathListener listener) {
        if (watchMillis < 1 || watchMillis > 1000) {
            throw new IllegalArgumentException("watch-millis: " + watchMillis + " (must be 1 to 1000)");
        }
        this.watchMillis = watchMillis;
        this.listener = listener;
        this.thread = new Thread(this::run, "process-watch");
        thread.setDaemon(true);
        thread.start();
    }

    /** Watches this process from now on instead of the one before, which is closed. */
    public void watch(ServerProcess process) {
        watched = process;
        LockSupport.unpark(thread);
    }

    /** Looks at once, from the calling thread: its connection has ended, which may mean the same of the process. */
    public void recheck() {
        ServerProcess process = watched;
        if (process != null && process.look() != null) {
            tell(process);
        }
    }

    private void run() {
        ServerProcess held = null;
        while (!closed) {
            ServerProcess process = watched;
            if (process != held) {
                // Closed here and nowhere else: this thread may be waiting on its descriptors.
                if (held != null) {
                    held.close();
                }
                held = process;
            } else if (process == null) {
                LockSupport.park(this);
            } else if (process.awaitEnd(watchMillis) != null) {
                tell(process);
            }
        }
        if (held != null) {
            held.close();
        }
    }

    private void tell(ServerProcess process) {
        String evidence = process.end();
        synchronized (this) {
            if (evidence == null || told == process) {
                return;
            }
            told = process;
            if (watched == process) {
                watched = null;
            }
        }
        listener.died(process.instance(), "server process " + process.pid() + " ends: " + evidence);
    }

    /** Ends the thread. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
