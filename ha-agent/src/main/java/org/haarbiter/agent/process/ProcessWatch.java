package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.DeathListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the server's process and tells of its end, once for each process. The kernel shows the end in {@code /proc}
 * within a millisecond, while pidfd and sockets report it only after the process's memory was freed: about 90 ms later
 * for each resident gigabyte. Where the kernel tells of threads that end ({@link ExitEvents}), each such event is the
 * moment to look, and an idle watch costs next to nothing; elsewhere it looks every few milliseconds. The pidfd wakes the
 * same loop at once.
 */
public final class ProcessWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessWatch.class);

    /** How often to look although no event came: a server with a single thread tells of its end only when it is over. */
    private static final int BELT_MILLIS = 500;

    /**
     * How often to look where no events come. A look every 2 ms takes 4 % of a core; every 10 ms should take a fifth. The
     * notice is then 5 ms late on average. The pidfd wakes at once, but the kernel reports by it only after the memory was freed.
     */
    private static final int WITHOUT_EVENTS_MILLIS = 10;

    /** After an event the kernel may show nothing yet, or it was only a client's thread; so look again a few times. */
    private static final int LOOKS_AFTER_EVENT = 3;

    private final int watchMillis;
    private final DeathListener listener;
    private final Thread thread;
    private volatile @Nullable ServerProcess watched;
    private volatile boolean closed;
    private @Nullable ServerProcess told;

    /**
     * Starts the watching thread, with nothing to watch yet.
     *
     * @param watchMillis how often to look, 1 to 1000 ms: always where the kernel doesn't tell of threads that end, and
     *     for a few times after it did
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
        try (ExitEvents opened = new ExitEvents()) {
            ExitEvents events = opened.unavailable() == null ? opened : without(opened.unavailable());
            int looksSoon = 0;
            while (!closed) {
                ServerProcess process = watched;
                if (process != held) {
                    // Closed here and nowhere else: this thread may be waiting on its descriptors.
                    if (held != null) {
                        held.close();
                    }
                    held = process;
                    if (process != null && events != null) {
                        events = listen(events, process);
                        // It may have ended before the kernel was asked.
                        looksSoon = LOOKS_AFTER_EVENT;
                    }
                } else if (process == null) {
                    LockSupport.park(this);
                } else {
                    String end = events == null || looksSoon > 0
                            ? process.awaitEnd(events == null ? withoutEventsMillis() : watchMillis, -1)
                            : process.awaitEnd(BELT_MILLIS, events.fd());
                    if (end != null) {
                        tell(process);
                    }
                    // Read only after a look: so a storm of ending threads costs no more than looking all the time.
                    if (events != null) {
                        looksSoon = events.heard() ? LOOKS_AFTER_EVENT : Math.max(0, looksSoon - 1);
                    }
                }
            }
        } finally {
            if (held != null) {
                held.close();
            }
        }
    }

    private @Nullable ExitEvents listen(ExitEvents events, ServerProcess process) {
        try {
            events.of(process.pid());
            return events;
        } catch (LastErrorException e) {
            return without("the kernel takes no filter for its process events: " + LibC.text(e));
        }
    }

    private @Nullable ExitEvents without(String reason) {
        LOG.info(
                "the kernel's process events aren't available: {}. The server's process is looked at every {} ms instead,"
                        + " which takes some processor time and notices its end up to so much later",
                reason,
                withoutEventsMillis());
        return null;
    }

    private int withoutEventsMillis() {
        return Math.max(watchMillis, WITHOUT_EVENTS_MILLIS);
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
