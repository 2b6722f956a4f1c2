package org.haarbiter.supervisor;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the service manager that started this process how it is, as sd_notify(3) and sd_watchdog_enabled(3) describe it. Without one
 * every method does nothing. What doesn't arrive is logged once and tried again with {@link #turned}; nothing ever waits.
 *
 * <p>Threads: any. {@link #turned} is called only by the thread whose standstill is dangerous, after it did its work: a feed from a
 * timer would go on while that thread hangs.
 */
public final class Supervisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

    /** How often within the watchdog's time: twice is the least that systemd advises, and one may be late on a busy machine. */
    private static final int FEEDS = 4;

    private static final int STATUS_LIMIT = 300;

    private final String name;
    private final @Nullable NotifySocket socket;
    private final long watchdogNanos;
    private boolean ready;
    private boolean readyTold;
    private String status = "";
    private String statusTold = "";
    private boolean fed;
    private long fedNanos;
    private boolean stopping;
    private @Nullable String problem;

    private Supervisor(String name, @Nullable NotifySocket socket, long watchdogNanos) {
        this.name = name;
        this.socket = socket;
        this.watchdogNanos = watchdogNanos;
    }

    /** Nobody to tell. */
    public static Supervisor none() {
        return new Supervisor("", null, 0);
    }

    /**
     * Whoever NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID name.
     *
     * @param environment of this process
     * @param pid of this process: a watchdog that is meant for another isn't fed
     */
    public static Supervisor of(Map<String, String> environment, long pid) {
        String name = environment.getOrDefault("NOTIFY_SOCKET", "");
        if (name.isEmpty()) {
            return none();
        }
        try {
            NotifySocket socket = new NotifySocket(name);
            return new Supervisor(name, socket, TimeUnit.MICROSECONDS.toNanos(watchdogMicros(environment, pid)));
        } catch (IOException | LinkageError e) {
            LOG.error(
                    "NOTIFY_SOCKET: {}: the service manager isn't told that this process is ready, and may end it",
                    e.getMessage());
            return none();
        }
    }

    private static long watchdogMicros(Map<String, String> environment, long pid) {
        String micros = environment.getOrDefault("WATCHDOG_USEC", "");
        String whose = environment.getOrDefault("WATCHDOG_PID", "");
        if (micros.isEmpty()) {
            return 0;
        }
        if (!whose.isEmpty() && !whose.equals(Long.toString(pid))) {
            LOG.info("the watchdog is for process {}, not for this one ({}): it isn't fed", whose, pid);
            return 0;
        }
        try {
            long value = Long.parseLong(micros);
            if (value > 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below, as a number that is too small.
        }
        LOG.error("WATCHDOG_USEC: '{}' (must be a number of microseconds above 0): the watchdog isn't fed", micros);
        return 0;
    }

    /** Somebody is told. */
    public boolean present() {
        return socket != null;
    }

    /** This process is killed when {@link #turned} wasn't called for so long, in ms; 0 for never. */
    public long watchdogMillis() {
        return TimeUnit.NANOSECONDS.toMillis(watchdogNanos);
    }

    /** The process does its work from here on. */
    public synchronized void ready() {
        ready = true;
        tell(false, 0);
    }

    /** How it is, in one sentence; sent where it is another than before. */
    public synchronized void status(String sentence) {
        String line = sentence.replace('\n', ' ');
        status = line.length() <= STATUS_LIMIT ? line : line.substring(0, STATUS_LIMIT - 3) + "...";
        tell(false, 0);
    }

    /** The thread that must not stand still has done its work. Feeds the watchdog where it is time. */
    public synchronized void turned(long nowNanos) {
        tell(watchdogNanos > 0 && (!fed || nowNanos - fedNanos >= watchdogNanos / FEEDS), nowNanos);
    }

    /** When the next {@link #turned} is needed; {@link Long#MAX_VALUE} where none is, or it is overdue and nothing but work helps. */
    public synchronized long dueNanos(long nowNanos) {
        long due = fedNanos + watchdogNanos / FEEDS;
        return watchdogNanos == 0 || !fed || due - nowNanos <= 0 ? Long.MAX_VALUE : due;
    }

    /** The process was asked to stop and does so. */
    public synchronized void stopping() {
        stopping = true;
        status = "stopping";
        tell(false, 0);
    }

    private void tell(boolean feed, long nowNanos) {
        NotifySocket to = socket;
        if (to == null) {
            return;
        }
        StringBuilder lines = new StringBuilder();
        if (ready && !readyTold) {
            lines.append("READY=1\n");
        }
        if (stopping) {
            lines.append("STOPPING=1\n");
        }
        if (!status.equals(statusTold)) {
            lines.append("STATUS=").append(status).append('\n');
        }
        if (feed) {
            lines.append("WATCHDOG=1\n");
        }
        if (lines.isEmpty()) {
            return;
        }
        try {
            to.send(lines.toString());
        } catch (IOException e) {
            if (!Objects.equals(problem, e.getMessage())) {
                problem = e.getMessage();
                LOG.error("NOTIFY_SOCKET {}: {}: the service manager doesn't hear of this process", name, problem);
            }
            return;
        }
        if (problem != null) {
            problem = null;
            LOG.info("NOTIFY_SOCKET {}: the service manager hears of this process again", name);
        }
        readyTold = ready;
        statusTold = status;
        if (feed) {
            fed = true;
            fedNanos = nowNanos;
        }
    }

    @Override
    public synchronized void close() {
        if (socket != null) {
            socket.close();
        }
    }
}
