package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.words.ServerState;

/** A server with an engine beside it. */
final class Seat<S extends DatabaseServer> implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(40);
    private static final Duration LOOK = Duration.ofMillis(100);

    record Death(String instance, String evidence, long nanos) {}

    final S server;
    final Engine engine;
    final BlockingQueue<Death> deaths = new LinkedBlockingQueue<>();

    private final Clients<S> clients;

    /** Its group is lossless: writes are waited for. */
    volatile boolean acknowledged;

    Seat(S server, Engine engine, Clients<S> clients) {
        this.clients = clients;
        this.server = server;
        this.engine = engine;
        engine.onDeath((instance, evidence) -> deaths.add(new Death(instance, evidence, System.nanoTime())));
    }

    Observation look() {
        return engine.observe(LOOK);
    }

    Observation await(String what, Predicate<Observation> condition) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            Observation seen = look();
            if (condition.test(seen)) {
                return seen;
            }
            assertThat(System.nanoTime())
                    .as("%s of %s, last seen: %s", what, server, seen)
                    .isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    Observation awaitState(ServerState state) {
        return await("state " + state, seen -> seen.state() == state);
    }

    Clients.Client connect() throws Refused {
        return clients.connect(server);
    }

    void write(long id) throws Refused {
        try (Clients.Client client = connect()) {
            client.write(id, acknowledged);
        }
    }

    Set<Long> rows() {
        return clients.rows(server);
    }

    @Override
    public void close() {
        engine.close();
    }
}
