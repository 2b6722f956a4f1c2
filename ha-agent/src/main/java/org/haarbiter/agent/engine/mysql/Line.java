package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.haarbiter.agent.process.ServerProcess;
import org.jspecify.annotations.Nullable;

/**
 * A session that is kept open for one purpose, and opened anew when it was lost or the server was restarted. Threads:
 * any; one at a time gets it, within its own deadline.
 */
final class Line implements AutoCloseable {
    /**
     * A statement of the agent must never wait for a lock as long as the server's default, a year; and a session that is
     * kept for an emergency must not be closed for having been idle.
     */
    static final String SET_UP = "SET SESSION lock_wait_timeout=1, SESSION wait_timeout=31536000";

    private final MysqlSettings settings;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Session session;
    private volatile String instance = "";
    private volatile long connectionId;

    /** What is done with the session. */
    @FunctionalInterface
    interface Work<T> {
        T with(Session session) throws SqlProblem;
    }

    Line(MysqlSettings settings) {
        this.settings = settings;
    }

    /** Runs the statements, as soon as what was outstanding before them has ended. */
    List<Rows> run(ServerProcess server, String sql, long deadlineNanos) throws SqlProblem {
        return with(server, deadlineNanos, s -> s.run(sql, deadlineNanos));
    }

    <T> T with(ServerProcess server, long deadlineNanos, Work<T> work) throws SqlProblem {
        try {
            if (!lock.tryLock(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                throw SqlProblem.noAnswer("an earlier statement of the agent");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SqlProblem.noAnswer("the agent, which is being stopped");
        }
        try {
            Session open = session(server, deadlineNanos);
            try {
                return work.with(open);
            } catch (SqlProblem e) {
                if (e.kind() == SqlProblem.Kind.LOST) {
                    drop();
                }
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Opens it where it never was, for this process of the server; asks nothing of one that is open. */
    void open(ServerProcess server, long deadlineNanos) throws SqlProblem {
        if (!instance.equals(server.instance())) {
            with(server, deadlineNanos, s -> instance);
        }
    }

    /** Opens it where it isn't, and sees that it answers. Skipped while it is in use. */
    void keep(ServerProcess server, long deadlineNanos) throws SqlProblem {
        if (lock.tryLock()) {
            try {
                with(server, deadlineNanos, s -> s.run("DO 0", deadlineNanos));
            } finally {
                lock.unlock();
            }
        }
    }

    /** The server still owes the answer to what was sent last. */
    boolean outstanding() {
        Session present = session;
        return present != null && present.outstanding();
    }

    /** Waits until nothing is outstanding. */
    void settle(ServerProcess server, long deadlineNanos) throws SqlProblem {
        with(server, deadlineNanos, s -> {
            s.settle(deadlineNanos);
            return instance;
        });
    }

    /** The number of the newest session on the server; 0 before the first. */
    long connectionId() {
        return connectionId;
    }

    private Session session(ServerProcess server, long deadlineNanos) throws SqlProblem {
        Session present = session;
        if (present != null && instance.equals(server.instance())) {
            return present;
        }
        drop();
        Session fresh;
        try {
            fresh = Session.connect(settings.socket(), settings.user(), settings.password());
        } catch (IOException e) {
            throw SqlProblem.lost(String.valueOf(e.getMessage()));
        }
        try {
            if (fresh.peerPid() != server.pid()) {
                throw SqlProblem.lost("another process serves " + settings.socket() + " now");
            }
            fresh.login(deadlineNanos);
            fresh.run(SET_UP, deadlineNanos);
        } catch (SqlProblem | IOException e) {
            fresh.close();
            throw e instanceof SqlProblem problem ? problem : SqlProblem.lost(String.valueOf(e.getMessage()));
        }
        session = fresh;
        instance = server.instance();
        connectionId = fresh.connectionId();
        return fresh;
    }

    private void drop() {
        Session present = session;
        session = null;
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
