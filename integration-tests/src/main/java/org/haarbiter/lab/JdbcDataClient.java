package org.haarbiter.lab;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.words.Endpoint;

/** Rows in {@code app.writes}. */
final class JdbcDataClient implements DataClient {

    private static final int ANSWER_SECONDS = 1;

    @Override
    public Session connect(Endpoint server, int connectTimeoutMillis, int socketTimeoutMillis) throws Failure {
        try {
            Connection connection =
                    Jdbc.connect(Jdbc.url(server, Account.APPLICATION, connectTimeoutMillis, socketTimeoutMillis));
            return new JdbcSession(connection, connection.createStatement());
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    @Override
    public Set<Long> written(DatabaseServer server, long first) throws IOException {
        Set<Long> present = new HashSet<>();
        try (Connection connection = sql(server).root();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM app.writes WHERE id >= " + first)) {
            while (rows.next()) {
                present.add(rows.getLong(1));
            }
            return present;
        } catch (SQLException e) {
            throw new IOException("can't read app.writes of " + server.name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String summary(DatabaseServer server) throws IOException {
        try {
            return sql(server).askRoot("SELECT CONCAT(COUNT(*), ' rows, sum ', BIT_XOR(id)) FROM app.writes");
        } catch (SQLException e) {
            throw new IOException("can't sum up app.writes of " + server.name() + ": " + e.getMessage(), e);
        }
    }

    private static SqlServer sql(DatabaseServer server) {
        if (server instanceof SqlServer sql) {
            return sql;
        }
        throw new IllegalArgumentException(server.name() + " isn't an SQL server: its rows can't be read");
    }

    private static Failure failure(SQLException e) {
        String message = e.getMessage();
        String line =
                message == null ? e.toString() : message.lines().findFirst().orElse("");
        String state = e.getSQLState();
        // 08...: the connection is gone. Anything else is the server's answer, such as 1290, read only.
        Kind kind = state == null || state.startsWith("08") ? Kind.BROKEN : Kind.REFUSED;
        return new Failure(kind, e.getErrorCode() == 0 ? line : "error " + e.getErrorCode() + ": " + line, e);
    }

    private record JdbcSession(Connection connection, Statement statement) implements Session {
        @Override
        public void write(long id) throws Failure {
            update("INSERT INTO app.writes (id) VALUES (" + id + ")");
        }

        @Override
        public List<Long> newest(List<Writer> writers) throws Failure {
            String query = writers.stream()
                    .map(w -> "(SELECT MAX(id) FROM app.writes WHERE id >= " + w.first() + " AND id < " + w.end() + ")")
                    .collect(Collectors.joining(", ", "SELECT ", ""));
            try (ResultSet rows = statement.executeQuery(query)) {
                rows.next();
                List<Long> newest = new ArrayList<>();
                for (int i = 1; i <= writers.size(); i++) {
                    newest.add(rows.getLong(i));
                }
                return newest;
            } catch (SQLException e) {
                throw failure(e);
            }
        }

        @Override
        public void rehearseRefusal() throws Failure {
            update("INSERT INTO app.no_such_table (id) VALUES (1)");
        }

        private void update(String sql) throws Failure {
            try {
                statement.executeUpdate(sql);
            } catch (SQLException e) {
                throw failure(e);
            }
        }

        @Override
        public boolean answers() throws Failure {
            try {
                return connection.isValid(ANSWER_SECONDS);
            } catch (SQLException e) {
                throw failure(e);
            }
        }

        @Override
        public void abort() throws Failure {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException e) {
                throw failure(e);
            }
        }
    }
}
