package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.agent.engine.mysql.RebuildSettings;
import org.haarbiter.agent.engine.mysql.ReplicationTls;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.SqlServer;

/** What MySQL and MariaDB have in common. */
abstract class SqlContract extends EngineContract<SqlServer> {
    private static final int COPY_PORT = 24_318;

    abstract Engine engine(MysqlSettings settings);

    @Override
    final Engine engine(SqlServer server, String password) {
        return engine(settings(server, password, server.startCommand()));
    }

    final MysqlSettings settings(SqlServer server, String password, String startCommand) {
        return new MysqlSettings(
                server.socket(),
                server.address(),
                server.dataDir(),
                Account.AGENT.user(),
                password,
                "/etc/ha-arbiter/agent.yaml",
                Account.REPLICATION.user(),
                Account.REPLICATION.password(),
                ReplicationTls.NONE,
                HUNG_MILLIS,
                2_000,
                2,
                new RebuildSettings(
                        work.resolve("agent-of-" + server.name()),
                        server.tools(),
                        server.stopCommand(),
                        startCommand,
                        COPY_PORT,
                        null));
    }

    @Override
    final Clients<SqlServer> clients() {
        return new JdbcClients();
    }

    private static final class JdbcClients implements Clients<SqlServer> {
        @Override
        public Client connect(SqlServer server) throws Refused {
            try {
                return new JdbcClient(DriverManager.getConnection(server.url(Account.APPLICATION)));
            } catch (SQLException e) {
                throw new Refused(e);
            }
        }

        @Override
        public Set<Long> rows(SqlServer server) {
            Set<Long> ids = new HashSet<>();
            try (Connection root = server.root();
                    Statement statement = root.createStatement();
                    ResultSet found = statement.executeQuery("SELECT id FROM app.writes")) {
                while (found.next()) {
                    ids.add(found.getLong(1));
                }
            } catch (SQLException e) {
                throw new IllegalStateException("reading the rows of " + server, e);
            }
            return ids;
        }
    }

    private record JdbcClient(Connection connection) implements Clients.Client {
        @Override
        public void write(long id, boolean acknowledged) throws Refused {
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO app.writes (id) VALUES (" + id + ")");
            } catch (SQLException e) {
                throw new Refused(e);
            }
        }

        @Override
        public void close() throws Refused {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new Refused(e);
            }
        }
    }

    @Override
    final int acknowledgers() {
        return 1;
    }

    @Override
    final AutoCloseable holdUp(SqlServer server) throws SQLException {
        Connection holder = DriverManager.getConnection(server.url(Account.APPLICATION));
        try (Statement statement = holder.createStatement()) {
            statement.execute("LOCK TABLES app.writes WRITE");
        }
        return holder;
    }

    @Override
    final String accountStatement() {
        return "GRANT";
    }

    @Override
    final void breakAPromise(SqlServer server) throws SQLException {
        server.asRoot("SET GLOBAL sync_binlog=0");
    }

    @Override
    final String brokenPromise() {
        return "sync_binlog is 0 (must be 1)";
    }

    @Override
    final void limitConnections(SqlServer server, int limit) throws SQLException {
        server.asRoot("SET GLOBAL max_connections=" + limit);
    }

    @Override
    final String connectionsSetting() {
        return "max_connections";
    }

    @Override
    final void duringSurplus(SqlServer server) throws SQLException {
        server.asRoot("FLUSH BINARY LOGS");
    }

    @Override
    final void checkSurplus(Surplus surplus) throws Exception {
        assertThat(surplus.transactions()).isEqualTo(7);
        assertThat(surplus.file().resolveSibling("")).isDirectoryNotContaining("regex:.*part");
        assertThat(Files.readString(surplus.file()))
                .contains(surplusRows(101, 107))
                .doesNotContain(surplusRows(5, 5))
                .doesNotContain(surplusRows(200, 200));
    }

    private static String[] surplusRows(int first, int last) {
        return IntStream.rangeClosed(first, last)
                .mapToObj(id -> "###   @1=" + id + " ")
                .toArray(String[]::new);
    }

    @Override
    final void makeSurplusImpossible(SqlServer server) throws SQLException {
        server.asRoot("FLUSH BINARY LOGS", "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
    }

    @Override
    final String whyImpossible() {
        return "purged|missing";
    }

    @Override
    final void fill(SqlServer server) throws SQLException {
        server.asRoot(
                "CREATE TABLE app.big (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB)",
                "INSERT INTO app.big (b) VALUES (REPEAT('x', 8000000))",
                "INSERT INTO app.big (b) SELECT b FROM app.big",
                "INSERT INTO app.big (b) SELECT b FROM app.big",
                "INSERT INTO app.big (b) SELECT b FROM app.big");
    }
}
