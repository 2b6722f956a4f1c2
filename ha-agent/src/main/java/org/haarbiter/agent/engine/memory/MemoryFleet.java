package org.haarbiter.agent.engine.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Servers that replicate to each other in memory. They behave as a MySQL group with semi-synchronous replication does:
 * they start fenced, number their transactions, stream them to who follows, and make a commit wait for acknowledgements.
 * Thread-safe; one lock for the whole fleet.
 */
public final class MemoryFleet {
    final ReentrantLock lock = new ReentrantLock();
    final Condition changed = lock.newCondition();
    private final TreeMap<Endpoint, MemoryServer> servers = new TreeMap<>();

    /** Adds a server that runs and is fenced. */
    public MemoryServer add(Endpoint address) {
        lock.lock();
        try {
            MemoryServer server = new MemoryServer(this, address, servers.size() + 1);
            servers.put(address, server);
            return server;
        } finally {
            lock.unlock();
        }
    }

    @Nullable
    MemoryServer at(@Nullable Endpoint address) {
        return address == null ? null : servers.get(address);
    }

    /** Those that receive from the server now. Under the lock. */
    List<MemoryServer> receiversOf(MemoryServer source) {
        List<MemoryServer> receivers = new ArrayList<>();
        for (MemoryServer server : servers.values()) {
            if (server.receivesFrom(source)) {
                receivers.add(server);
            }
        }
        return receivers;
    }

    /** Lets every receiver catch up with its source, as far as it can be reached. Under the lock. */
    void replicate() {
        boolean moved = true;
        while (moved) {
            moved = false;
            for (MemoryServer server : servers.values()) {
                MemoryServer source = at(server.source());
                if (source != null && server.receivesFrom(source)) {
                    moved |= server.receive(source);
                }
            }
        }
        changed.signalAll();
    }

    /** Waits until the condition holds. Under the lock. */
    boolean await(java.util.function.BooleanSupplier condition, long millis) throws InterruptedException {
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        while (!condition.getAsBoolean()) {
            if (left <= 0) {
                return false;
            }
            left = changed.awaitNanos(left);
        }
        return true;
    }
}
