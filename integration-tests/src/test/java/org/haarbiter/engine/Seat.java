package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.words.ServerState;

/** A server with an engine beside it. */
final class Seat implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(40);
    private static final Duration LOOK = Duration.ofMillis(100);

    record Death(String instance, String evidence, long nanos) {}

    final SqlServer server;
    final Engine engine;
    final BlockingQueue<Death> deaths = new LinkedBlockingQueue<>();

    Seat(SqlServer server, Engine engine) {
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

    Connection application() throws SQLException {
        return DriverManager.getConnection(server.url(Account.APPLICATION));
    }

    void write(long id) throws SQLException {
        try (Connection connection = application();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO app.writes (id) VALUES (" + id + ")");
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
