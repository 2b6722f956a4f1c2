package org.haarbiter.lab;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.words.Endpoint;

/**
 * How {@link WriteLoad} and {@link ReadLoad} speak with servers of one kind. Threads: any; a session belongs to one, but for its
 * abort.
 */
public interface DataClient {

    /** By JDBC, into {@code app.writes}. */
    static DataClient jdbc() {
        return new JdbcDataClient();
    }

    /** A sorted set in Redis; a write counts as acknowledged as soon as the primary says so. */
    static DataClient redis() {
        return new RedisDataClient(0, 0);
    }

    /**
     * A sorted set in Redis; a write counts as acknowledged when so many replicas say that they have it. When they don't say so in time,
     * it is unknown what becomes of it.
     *
     * @param replicas at least 1
     * @param waitMillis 1 or more, and less than the limit for an answer
     */
    static DataClient redisWaitingFor(int replicas, int waitMillis) {
        if (replicas < 1 || waitMillis < 1) {
            throw new IllegalArgumentException("WAIT " + replicas + " " + waitMillis
                    + " (both must be at least 1: 0 replicas is no wait, 0 ms is for ever)");
        }
        return new RedisDataClient(replicas, waitMillis);
    }

    /** Documents in one of these Elasticsearch clusters, each appended to the stream first. */
    static DataClient elasticsearch(MessageStream stream, List<ElasticsearchCluster> clusters) {
        return new ElasticsearchDataClient(stream, List.copyOf(clusters));
    }

    /** The address by which a server is told from others: of a cluster's node that of its cluster. */
    default Endpoint member(Endpoint server) {
        return server;
    }

    /** Logs in to a server as the application. Both limits in milliseconds, at least 1. */
    Session connect(Endpoint server, int connectTimeoutMillis, int socketTimeoutMillis) throws Failure;

    /** The numbers from {@code first} on that a server holds, asked as root. */
    Set<Long> written(DatabaseServer server, long first) throws IOException;

    /** What a server holds in all, in words that are the same where two hold the same, asked as root. */
    String summary(DatabaseServer server) throws IOException;

    /** One connection. */
    interface Session {

        /** Writes a number that was never written before; returns when that is acknowledged. */
        void write(long id) throws Failure;

        /** The largest number that was written of each of these, in one look; 0 for none. */
        List<Long> newest(List<Writer> writers) throws Failure;

        /** Asks for something that a server at work refuses. */
        void rehearseRefusal() throws Failure;

        /** Whether the server still answers, within a second or the session's own limit; false when it doesn't. */
        boolean answers() throws Failure;

        /** Gives it up without a goodbye, which a frozen server would never answer. */
        void abort() throws Failure;
    }

    /** What an unacknowledged request came to. */
    enum Kind {
        /** The server's answer is no: it did nothing. The connection can be used again. */
        REFUSED,
        /** The server has it, and may lose it. The connection can be used again. */
        UNKNOWN,
        /** The connection is of no more use; what became of the request isn't known. */
        BROKEN
    }

    /** A request that wasn't acknowledged. */
    final class Failure extends Exception {
        private static final long serialVersionUID = 1;

        private final Kind kind;

        Failure(Kind kind, String message, Exception cause) {
            super(message, cause);
            this.kind = kind;
        }

        Failure(Kind kind, String message) {
            super(message);
            this.kind = kind;
        }

        Kind kind() {
            return kind;
        }
    }
}
