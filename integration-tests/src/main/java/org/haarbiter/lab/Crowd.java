package org.haarbiter.lab;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** A client that opens connections to a server, as an application's, and keeps them. Threads: one. */
public final class Crowd implements AutoCloseable {

    private static final int LIMIT_MILLIS = 2_000;

    private final List<Connection> connections = new ArrayList<>();

    private Crowd() {}

    /** Opens connections until the server takes no more of them, at most so many. */
    public static Crowd before(Endpoint server, int most, Host host) throws SQLException {
        Crowd crowd = new Crowd();
        try {
            return host.call(() -> crowd.gathered(server, most));
        } catch (SQLException | RuntimeException e) {
            crowd.close();
            throw e;
        } catch (Exception e) {
            crowd.close();
            throw new SQLException("can't crowd " + server, e);
        }
    }

    private Crowd gathered(Endpoint server, int most) throws SQLException {
        String url = Jdbc.url(server, Account.APPLICATION, LIMIT_MILLIS, LIMIT_MILLIS);
        while (connections.size() < most) {
            try {
                connections.add(Jdbc.connect(url));
            } catch (SQLException e) {
                if (connections.isEmpty()) {
                    throw e;
                }
                return this;
            }
        }
        return this;
    }

    /** How many it keeps. */
    public int size() {
        return connections.size();
    }

    /** Closes them all. */
    @Override
    public void close() {
        for (Connection connection : connections) {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException e) {
                throw new IllegalStateException("a connection can't even be given up", e);
            }
        }
        connections.clear();
    }
}
