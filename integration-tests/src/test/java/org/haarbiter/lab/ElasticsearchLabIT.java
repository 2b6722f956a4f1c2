package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("servers")
class ElasticsearchLabIT {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final Endpoint NORTH = new Endpoint("127.0.212.1", 24_200);
    private static final Endpoint SOUTH = new Endpoint("127.0.212.2", 24_200);

    @Test
    void aClusterIsFollowedByTheStreamAndOutlivesItsElectedMaster(@TempDir Path work) throws Exception {
        try (ElasticsearchCluster north = new ElasticsearchCluster(ServerPlan.of("north", NORTH, 1, work), 3);
                ElasticsearchCluster south = new ElasticsearchCluster(ServerPlan.of("south", SOUTH, 2, work), 1);
                MessageStream stream = new MessageStream()) {
            north.start();
            south.start();
            north.awaitReady(LIMIT);
            south.awaitReady(LIMIT);
            DataClient client = DataClient.elasticsearch(stream, List.of());
            north.provision();
            assertThatThrownBy(() -> writeOnce(client, north, 1)).isInstanceOf(DataClient.Failure.class);

            north.openByHand();
            south.replicateByHand(north);
            MessageStream.Feed feed = stream.feed(south);
            assertThatThrownBy(() -> writeOnce(client, south, 2))
                    .isInstanceOf(DataClient.Failure.class)
                    .hasMessageContaining("no write index");

            List<Endpoint> members =
                    north.nodes().stream().map(ElasticsearchNode::http).toList();
            WriteLoad load = WriteLoad.start(
                    new WriteLoad.AnyMember(members),
                    WriteLoad.Behaviour.of(2, 100).startingAt(1_000).by(client));
            load.awaitAcknowledged(200, LIMIT);

            ElasticsearchNode master = north.electedMaster();
            master.kill9();
            master.awaitEnd(LIMIT);
            Endpoint survivor = members.stream()
                    .filter(m -> !m.equals(master.http()))
                    .findFirst()
                    .orElseThrow();
            load.awaitAcknowledgedBy(survivor, LIMIT);
            assertThat(north.electedMaster()).isNotEqualTo(master);
            load.close();

            // What was refused is in the stream all the same: the stream brings the primary that, too.
            stream.feed(north).awaitCaughtUp(LIMIT);
            feed.awaitCaughtUp(LIMIT);
            assertThat(load.verify(north)).isEmpty();
            assertThat(load.verify(south)).isEmpty();
            assertThat(client.summary(south)).isEqualTo(client.summary(north)).doesNotStartWith("0 ");

            south.freeze();
            assertThatThrownBy(() -> writeOnce(client, south, 3)).hasMessageContaining("doesn't answer");
            assertThat(south.isAlive()).isTrue();
            stream.append("by-hand", "3", "{\"n\": 3}");
            south.thaw();
            feed.awaitCaughtUp(LIMIT);
            assertThat(client.written(south, 3)).contains(3L);
        }
    }

    private static void writeOnce(DataClient client, ElasticsearchCluster cluster, long id)
            throws IOException, DataClient.Failure {
        DataClient.Session session = client.connect(cluster.address(), 500, 1_000);
        try {
            session.write(id);
        } finally {
            session.abort();
        }
    }
}
