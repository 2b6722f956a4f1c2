package org.haarbiter.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.function.Consumer;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinkCodecTest {
    private final LinkReader reader = new LinkReader();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void whatIsWrittenIsReadBack(long seed) throws Exception {
        RandomWords words = new RandomWords(seed);
        for (int i = 0; i < 500; i++) {
            Heartbeat heartbeat = words.heartbeat();
            LinkFrame frame = LinkFrame.parseFrom(LinkWriter.frame(heartbeat).toByteArray());
            assertThat(reader.heartbeat(frame.getHeartbeat())).isEqualTo(heartbeat);
            Answer answer = words.answer();
            frame = LinkFrame.parseFrom(LinkWriter.frame(answer).toByteArray());
            assertThat(LinkReader.answer(frame.getAnswer())).isEqualTo(answer);

            PeerRequest request = words.request();
            frame = LinkFrame.parseFrom(LinkWriter.frame(request).toByteArray());
            assertThat(LinkReader.request(frame.getPeerRequest())).isEqualTo(request);

            PeerAnswer permission = words.peerAnswer();
            frame = LinkFrame.parseFrom(LinkWriter.frame(permission).toByteArray());
            assertThat(LinkReader.answer(frame.getPeerAnswer())).isEqualTo(permission);
        }
    }

    @Test
    void longSentencesAreCutAndTheSightingIsHeard() throws Exception {
        String tooLong = "x".repeat(WireLimits.SENTENCE - 4) + "\uD83D\uDE00".repeat(10);
        Sighting sighting = new Sighting(
                "g",
                "m",
                "",
                "",
                PositionKind.MYSQL_GTID,
                new Endpoint("h", 1),
                ServerState.HUNG,
                tooLong,
                "",
                "",
                "",
                false,
                null,
                false,
                false,
                "",
                "",
                -1,
                -1,
                0,
                0,
                0,
                0,
                0,
                -1,
                0,
                -1,
                false,
                0,
                Peering.NONE,
                false,
                "",
                Guard.NONE,
                null,
                Collections.nCopies(WireLimits.SENTENCES + 1, tooLong));
        LinkFrame frame = LinkFrame.parseFrom(
                LinkWriter.frame(new Heartbeat(1, 2, sighting)).toByteArray());
        Sighting heard = reader.heartbeat(frame.getHeartbeat()).sighting();
        assertThat(heard.detail()).isEqualTo("x".repeat(WireLimits.SENTENCE - 4) + "...");
        assertThat(heard.problems()).hasSize(WireLimits.SENTENCES).containsOnly(heard.detail());
    }

    @Test
    void eachFieldOutOfRangeIsRefusedByName() {
        refuses(s -> s.setGroup(""), "sighting.group: empty (must be 1 to 255 characters)");
        refuses(s -> s.setMember("x".repeat(256)), "sighting.member: 256 characters (must be at most 255)");
        refuses(SightingMessage.Builder::clearAddress, "sighting.address: missing (must be given)");
        refuses(s -> s.getAddressBuilder().setPort(70_000), "sighting.address.port: 70000 (must be 1 to 65535)");
        refuses(
                s -> s.clearSource().getSourceBuilder().setPort(1),
                "sighting.source.host: empty (must be a host name or an address)");
        refuses(s -> s.getGuardBuilder().setKindValue(6), "sighting.guard.kind: 6 (must be 0 to 5)");
        refuses(s -> s.getGuardBuilder().setWithinMillis(-1), "sighting.guard.within_millis: -1 (must be 0 or more)");
        refuses(s -> s.setStateValue(17), "sighting.state: 17 (must be 0 to 5)");
        refuses(
                s -> s.setPositionKindValue(0),
                "sighting.position_kind: 0 (must be 1 (MySQL GTIDs), 2 (MariaDB GTIDs), 3 (Redis replication offsets) or 4 (stream offsets))");
        refuses(
                s -> s.setNode(ClusterNodeMessage.newBuilder().setTerm(1)),
                "sighting.node.name: empty (must be 1 to 255 characters)");
        refuses(
                s -> s.setNode(ClusterNodeMessage.newBuilder()
                        .setName("n")
                        .addNodes(NodeAddressMessage.newBuilder().setName("n"))),
                "sighting.node.nodes.address: missing (must be given)");
        refuses(s -> s.setAcceptedEpoch(-1), "sighting.accepted_epoch: -1 (must be 0 or more)");
        refuses(s -> s.setLagMillis(-2), "sighting.lag_millis: -2 (must be 0 or more, or -1 where unknown)");
        refuses(
                s -> s.setPositionKind(PositionKindMessage.POSITION_MYSQL_GTID).setApplied("0-1-5"),
                "sighting.applied: GTID set: '0-1-5'");
        refuses(
                s -> s.setReceived("x".repeat(200_001)),
                "sighting.received: 200001 characters (must be at most 200000)");
        refuses(
                s -> s.clearProblems().addAllProblems(Collections.nCopies(33, "")),
                "sighting.problems: 33 sentences (must be at most 32)");
    }

    @Test
    void incompleteMessagesAreRefused() {
        assertThatThrownBy(() -> reader.heartbeat(HeartbeatMessage.getDefaultInstance()))
                .isInstanceOf(WireException.class)
                .hasMessage("heartbeat.sighting: missing (must be given)");
        assertThatThrownBy(() -> LinkReader.answer(AnswerMessage.getDefaultInstance()))
                .isInstanceOf(WireException.class)
                .hasMessage("answer.goal: missing (must be given)");
        assertThatThrownBy(() -> LinkReader.answer(AnswerMessage.newBuilder()
                        .setGoal(GoalMessage.newBuilder().setRoleValue(9))
                        .build()))
                .isInstanceOf(WireException.class)
                .hasMessage("goal.role: 9 (must be 0 to 6)");
    }

    private void refuses(Consumer<SightingMessage.Builder> change, String sentence) {
        SightingMessage.Builder sighting =
                LinkWriter.frame(new RandomWords(7).heartbeat()).getHeartbeat().getSighting().toBuilder();
        change.accept(sighting);
        assertThatThrownBy(() -> reader.heartbeat(
                        HeartbeatMessage.newBuilder().setSighting(sighting).build()))
                .isInstanceOf(WireException.class)
                .hasMessageStartingWith(sentence);
    }
}
