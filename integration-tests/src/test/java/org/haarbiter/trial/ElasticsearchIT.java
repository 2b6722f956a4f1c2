package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.ElasticsearchCluster;
import org.haarbiter.lab.ElasticsearchNode;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two real clusters of Elasticsearch, one open to clients and one fed by a message stream: what happens to single nodes is the
 * cluster's own affair; where all of it is lost, or a person wants it, the other one takes over, and nothing is lost.
 */
@Tag("servers")
class ElasticsearchIT {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int WRITES = 100;

    @Test
    void aClusterOutlivesItsNodesAndIsReplacedAsAWhole() throws IOException, SQLException {
        Path work = Arena.newWorkDirectory("ha-arbiter-es-");
        System.out.println("ELASTICSEARCH: evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(ArenaPlan.Engine.ELASTICSEARCH, work, false))) {
            arena.api().awaitWhole(Arena.GROUP, 2, LIMIT);
            GroupView adopted = now(arena);
            ElasticsearchCluster first = (ElasticsearchCluster) arena.database(adopted.primary());

            theElectedNodeIsKilled(arena, first);
            assertThat(now(arena).epoch()).as("no switch").isEqualTo(adopted.epoch());

            FailoverTrial.Result planned =
                    FailoverTrial.run(arena, Fault.SWITCHOVER, FailoverTrial.Client.DNS, WRITES, 1_000_000);
            System.out.println(planned);
            nothingIsLost(planned);

            arena.api().awaitWhole(Arena.GROUP, 2, LIMIT);
            FailoverTrial.Result failover =
                    FailoverTrial.run(arena, Fault.KILL, FailoverTrial.Client.DNS, WRITES, 2_000_000);
            System.out.println(failover);
            nothingIsLost(failover);
            assertThat(arena.api().switches(Arena.GROUP).get(0).proof()).contains("lossless");

            DatabaseServer struck = arena.database(failover.from());
            struck.restart();
            arena.api().awaitWhole(Arena.GROUP, 2, LIMIT);
            assertThat(arena.writes().summary(struck)).isEqualTo(arena.writes().summary(arena.database(failover.to())));
        }
        Arena.deleteWorkDirectory(work);
    }

    private static GroupView now(Arena arena) {
        return arena.api().await(Arena.GROUP, "is there", LIMIT, group -> true);
    }

    private static void nothingIsLost(FailoverTrial.Result result) {
        assertThat(result.lost()).as("acknowledged writes lost").isZero();
        assertThat(result.twoWritersMillis()).as("time with two writers").isZero();
        assertThat(result.to()).isNotEqualTo(result.from());
    }

    private static void theElectedNodeIsKilled(Arena arena, ElasticsearchCluster cluster) throws IOException {
        ElasticsearchNode elected = cluster.electedMaster();
        try (WriteLoad load = WriteLoad.start(
                arena.byName(),
                WriteLoad.Behaviour.of(4, WRITES).warming(arena.addresses()).by(arena.writes()))) {
            load.awaitAcknowledged(3 * WRITES, LIMIT);
            elected.kill9();
            load.awaitAcknowledged(load.history().ids().size() + 3 * WRITES, LIMIT);
            arena.api()
                    .await(
                            Arena.GROUP,
                            "tells of the node that has ended, and its names leave it out",
                            LIMIT,
                            group -> tellsOf(group, cluster.name(), elected.name())
                                    && group.names().state().equals("served")
                                    && group.names().wanted().stream()
                                            .noneMatch(name -> name.addresses()
                                                    .contains(elected.http().host())));
            elected.restart();
            arena.api()
                    .await(
                            Arena.GROUP,
                            "has the node back",
                            LIMIT,
                            group -> !tellsOf(group, cluster.name(), elected.name())
                                    && group.names().state().equals("served"));
            assertThat(load.verify(cluster)).as("acknowledged and lost").isEmpty();
        }
    }

    private static boolean tellsOf(GroupView group, String member, String node) {
        return group.members().stream()
                .filter(m -> m.name().equals(member))
                .map(MemberView::problems)
                .anyMatch(problems -> problems.stream().anyMatch(p -> p.startsWith("node " + node + " is dead")));
    }
}
