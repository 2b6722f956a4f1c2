package org.haarbiter.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.mysql.MysqlEngine;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;

@Tag("servers")
class MysqlEngineIT extends SqlContract {

    @Override
    ReplicatedGroup<SqlServer> start(Path directory, List<Endpoint> addresses) throws IOException, SQLException {
        ReplicatedGroup<SqlServer> group = ReplicatedGroup.mysql(directory, addresses);
        for (SqlServer server : group.servers()) {
            // Without it the agent can't end an applier that waits for the rest of a transaction.
            server.asRoot(
                    "SET SESSION sql_log_bin=0",
                    "SET GLOBAL super_read_only=0",
                    "GRANT SYSTEM_USER ON *.* TO '" + Account.AGENT.user() + "'@'%'",
                    "SET GLOBAL super_read_only=1");
        }
        return group;
    }

    @Override
    Engine engine(MysqlSettings settings) {
        return new MysqlEngine(settings);
    }

    @Override
    String addressPrefix() {
        return "127.0.213.";
    }

    @Override
    String unreachable() {
        return "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
    }

    @Override
    boolean dropsDataFirst() {
        return true;
    }

    @Override
    void slowCopies(Seat<SqlServer> recipient, Seat<SqlServer> donor) throws SQLException {
        recipient.server.asRoot("SET GLOBAL clone_max_data_bandwidth=12");
    }
}
