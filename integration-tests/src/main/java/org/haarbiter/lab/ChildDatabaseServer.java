package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.haarbiter.words.Endpoint;

/** What the two kinds of database server have in common: a child process with a directory and JDBC. */
abstract class ChildDatabaseServer implements DatabaseServer {

    private static final int LONGEST_SOCKET_PATH = 107;
    private static final int ACCESS_DENIED = 1045;

    /** What a server ends with that wants to be started again, as after CLONE. */
    private static final int RESTART_ME = 16;

    private static final int NUMBERS_PER_GENERATION = 1_000;

    private final ServerPlan plan;
    private final Path program;
    private final ServerProcess process;
    private int replaced;

    ChildDatabaseServer(ServerPlan plan, Path program) {
        this.plan = plan;
        this.program = program;
        this.process = new ServerProcess(
                plan.name(),
                plan.host(),
                List.of(program.toString(), "--defaults-file=" + configuration(plan)),
                plan.directory().resolve("output.log"),
                new ServerProcess.Supervision(RESTART_ME, startRequest(plan)));
        if (socket().toString().length() > LONGEST_SOCKET_PATH) {
            throw new IllegalArgumentException("work directory of " + plan.name() + ": " + plan.work()
                    + " is too long for a Unix socket in it (must leave the path below " + LONGEST_SOCKET_PATH
                    + " characters)");
        }
    }

    private static Path configuration(ServerPlan plan) {
        return plan.directory().resolve("server.cnf");
    }

    private static Path startRequest(ServerPlan plan) {
        return plan.directory().resolve("start-requested").toAbsolutePath();
    }

    @Override
    public String stopCommand() {
        return "kill -TERM $(cat '" + dataDir().resolveSibling("pid") + "')";
    }

    @Override
    public String startCommand() {
        return "touch '" + startRequest(plan) + "'";
    }

    @Override
    public Path tools() {
        return program.toAbsolutePath().resolveSibling("");
    }

    /** The whole configuration file. */
    abstract String configuration();

    /** Copies the data directory from a template. */
    abstract void copyTemplate() throws IOException;

    ServerPlan plan() {
        return plan;
    }

    @Override
    public String name() {
        return plan.name();
    }

    @Override
    public Endpoint address() {
        return plan.address();
    }

    @Override
    public int serverId() {
        return plan.serverId() + replaced * NUMBERS_PER_GENERATION;
    }

    @Override
    public Path socket() {
        return plan.directory().resolve("sock").toAbsolutePath();
    }

    @Override
    public int adminPort() {
        return plan.adminPort();
    }

    @Override
    public Path dataDir() {
        return plan.directory().resolve("data").toAbsolutePath();
    }

    @Override
    public Path errorLog() {
        return plan.directory().resolve("error.log").toAbsolutePath();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void start() throws IOException {
        if (!Files.isDirectory(dataDir())) {
            Files.createDirectories(plan.directory());
            copyTemplate();
            Files.writeString(configuration(plan), configuration(), StandardCharsets.UTF_8);
        }
        process.start();
    }

    @Override
    public void restart() throws IOException {
        process.kill9();
        process.awaitEnd(Duration.ofSeconds(60));
        process.start();
    }

    @Override
    public void startEmpty() throws IOException {
        process.kill9();
        process.awaitEnd(Duration.ofSeconds(60));
        deleteData();
        // With the number of the server before, it would pass over that one's transactions as its own.
        replaced++;
        start();
    }

    /** An agent's disk canary may write its file into the directory meanwhile. */
    private void deleteData() throws IOException {
        for (int attempt = 1; Files.exists(dataDir()); attempt++) {
            try {
                Commands.run(List.of("rm", "-rf", dataDir().toString()), "");
            } catch (IOException e) {
                if (attempt == 10) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void kill9() {
        process.kill9();
    }

    @Override
    public void terminate() {
        process.terminate();
    }

    @Override
    public void freeze() {
        process.freeze();
    }

    @Override
    public void thaw() {
        process.thaw();
    }

    @Override
    public void awaitEnd(Duration limit) throws IOException {
        process.awaitEnd(limit);
    }

    @Override
    public void awaitReady(Duration limit) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            try {
                askRoot("SELECT 1");
                return;
            } catch (SQLException e) {
                boolean ended = !process.isAlive();
                if (e.getErrorCode() == ACCESS_DENIED) {
                    throw new IOException(
                            name() + " at " + address() + " refuses root's password: another server has this address?",
                            e);
                }
                if (ended || System.nanoTime() - deadline > 0) {
                    throw new IOException(
                            name() + " at " + address()
                                    + (ended ? " ended" : " doesn't answer after " + limit.toMillis() + " ms")
                                    + ". Its log ends with:\n" + process.lastWords() + ServerProcess.tail(errorLog()),
                            e);
                }
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + name(), e);
            }
        }
    }

    @Override
    public String url(Account account) {
        return Jdbc.url(address(), account, 2_000, 10_000);
    }

    @Override
    public Connection root() throws SQLException {
        try {
            return plan.host().call(() -> Jdbc.connect(url(Account.ROOT)));
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

    @Override
    public void close() throws IOException {
        process.close();
    }

    @Override
    public String toString() {
        return name() + " at " + address();
    }
}
