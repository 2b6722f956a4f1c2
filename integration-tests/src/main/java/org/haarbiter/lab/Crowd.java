package org.haarbiter.lab;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** A client that opens connections to a server, as an application's, and keeps them. Threads: one. */
public final class Crowd implements AutoCloseable {

    private static final int LIMIT_MILLIS = 2_000;

    private final List<DataClient.Session> connections = new ArrayList<>();

    private Crowd() {}

    /** Opens connections until the server takes no more of them, at most so many. */
    public static Crowd before(DataClient client, Endpoint server, int most, Host host) throws DataClient.Failure {
        Crowd crowd = new Crowd();
        try {
            return host.call(() -> crowd.gathered(client, server, most));
        } catch (DataClient.Failure | RuntimeException e) {
            crowd.close();
            throw e;
        } catch (Exception e) {
            crowd.close();
            throw new IllegalStateException("can't crowd " + server, e);
        }
    }

    private Crowd gathered(DataClient client, Endpoint server, int most) throws DataClient.Failure {
        while (connections.size() < most) {
            try {
                connections.add(client.connect(server, LIMIT_MILLIS, LIMIT_MILLIS));
            } catch (DataClient.Failure e) {
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
        for (DataClient.Session connection : connections) {
            try {
                connection.abort();
            } catch (DataClient.Failure e) {
                throw new IllegalStateException("a connection can't even be given up", e);
            }
        }
        connections.clear();
    }
}
