package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.ElasticsearchCluster;
import org.haarbiter.lab.ElasticsearchNode;
import org.haarbiter.lab.HistoryCheck;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What befalls two clusters of Elasticsearch in two sites, each node on a host of its own: of single nodes, of all nodes, of disks and
 * shards, and of a site. One arena for all of it, since a cluster takes its time to start. Needs root for its hosts.
 */
@Tag("servers")
class ElasticsearchFaultsIT {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int WRITES = 100;

    /** As free room no disk has it, so every disk counts as full. */
    private static final String FULL_DISKS = """
            {"transient": {"cluster.routing.allocation.disk.threshold_enabled": true,
              "cluster.routing.allocation.disk.watermark.low": "900000gb",
              "cluster.routing.allocation.disk.watermark.high": "800000gb",
              "cluster.routing.allocation.disk.watermark.flood_stage": "700000gb",
              "cluster.info.update.interval": "10s"}}
            """;

    private static final String ROOMY_DISKS = """
            {"transient": {"cluster.routing.allocation.disk.threshold_enabled": null,
              "cluster.routing.allocation.disk.watermark.low": null,
              "cluster.routing.allocation.disk.watermark.high": null,
              "cluster.routing.allocation.disk.watermark.flood_stage": null,
              "cluster.info.update.interval": null}}
            """;

    /** No node has that name, so nobody takes its shard. */
    private static final String SHARD_FOR_NOBODY = """
            {"settings": {"number_of_shards": 1, "number_of_replicas": 0, "index.routing.allocation.require._name": "nobody"}}
            """;

    private interface Step {
        void on(ElasticsearchCluster cluster) throws IOException;
    }

    private long firstId = 1;

    @Test
    void oneClusterOrTheOtherTakesWritesAndNothingIsLost() throws IOException, SQLException {
        assertThat(NetworkLab.missing())
                .as("why there can be no separate hosts here")
                .isEmpty();
        Path work = Arena.newWorkDirectory("ha-arbiter-es-faults-");
        System.out.println("ELASTICSEARCH: evidence is kept in " + work + " if this fails");
        ArenaPlan plan = new ArenaPlan(
                ArenaPlan.Engine.ELASTICSEARCH, 2, work, ArenaPlan.Layout.SITES, 3, "normal", "lossless", "");
        try (Arena arena = Arena.open(plan)) {
            ElasticsearchCluster first = whole(arena);
            time("the clusters are there");

            aNodeIsTheClustersOwnAffair(arena, first, "hung", ElasticsearchNode::freeze, ElasticsearchNode::thaw);
            whole(arena);

            aMissingShardIsTold(arena, first);
            aFullDiskIsTold(arena, first);
            ElasticsearchCluster second = whole(arena);
            assertThat(second).isNotEqualTo(first);

            itsSiteIsCutOff(arena, second);
            assertThat(whole(arena)).isEqualTo(first);
            assertThat(arena.writes().summary(second)).isEqualTo(arena.writes().summary(first));

            ElasticsearchNode elected = first.electedMaster();
            assertThat(isReplaced(arena, "the elected node hangs", c -> elected.freeze(), c -> elected.thaw()))
                    .isEqualTo(second);
            whole(arena);

            assertThat(isReplaced(arena, "all nodes hang", ElasticsearchCluster::freeze, ElasticsearchCluster::thaw))
                    .isEqualTo(first);
            aNodeIsTheClustersOwnAffair(arena, first, "dead", ElasticsearchNode::kill9, node -> {});
        }
        Arena.deleteWorkDirectory(work);
    }

    private interface NodeStep {
        void on(ElasticsearchNode node) throws IOException;
    }

    /** Not the elected one. */
    private void aNodeIsTheClustersOwnAffair(
            Arena arena, ElasticsearchCluster cluster, String state, NodeStep strike, NodeStep end) throws IOException {
        long epoch = now(arena).epoch();
        ElasticsearchNode elected = cluster.electedMaster();
        ElasticsearchNode node =
                cluster.nodes().stream().filter(n -> n != elected).findFirst().orElseThrow();
        String told = "node " + node.name() + " is " + state;
        try (WriteLoad load = WriteLoad.start(arena.byName(), behaviour(arena, arena.clients("south")))) {
            load.awaitAcknowledged(3 * WRITES, LIMIT);
            long struck = System.nanoTime();
            strike.on(node);
            await(arena, told, group -> tells(group, cluster, told));
            double toldMillis = millisSince(struck);
            await(arena, "leaves it out of its names", group -> served(group) && !names(group, node));
            double leftOutMillis = millisSince(struck);
            load.awaitAcknowledged(load.history().ids().size() + 3 * WRITES, LIMIT);
            double writesMillis = millisSince(struck);
            end.on(node);
            if (node.isAlive()) {
                await(arena, "has the node back", g -> !tells(g, cluster, told) && served(g) && names(g, node));
            }
            System.out.printf(
                    Locale.ROOT,
                    "ELASTICSEARCH: a node is %s: told after %.0f ms, not in the names after %.0f ms, %d writes later after %.0f ms, longest silence %.0f ms%n",
                    state,
                    toldMillis,
                    leftOutMillis,
                    3 * WRITES,
                    writesMillis,
                    load.history().between(struck, System.nanoTime()).longestSilenceMillis());
            assertThat(now(arena).epoch()).as("no switch").isEqualTo(epoch);
            assertThat(load.verify(cluster)).as("acknowledged and lost").isEmpty();
        }
        time("a node was " + state);
    }

    private void aMissingShardIsTold(Arena arena, ElasticsearchCluster cluster) throws IOException {
        long epoch = now(arena).epoch();
        ask(cluster, "PUT", "/stray?wait_for_active_shards=0", SHARD_FOR_NOBODY);
        GroupView told = await(arena, "tells of the shard", g -> tells(g, cluster, "shard 0 of stray"));
        System.out.println("ELASTICSEARCH: " + told.problems());
        assertThat(told.epoch()).as("no switch").isEqualTo(epoch);
        ask(cluster, "DELETE", "/stray", "");
        await(arena, "tells of the shard no more", g -> !tells(g, cluster, "shard"));
        time("a shard was missing");
    }

    private void aFullDiskIsTold(Arena arena, ElasticsearchCluster cluster) throws IOException {
        long epoch = now(arena).epoch();
        WriteLoad load = WriteLoad.start(arena.byName(), behaviour(arena, arena.clients("south")));
        try (load) {
            load.awaitAcknowledged(3 * WRITES, LIMIT);
            ask(cluster, "PUT", "/_cluster/settings", FULL_DISKS);
            GroupView told =
                    await(arena, "tells of the disk", g -> tells(g, cluster, "flood-stage", "fullest is that of node"));
            System.out.println("ELASTICSEARCH: " + told.problems());
            time("a disk was full");
            assertThat(told.epoch()).as("no switch by itself").isEqualTo(epoch);
            Ended promoted = hactl(
                    arena, "promote", Arena.GROUP, other(arena, cluster).name(), "--reason", "a full disk", "--yes");
            assertThat(promoted.code()).as(promoted.said()).isZero();
            load.awaitAcknowledged(load.history().ids().size() + 3 * WRITES, LIMIT);
            // Fenced it takes no other setting: not before it follows.
            await(arena, "lets the disks have room", g -> takes(cluster, ROOMY_DISKS));
            await(arena, "tells of the disk no more", g -> !tells(g, cluster, "flood-stage"));
        }
        judge(arena, "a full disk", cluster, List.of(load));
    }

    private static Ended hactl(Arena arena, String... arguments) throws IOException {
        try {
            return Hactl.ended(arena, arguments);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static ElasticsearchCluster other(Arena arena, ElasticsearchCluster cluster) {
        return arena.databases().servers().stream()
                .filter(c -> c != cluster)
                .map(ElasticsearchCluster.class::cast)
                .findFirst()
                .orElseThrow();
    }

    /** Clients try each node of both all the time, so that two clusters that take writes are seen. */
    private ElasticsearchCluster isReplaced(Arena arena, String what, Step strike, Step end) throws IOException {
        ElasticsearchCluster old = (ElasticsearchCluster) arena.awaitPrimary(LIMIT);
        WriteLoad load = WriteLoad.start(arena.byMembers(), behaviour(arena, arena.clients("south")));
        try (load) {
            load.awaitAcknowledged(3 * WRITES, LIMIT);
            long struck = System.nanoTime();
            strike.on(old);
            WriteHistory.Outage outage = load.awaitOutageEnd(struck, old.address(), LIMIT);
            end.on(old);
            load.awaitAcknowledged(load.history().ids().size() + 5 * WRITES, LIMIT);
            System.out.printf(
                    Locale.ROOT,
                    "ELASTICSEARCH: %s: last write after %.0f ms, the next %.0f ms later, phases %s%n",
                    what,
                    outage.lastOldMillis(),
                    outage.silenceMillis(),
                    arena.api().phases(Arena.GROUP));
        }
        return judge(arena, what, old, List.of(load));
    }

    private void itsSiteIsCutOff(Arena arena, ElasticsearchCluster cluster) throws IOException {
        arena.leadFrom("m3", LIMIT);
        String site = arena.siteOf(cluster);
        String other = site.equals("north") ? "south" : "north";
        List<NetworkLab.Node> side = arena.site(site);
        List<NetworkLab.Node> others = new ArrayList<>(arena.site(other));
        others.addAll(arena.site("west"));
        WriteLoad outside = WriteLoad.start(arena.byName(), behaviour(arena, arena.clients(other)));
        WriteLoad inside = WriteLoad.start(arena.byMembers(), behaviour(arena, arena.clients(site)));
        try (outside;
                inside) {
            outside.awaitAcknowledged(3 * WRITES, LIMIT);
            inside.awaitAcknowledged(3 * WRITES, LIMIT);
            long cut = System.nanoTime();
            arena.network().part(side, others);
            WriteHistory.Outage outage = outside.awaitOutageEnd(cut, cluster.address(), LIMIT);
            outside.awaitAcknowledged(outside.history().ids().size() + 5 * WRITES, LIMIT);
            System.out.printf(
                    Locale.ROOT,
                    "ELASTICSEARCH: the site is cut off: %.0f ms without writes outside, the last one inside after %.0f ms, the first outside after %.0f ms%n",
                    outage.silenceMillis(),
                    lastMillis(inside, cut),
                    outage.firstNewMillis());
            arena.network().healAll();
            inside.awaitAcknowledged(inside.history().ids().size() + WRITES, LIMIT);
        }
        judge(arena, "the site is cut off", cluster, List.of(outside, inside));
    }

    private static double lastMillis(WriteLoad load, long since) {
        List<WriteHistory.Acknowledgement> all = load.history().acknowledgements();
        return (all.get(all.size() - 1).ackedNanos() - since) / 1e6;
    }

    private ElasticsearchCluster judge(Arena arena, String what, ElasticsearchCluster old, List<WriteLoad> loads)
            throws IOException {
        ElasticsearchCluster now = (ElasticsearchCluster) arena.awaitPrimary(LIMIT);
        assertThat(now).isNotEqualTo(old);
        List<WriteHistory.Acknowledgement> all = loads.stream()
                .flatMap(load -> load.history().acknowledgements().stream())
                .toList();
        Set<Long> present = new HashSet<>(arena.writes().written(now, 0));
        HistoryCheck.Verdict verdict =
                HistoryCheck.judge(List.of(old.address(), now.address()), all, List.of(), List.of(), present, true);
        assertThat(verdict.lost()).as("%s: acknowledged and lost", what).isEmpty();
        assertThat(verdict.secondWriters()).as("%s: two writers", what).isEmpty();
        assertThat(arena.api().switches(Arena.GROUP).get(0).proof()).contains("lossless");
        time(what + ": nothing is lost, and two writers there were never");
        return now;
    }

    /** Waits until all is well, and hands back the primary. Nodes that an agent has killed are started, as a service manager does. */
    private static ElasticsearchCluster whole(Arena arena) {
        await(arena, "is whole, without any problem", group -> {
            arena.databases().servers().forEach(ElasticsearchFaultsIT::startThoseThatHaveEnded);
            return ArbiterApi.whole(group, 2) && group.problems().isEmpty();
        });
        return (ElasticsearchCluster) arena.awaitPrimary(LIMIT);
    }

    private static void startThoseThatHaveEnded(DatabaseServer cluster) {
        for (ElasticsearchNode node : ((ElasticsearchCluster) cluster).nodes()) {
            try {
                node.start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static GroupView now(Arena arena) {
        return await(arena, "is there", group -> true);
    }

    private static GroupView await(Arena arena, String what, Predicate<GroupView> condition) {
        return arena.api().await(Arena.GROUP, what, LIMIT, condition);
    }

    private static boolean served(GroupView group) {
        return group.names().state().equals("served");
    }

    private static boolean names(GroupView group, ElasticsearchNode node) {
        return group.names().wanted().stream()
                .anyMatch(name -> name.addresses().contains(node.http().host()));
    }

    private static boolean tells(GroupView group, ElasticsearchCluster cluster, String... words) {
        return group.members().stream()
                .filter(member -> member.name().equals(cluster.name()))
                .map(MemberView::problems)
                .anyMatch(problems -> problems.stream()
                        .anyMatch(problem -> List.of(words).stream().allMatch(problem::contains)));
    }

    private WriteLoad.Behaviour behaviour(Arena arena, Host host) {
        firstId += 1_000_000;
        return WriteLoad.Behaviour.of(4, WRITES)
                .warming(arena.addresses())
                .startingAt(firstId)
                .on(host)
                .by(arena.writes());
    }

    private static void ask(ElasticsearchCluster cluster, String method, String path, String body) throws IOException {
        ElasticsearchNode.Answer answer = cluster.electedMaster().ask(method, path, body);
        assertThat(answer.yes()).as("%s %s: %s", method, path, answer).isTrue();
    }

    private static boolean takes(ElasticsearchCluster cluster, String settings) {
        try {
            return cluster.electedMaster()
                    .ask("PUT", "/_cluster/settings", settings)
                    .yes();
        } catch (IOException e) {
            // Asked again.
            return false;
        }
    }

    private static double millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e6;
    }

    private final long began = System.nanoTime();

    private void time(String what) {
        System.out.printf(Locale.ROOT, "ELASTICSEARCH: after %.1f s %s%n", millisSince(began) / 1e3, what);
    }
}
