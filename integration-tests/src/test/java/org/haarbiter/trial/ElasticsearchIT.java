package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.DnsQuestion;
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
    private static final int MEMBERS = 3;
    private static final String BACKUP = "elasticsearch-2";
    private static final String MARKET = "elasticsearch-3";
    private static final String CLASS = "marketing";

    @Test
    void aClusterOutlivesItsNodesAndIsReplacedAsAWhole() throws IOException, SQLException, InterruptedException {
        Path work = Arena.newWorkDirectory("ha-arbiter-es-");
        System.out.println("ELASTICSEARCH: evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(
                ArenaPlan.of(ArenaPlan.Engine.ELASTICSEARCH, work, false).withMembers(MEMBERS))) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            GroupView adopted = now(arena);
            ElasticsearchCluster first = (ElasticsearchCluster) arena.database(adopted.primary());

            aClassGoesToItsOwnCluster(arena);
            theElectedNodeIsKilled(arena, first);
            assertThat(now(arena).epoch()).as("no switch").isEqualTo(adopted.epoch());

            FailoverTrial.Result planned =
                    FailoverTrial.run(arena, Fault.SWITCHOVER, FailoverTrial.Client.DNS, WRITES, 1_000_000);
            System.out.println(planned);
            nothingIsLost(planned);

            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            FailoverTrial.Result failover =
                    FailoverTrial.run(arena, Fault.KILL, FailoverTrial.Client.DNS, WRITES, 2_000_000);
            System.out.println(failover);
            nothingIsLost(failover);
            assertThat(arena.api().switches(Arena.GROUP).get(0).proof()).contains("lossless");

            DatabaseServer struck = arena.database(failover.from());
            struck.restart();
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            assertThat(arena.writes().summary(struck)).isEqualTo(arena.writes().summary(arena.database(failover.to())));
            assertThat(arena.writes().summary(arena.database(MARKET)))
                    .as("the cluster of the class was fed through all switches")
                    .isEqualTo(arena.writes().summary(struck));
            aRemovedClassIsGone(arena);
        }
        Arena.deleteWorkDirectory(work);
    }

    /** Its cluster hangs, and it falls back to the backup, never to the cluster that takes the writes; and comes home. */
    private static void aClassGoesToItsOwnCluster(Arena arena) throws IOException, InterruptedException {
        Ended set = Hactl.ended(
                arena,
                "class",
                "set",
                Arena.GROUP,
                CLASS,
                "--pin",
                MARKET,
                "--fall-back",
                "replicas",
                "--reason",
                "its load must not hurt the orders");
        assertThat(set.code()).as(set.err()).isZero();
        awaitAddresses(arena, CLASS, MARKET);
        awaitAddresses(arena, Arena.GROUP + "-ro", BACKUP);
        DatabaseServer market = arena.database(MARKET);
        market.freeze();
        awaitAddresses(arena, CLASS, BACKUP);
        assertThat(Hactl.ended(arena, "status").out())
                .contains("traffic class " + CLASS + " is pinned to " + MARKET)
                .contains("it has fallen back to " + BACKUP);
        market.thaw();
        awaitAddresses(arena, CLASS, MARKET);
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
    }

    private static void aRemovedClassIsGone(Arena arena) throws IOException, InterruptedException {
        Ended removed = Hactl.ended(arena, "class", "remove", Arena.GROUP, CLASS, "--reason", "the sale is over");
        assertThat(removed.code()).as(removed.err()).isZero();
        arena.api()
                .await(
                        Arena.GROUP,
                        "has no class any more, and the DNS neither",
                        LIMIT,
                        group -> group.names().state().equals("served")
                                && group.names().wanted().stream()
                                        .noneMatch(name -> name.name().equals(CLASS)));
        assertThat(addresses(arena, CLASS)).isEmpty();
    }

    /** The name leads to the nodes of this cluster and to nothing else, and the DNS server says so. */
    private static void awaitAddresses(Arena arena, String name, String cluster) throws IOException {
        List<String> wanted = ((ElasticsearchCluster) arena.database(cluster))
                .nodes().stream().map(node -> node.http().host()).sorted().toList();
        arena.api()
                .await(
                        Arena.GROUP,
                        name + " leads to " + wanted,
                        LIMIT,
                        group -> group.names().state().equals("served")
                                && group.names().wanted().stream()
                                        .anyMatch(held -> held.name().equals(name)
                                                && held.addresses().equals(wanted)));
        assertThat(addresses(arena, name)).containsExactlyInAnyOrderElementsOf(wanted);
    }

    /** What the DNS server says of a name. */
    private static List<String> addresses(Arena arena, String name) throws IOException {
        return DnsQuestion.ask(arena.dns().address(), name + "." + Arena.ZONE, "A");
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
