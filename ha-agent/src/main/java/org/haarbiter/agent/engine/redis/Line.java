package org.haarbiter.agent.engine.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection that is kept open for one purpose, since a full server refuses new ones; opened anew when it was lost or the server
 * was restarted. Threads: any; one at a time gets it, within its own deadline.
 */
final class Line implements AutoCloseable {
    private static final List<String[]> WHO = List.<String[]>of(new String[] {"INFO", "server"});

    private final Links links;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Link link;
    private volatile String instance = "";

    /** What is done with the connection. */
    @FunctionalInterface
    interface Work<T> {
        T with(Link link) throws RedisProblem;
    }

    Line(Links links) {
        this.links = links;
    }

    /** Runs commands; the first error is thrown. */
    List<Object> run(Attached server, long deadlineNanos, String[]... commands) throws RedisProblem {
        return with(server, deadlineNanos, open -> open.run(deadlineNanos, List.of(commands)));
    }

    /** Runs commands; errors are among the answers. */
    List<Object> all(Attached server, long deadlineNanos, String[]... commands) throws RedisProblem {
        return with(server, deadlineNanos, open -> open.all(deadlineNanos, List.of(commands)));
    }

    /** Where the connection was lost while the process is there, which may be somebody's CLIENT KILL, the work is done again. */
    <T> T with(Attached server, long deadlineNanos, Work<T> work) throws RedisProblem {
        try {
            if (!lock.tryLock(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                throw RedisProblem.noAnswer("no answer to an earlier command of the agent");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RedisProblem.noAnswer("the agent is being stopped");
        }
        try {
            boolean wasOpen = link != null && instance.equals(server.instance());
            try {
                return attempt(server, deadlineNanos, work);
            } catch (RedisProblem e) {
                if (!wasOpen
                        || e.kind() != RedisProblem.Kind.LOST
                        || server.process().look() != null) {
                    throw e;
                }
                return attempt(server, deadlineNanos, work);
            }
        } finally {
            lock.unlock();
        }
    }

    private <T> T attempt(Attached server, long deadlineNanos, Work<T> work) throws RedisProblem {
        Link open = open(server, deadlineNanos);
        try {
            return work.with(open);
        } catch (RedisProblem e) {
            if (e.kind() == RedisProblem.Kind.LOST) {
                drop();
            }
            throw e;
        }
    }

    /** Opens it where it never was, for this process of the server; asks nothing of one that is open. */
    void prepare(Attached server, long deadlineNanos) throws RedisProblem {
        if (!instance.equals(server.instance())) {
            with(server, deadlineNanos, Link::id);
        }
    }

    /** Opens it where it isn't, and sees that it answers. Skipped while it is in use. */
    void keep(Attached server, long deadlineNanos) throws RedisProblem {
        if (lock.tryLock()) {
            try {
                with(server, deadlineNanos, open -> open.all(deadlineNanos, List.<String[]>of(new String[] {"PING"})));
            } finally {
                lock.unlock();
            }
        }
    }

    private Link open(Attached server, long deadlineNanos) throws RedisProblem {
        Link present = link;
        if (present != null && instance.equals(server.instance())) {
            return present;
        }
        drop();
        Link fresh = links.open(deadlineNanos);
        try {
            // A server that is busy with a script tells nobody who it is; whoever commands it has to go on all the
            // same.
            Object said = fresh.all(deadlineNanos, WHO).get(0);
            if (said instanceof byte[] info
                    && !server.runId().isEmpty()
                    && !ServerInfo.parse(Link.text(info)).runId().equals(server.runId())) {
                throw RedisProblem.lost("another process serves the address now");
            }
        } catch (RedisProblem e) {
            fresh.close();
            throw e;
        }
        link = fresh;
        instance = server.instance();
        return fresh;
    }

    private void drop() {
        Link present = link;
        link = null;
        instance = "";
        if (present != null) {
            present.close();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            drop();
        } finally {
            lock.unlock();
        }
    }
}
