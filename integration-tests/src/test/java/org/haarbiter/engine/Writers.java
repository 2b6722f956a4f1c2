package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.haarbiter.lab.DatabaseServer;

/** Clients of one server, each on one connection of its own, that insert until they are refused or stopped. */
final class Writers<S extends DatabaseServer> implements AutoCloseable {
    private final List<Thread> threads = new ArrayList<>();
    private final List<Clients.Client> connections = new ArrayList<>();
    private final AtomicLong next;
    private final boolean waits;
    private volatile boolean stopped;

    /** Each row that the server said yes to, with the time of the answer. */
    final Map<Long, Long> acknowledged = new ConcurrentHashMap<>();

    /** When each client's connection ended or refused it. */
    final Map<Integer, Long> ended = new ConcurrentHashMap<>();

    Writers(Seat<S> seat, int clients, long firstId) throws Refused {
        next = new AtomicLong(firstId);
        waits = seat.acknowledged;
        for (int i = 0; i < clients; i++) {
            connections.add(seat.connect());
        }
        for (int i = 0; i < clients; i++) {
            int number = i;
            Thread thread = new Thread(() -> write(number), "writer-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
    }

    private void write(int number) {
        try {
            while (!stopped) {
                long id = next.getAndIncrement();
                connections.get(number).write(id, waits);
                acknowledged.put(id, System.nanoTime());
            }
        } catch (Refused e) {
            ended.put(number, System.nanoTime());
        }
    }

    Writers<S> awaitAcknowledged(int rows) {
        long deadline = System.nanoTime() + Seat.LIMIT.toNanos();
        while (acknowledged.size() < rows) {
            assertThat(System.nanoTime())
                    .as("%d rows acknowledged", acknowledged.size())
                    .isLessThan(deadline);
            Thread.onSpinWait();
        }
        return this;
    }

    void awaitEnd() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join(Seat.LIMIT.toMillis());
            assertThat(thread.isAlive()).as(thread.getName() + " still waits").isFalse();
        }
    }

    long lastAcknowledgedNanos() {
        return acknowledged.values().stream().mapToLong(Long::longValue).max().orElseThrow();
    }

    @Override
    public void close() {
        stopped = true;
        try {
            for (Thread thread : threads) {
                thread.join(Seat.LIMIT.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the writers were ending", e);
        }
        for (Clients.Client connection : connections) {
            try {
                connection.close();
            } catch (Refused e) {
                // The test has ended this connection's server.
                assertThat(connection).isNotNull();
            }
        }
    }
}
