package org.haarbiter.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What MySQL and MariaDB have in common: programs beside the server, and JDBC. */
abstract class ChildSqlServer extends ChildServer implements SqlServer {

    private static final int ACCESS_DENIED = 1045;

    /** What a server ends with that wants to be started again, as after CLONE. */
    private static final int RESTART_ME = 16;

    private static final int NUMBERS_PER_GENERATION = 1_000;

    private final Path program;
    private int replaced;

    ChildSqlServer(ServerPlan plan, Path program) {
        super(plan, List.of(program.toString(), "--defaults-file=" + configuration(plan)), RESTART_ME);
        this.program = program;
    }

    @Override
    public String stopCommand() {
        return "kill -TERM $(cat '" + dataDir().resolveSibling("pid") + "')";
    }

    @Override
    public String startCommand() {
        return "touch '" + startRequest(plan()) + "'";
    }

    @Override
    public Path tools() {
        return program.toAbsolutePath().resolveSibling("");
    }

    @Override
    public int serverId() {
        return plan().serverId() + replaced * NUMBERS_PER_GENERATION;
    }

    @Override
    public int adminPort() {
        return plan().adminPort();
    }

    @Override
    public void startEmpty() throws IOException {
        // With the number of the server before, it would pass over that one's transactions as its own.
        replaced++;
        super.startEmpty();
    }

    @Override
    @Nullable
    Exception unready() throws IOException {
        try {
            askRoot("SELECT 1");
            return null;
        } catch (SQLException e) {
            if (e.getErrorCode() == ACCESS_DENIED) {
                throw new IOException(
                        name() + " at " + address() + " refuses root's password: another server has this address?", e);
            }
            return e;
        }
    }

    @Override
    public String url(Account account) {
        return Jdbc.url(address(), account, 2_000, 10_000);
    }

    @Override
    public Connection root() throws SQLException {
        try {
            return plan().host().call(() -> Jdbc.connect(url(Account.ROOT)));
        } catch (SQLException e) {
            throw e;
        } catch (Exception e) {
            throw new SQLException("can't connect to " + name() + " from its host", e);
        }
    }

    @Override
    public void asRoot(String... statements) throws SQLException {
        try (Connection connection = root();
                Statement statement = connection.createStatement()) {
            for (String text : statements) {
                statement.execute(text);
            }
        }
    }

    @Override
    public String askRoot(String query) throws SQLException {
        try (Connection connection = root();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            if (!rows.next()) {
                return "";
            }
            String value = rows.getString(1);
            return value == null ? "" : value;
        }
    }

    /** {@link #asRoot} for who knows of no SQL. */
    void byHand(String... statements) throws IOException {
        try {
            asRoot(statements);
        } catch (SQLException e) {
            throw new IOException(this + ": " + e.getMessage(), e);
        }
    }
}
