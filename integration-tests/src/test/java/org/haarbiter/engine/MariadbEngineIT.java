package org.haarbiter.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.mysql.MariadbEngine;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;

@Tag("servers")
class MariadbEngineIT extends EngineContract {

    @Override
    ReplicatedGroup start(Path directory, List<Endpoint> addresses) throws IOException, SQLException {
        return ReplicatedGroup.mariadb(directory, addresses);
    }

    @Override
    Engine engine(MysqlSettings settings) {
        return new MariadbEngine(settings);
    }

    @Override
    String addressPrefix() {
        return "127.0.214.";
    }

    @Override
    String unreachable() {
        return "0-77-5";
    }
}
