package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.mysql.MariadbEngine;
import org.haarbiter.agent.engine.mysql.MysqlSettings;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("servers")
class MariadbEngineIT extends SqlContract {

    @Override
    ReplicatedGroup<SqlServer> start(Path directory, List<Endpoint> addresses) throws IOException, SQLException {
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

    @Override
    boolean dropsDataFirst() {
        return false;
    }

    @Override
    void slowCopies(Seat<SqlServer> recipient, Seat<SqlServer> donor) {}

    /** As a kill leaves it that comes while the server drops its relay logs, which following another source makes it do. */
    @Test
    void aReplicaWhoseRelayLogsAreGoneFollowsAgain() throws Exception {
        losslessGroup(2);
        Seat<SqlServer> primary = seats.get(0);
        Seat<SqlServer> replica = seats.get(1);
        SqlServer server = replica.server;
        Observation before = replica.look();
        server.kill9();
        server.awaitEnd(Seat.LIMIT);
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(server.dataDir(), "relay.0*")) {
            for (Path log : logs) {
                Files.delete(log);
            }
        }
        server.start();
        replica.await("another instance", seen -> !seen.instance().equals(before.instance()));
        replica.awaitState(ServerState.RUNNING);
        assertThatThrownBy(() -> server.asRoot("START SLAVE"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Could not initialize master info");

        replica.engine.follow(new Following(primary.server.address(), true), Seat.LIMIT);

        replica.await("receiving", Observation::receiving);
        primary.await("acknowledgers", seen -> seen.acknowledgers() == 1);
        primary.server.asRoot("INSERT INTO app.writes VALUES (777)");
        replica.await(
                "the write",
                seen -> seen.applied()
                        .toString()
                        .equals(primary.look().applied().toString()));
        assertThat(rows(replica)).contains(777L);
    }

    @Test
    void aServerThatDoesntComeBackIsMarkedAndTheNextRebuildSucceeds() throws Exception {
        partedGroup();
        Seat<SqlServer> donor = seats.get(1);
        SqlServer server = seats.get(0).server;
        seats.get(0).close();
        try (Seat<SqlServer> clumsy = seat(server, engine(settings(server, Account.AGENT.password(), "true")))) {
            clumsy.awaitState(ServerState.RUNNING);
            assertThatThrownBy(() -> clumsy.engine.rebuild(
                            donor.server.address(), (stage, done, total) -> {}, Duration.ofSeconds(12)))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("doesn't answer after it was started");
            assertThat(clumsy.look().state()).isEqualTo(ServerState.DEAD);
            assertThat(clumsy.look().rebuilding()).isTrue();
        }
        rebuildAgain(server, donor);
    }

    @Test
    void withoutRoomForBothTheDataIsDeletedFirst() throws Exception {
        partedGroup();
        Seat<SqlServer> old = seats.get(0);
        Seat<SqlServer> donor = seats.get(1);
        // The donor seems to be larger than any disk.
        Path pretended = donor.server.dataDir().resolve("undo-pretended");
        try (RandomAccessFile file = new RandomAccessFile(pretended.toFile(), "rw")) {
            file.setLength(1L << 43);
        }
        assertThatThrownBy(() -> old.engine.rebuild(
                        donor.server.address(), (stage, done, total) -> donor.server.kill9(), REBUILD_LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("isn't whole: ask for a rebuild again");
        Observation after = old.awaitState(ServerState.DEAD);
        assertThat(after.rebuilding()).isTrue();
        assertThat(old.server.dataDir().resolve("ibdata1")).doesNotExist();
        donor.server.awaitEnd(Seat.LIMIT);
        Files.delete(pretended);
        donor.server.start();
        donor.server.awaitReady(Seat.LIMIT);
        donor.awaitState(ServerState.RUNNING);
        old.close();
        rebuildAgain(old.server, donor);
    }

    /** With an agent that was started again beside a server that doesn't run. */
    private void rebuildAgain(SqlServer server, Seat<SqlServer> donor) throws Exception {
        Seat<SqlServer> again = seat(server, Account.AGENT.password());
        seats.set(0, again);
        assertThat(again.look().rebuilding()).isTrue();
        again.engine.rebuild(donor.server.address(), (stage, done, total) -> {}, REBUILD_LIMIT);
        Observation rebuilt = again.awaitState(ServerState.RUNNING);
        assertThat(rebuilt.rebuilding()).isFalse();
        assertThat(rebuilt.writable()).isFalse();
        assertThat(rows(again)).isEqualTo(rows(donor)).doesNotContain(101L);
        try (Stream<Path> files = Files.list(server.dataDir())) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .noneMatch(name -> name.startsWith(".ha-arbiter-") && !name.endsWith("canary"));
        }
    }
}
