package org.haarbiter.agent.engine.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;

/** With what Redis 7.0.15 has said. */
class ServerInfoTest {

    private static String text(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(ServerInfoTest.class.getResourceAsStream("/redis/" + name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Position position(ServerInfo info) {
        return PositionKind.REPLICATION_OFFSET.parse(info.position());
    }

    @Test
    void aPrimaryWithAReplica() throws IOException {
        ServerInfo info = ServerInfo.parse(text("primary.info"));
        assertThat(info.version()).isEqualTo("7.0.15");
        assertThat(info.runId()).hasSize(40);
        assertThat(info.processId()).isPositive();
        assertThat(info.primary()).isTrue();
        assertThat(info.source()).isNull();
        assertThat(info.syncing()).isFalse();
        assertThat(info.loading()).isFalse();
        assertThat(info.keys()).isEqualTo(2);
        assertThat(info.followers()).hasSize(1);
        assertThat(info.acknowledgers(10)).isEqualTo(1);
        assertThat(info.clientsLimit()).isEqualTo(10_000);
        // One connection of a client, one of the replica.
        assertThat(info.clients()).isEqualTo(2);
        assertThat(info.position()).isEqualTo(info.id() + ":" + info.offset());
    }

    @Test
    void aReplicaAndThePrimaryThatItBecomes() throws IOException {
        ServerInfo primary = ServerInfo.parse(text("primary.info"));
        ServerInfo replica = ServerInfo.parse(text("replica.info"));
        assertThat(replica.primary()).isFalse();
        assertThat(replica.source()).isEqualTo(new Endpoint("127.0.0.1", 7801));
        assertThat(replica.linkUp()).isTrue();
        assertThat(replica.readOnly()).isTrue();
        assertThat(replica.priority()).isEqualTo(100);
        assertThat(replica.lastIoSeconds()).isNotNegative();
        assertThat(replica.id()).isEqualTo(primary.id());
        ServerInfo promoted = ServerInfo.parse(text("promoted.info"));
        assertThat(promoted.primary()).isTrue();
        assertThat(promoted.id()).isNotEqualTo(replica.id());
        assertThat(promoted.olderId()).isEqualTo(replica.id());
        assertThat(position(promoted).covers(position(replica))).isTrue();
        assertThat(position(replica).covers(position(promoted))).isFalse();
    }

    @Test
    void aFencedServerFollowsNobodyAndKeepsItsPosition() throws IOException {
        ServerInfo fenced = ServerInfo.parse(text("fenced.info"));
        assertThat(fenced.primary()).isFalse();
        assertThat(fenced.source()).isNull();
        assertThat(fenced.linkUp()).isFalse();
        ServerInfo primary = ServerInfo.parse(text("primary.info"));
        assertThat(position(fenced).covers(position(primary))).isTrue();
    }

    @Test
    void whoHoldsKeysUnderAFreshHistoryDoesNotLookEmpty() {
        String base = "role:slave\nmaster_host:127.0.0.1\nmaster_port:1\nmaster_replid:" + "ab".repeat(20)
                + "\nmaster_replid2:" + "0".repeat(40) + "\nmaster_repl_offset:0\nslave_repl_offset:1\n";
        assertThat(ServerInfo.parse(base).position()).isEmpty();
        assertThat(ServerInfo.parse(base + "db0:keys=3,expires=0,avg_ttl=0\n").position())
                .isEqualTo("ab".repeat(20) + ":1");
    }

    /** It no longer counts its own history then, though it still names it. */
    @Test
    void whoHasBegunToTakeACopyClaimsNothingOfItsOldHistory() {
        String base = "role:slave\nmaster_host:10.0.1.21\nmaster_port:6379\nmaster_link_status:down\n"
                + "master_replid:" + "ab".repeat(20) + "\nmaster_repl_offset:5000\nslave_repl_offset:1\n"
                + "db0:keys=3,expires=0,avg_ttl=0\n";
        assertThat(ServerInfo.parse(base + "master_sync_in_progress:1\n").position())
                .isEmpty();
        assertThat(ServerInfo.parse(base + "master_sync_in_progress:0\n").position())
                .isEqualTo("ab".repeat(20) + ":1");
    }

    @Test
    void onlyReplicasThatHaveEverythingAndAreQuickCount() {
        ServerInfo info = ServerInfo.parse("""
                role:master
                slave0:ip=10.0.1.22,port=6379,state=online,offset=14,lag=0
                slave1:ip=10.0.1.23,port=6379,state=online,offset=14,lag=9
                slave2:ip=10.0.1.24,port=6379,state=wait_bgsave,offset=0,lag=0
                """);
        assertThat(info.acknowledgers(2)).isEqualTo(1);
        assertThat(info.acknowledgers(10)).isEqualTo(2);
    }
}
