package org.haarbiter.wire;

import java.util.List;
import java.util.function.Consumer;
import org.haarbiter.words.Answer;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;

/**
 * Words to messages. Sentences for people are cut to {@link WireLimits}, since a long error text must not keep a
 * sighting from being heard; anything else that is too long is refused by the {@link LinkReader} at the other end.
 * Stateless; for any thread.
 */
public final class LinkWriter {
    private static final LinkFrame PING =
            LinkFrame.newBuilder().setPing(PingMessage.getDefaultInstance()).build();
    private static final LinkFrame PONG =
            LinkFrame.newBuilder().setPong(PongMessage.getDefaultInstance()).build();

    private LinkWriter() {}

    /** The question whether the other end is there. */
    public static LinkFrame ping() {
        return PING;
    }

    /** The answer to a ping. */
    public static LinkFrame pong() {
        return PONG;
    }

    /** The heartbeat's frame. */
    public static LinkFrame frame(Heartbeat heartbeat) {
        return LinkFrame.newBuilder()
                .setHeartbeat(HeartbeatMessage.newBuilder()
                        .setSession(heartbeat.session())
                        .setSequence(heartbeat.sequence())
                        .setLookAnswered(heartbeat.lookAnswered())
                        .setSighting(message(heartbeat.sighting())))
                .build();
    }

    /** The answer's frame. */
    public static LinkFrame frame(Answer answer) {
        return LinkFrame.newBuilder()
                .setAnswer(AnswerMessage.newBuilder()
                        .setSession(answer.session())
                        .setSequence(answer.sequence())
                        .setGoal(message(answer.goal())))
                .build();
    }

    /** The request's frame. */
    public static LinkFrame frame(PeerRequest request) {
        return LinkFrame.newBuilder()
                .setPeerRequest(PeerRequestMessage.newBuilder()
                        .setGroup(request.group())
                        .setMember(request.member())
                        .setSession(request.session())
                        .setRound(request.round())
                        .setEpoch(request.epoch())
                        .setOpen(request.open())
                        .setLeaseMillis(request.leaseMillis()))
                .build();
    }

    /** The frame of the answer to such a request. */
    public static LinkFrame frame(PeerAnswer answer) {
        return LinkFrame.newBuilder()
                .setPeerAnswer(PeerAnswerMessage.newBuilder()
                        .setMember(answer.member())
                        .setSession(answer.session())
                        .setRound(answer.round())
                        .setEpoch(answer.epoch())
                        .setGranted(answer.granted())
                        .setReason(cut(answer.reason())))
                .build();
    }

    private static PeeringMessage message(Peering peering) {
        PeeringMessage.Builder message = PeeringMessage.newBuilder()
                .addAllList(peering.list())
                .setRememberedEpoch(peering.rememberedEpoch())
                .setPromised(peering.promised())
                .setAskedMillis(peering.askedMillis());
        Endpoint agent = peering.agent();
        if (agent != null) {
            message.setAgent(message(agent));
        }
        return message.build();
    }

    private static PeerListMessage message(PeerList list) {
        PeerListMessage.Builder message = PeerListMessage.newBuilder().setHold(list.hold());
        for (Peer peer : list.peers()) {
            message.addPeers(PeerMessage.newBuilder().setMember(peer.member()).setAgent(message(peer.agent())));
        }
        return message.build();
    }

    private static GuardMessage message(Guard guard) {
        return GuardMessage.newBuilder()
                .setKind(message(guard.kind()))
                .setWithinMillis(guard.withinMillis())
                .build();
    }

    private static SightingMessage message(Sighting sighting) {
        SightingMessage.Builder message = SightingMessage.newBuilder()
                .setGroup(sighting.group())
                .setMember(sighting.member())
                .setSite(sighting.site())
                .setEngine(sighting.engine())
                .setPositionKind(message(sighting.positionKind()))
                .setAddress(message(sighting.address()))
                .setState(message(sighting.state()))
                .setDetail(cut(sighting.detail()))
                .setInstance(sighting.instance())
                .setServerId(sighting.serverId())
                .setVersion(sighting.version())
                .setWritable(sighting.writable())
                .setReceiving(sighting.receiving())
                .setApplying(sighting.applying())
                .setReceived(sighting.received())
                .setApplied(sighting.applied())
                .setLagMillis(sighting.lagMillis())
                .setSourceHeardMillis(sighting.sourceHeardMillis())
                .setAcceptedTerm(sighting.acceptedTerm())
                .setAcceptedEpoch(sighting.acceptedEpoch())
                .setSealedEpoch(sighting.sealedEpoch())
                .setFencedEpoch(sighting.fencedEpoch())
                .setOpenEpoch(sighting.openEpoch())
                .setAcknowledgers(sighting.acknowledgers())
                .setAcknowledgersRequired(sighting.acknowledgersRequired())
                .setWaitingMillis(sighting.waitingMillis())
                .setHistoryComplete(sighting.historyComplete())
                .setPriority(sighting.priority())
                .setPeering(message(sighting.peering()))
                .setRebuilding(sighting.rebuilding())
                .setSurplus(cut(sighting.surplus()))
                .setGuard(message(sighting.guard()));
        Endpoint source = sighting.source();
        if (source != null) {
            message.setSource(message(source));
        }
        ClusterNode node = sighting.node();
        if (node != null) {
            message.setNode(message(node));
        }
        addSentences(sighting.problems(), message::addProblems);
        return message.build();
    }

    private static void addSentences(List<String> sentences, Consumer<String> message) {
        for (String sentence : sentences.subList(0, Math.min(sentences.size(), WireLimits.SENTENCES))) {
            message.accept(cut(sentence));
        }
    }

    private static ClusterNodeMessage message(ClusterNode node) {
        ClusterNodeMessage.Builder message = ClusterNodeMessage.newBuilder()
                .setName(node.name())
                .setTerm(node.term())
                .setCluster(node.cluster());
        node.nodes()
                .forEach((name, address) -> message.addNodes(
                        NodeAddressMessage.newBuilder().setName(name).setAddress(message(address))));
        addSentences(node.figures(), message::addFigures);
        return message.build();
    }

    private static GoalMessage message(Goal goal) {
        GoalMessage.Builder message = GoalMessage.newBuilder()
                .setTerm(goal.term())
                .setEpoch(goal.epoch())
                .setRole(message(goal.role()))
                .setUpTo(goal.upTo())
                .setLeaseMillis(goal.leaseMillis())
                .setAcknowledgers(goal.acknowledgers())
                .setAcknowledges(goal.acknowledges())
                .setPrimaryPosition(goal.primaryPosition())
                .setPeers(message(goal.peers()))
                .setReason(cut(goal.reason()));
        Endpoint source = goal.source();
        if (source != null) {
            message.setSource(message(source));
        }
        return message.build();
    }

    private static EndpointMessage message(Endpoint endpoint) {
        return EndpointMessage.newBuilder()
                .setHost(endpoint.host())
                .setPort(endpoint.port())
                .build();
    }

    private static StateMessage message(ServerState state) {
        return switch (state) {
            case UNKNOWN -> StateMessage.STATE_UNKNOWN;
            case RUNNING -> StateMessage.STATE_RUNNING;
            case STARTING -> StateMessage.STATE_STARTING;
            case REFUSING -> StateMessage.STATE_REFUSING;
            case HUNG -> StateMessage.STATE_HUNG;
            case DEAD -> StateMessage.STATE_DEAD;
        };
    }

    private static RoleMessage message(Role role) {
        return switch (role) {
            case OBSERVE -> RoleMessage.ROLE_OBSERVE;
            case PRIMARY -> RoleMessage.ROLE_PRIMARY;
            case REPLICA -> RoleMessage.ROLE_REPLICA;
            case SEALED -> RoleMessage.ROLE_SEALED;
            case FENCED -> RoleMessage.ROLE_FENCED;
            case DRAINED -> RoleMessage.ROLE_DRAINED;
            case REBUILT -> RoleMessage.ROLE_REBUILT;
        };
    }

    private static GuardKindMessage message(Guard.Kind kind) {
        return switch (kind) {
            case NONE -> GuardKindMessage.GUARD_NONE;
            case WATCHDOG -> GuardKindMessage.GUARD_WATCHDOG;
            case STOP_HOOK -> GuardKindMessage.GUARD_STOP_HOOK;
            case LATE -> GuardKindMessage.GUARD_LATE;
            case IN_TIME -> GuardKindMessage.GUARD_IN_TIME;
            case ALWAYS -> GuardKindMessage.GUARD_ALWAYS;
        };
    }

    private static PositionKindMessage message(PositionKind kind) {
        return switch (kind) {
            case MYSQL_GTID -> PositionKindMessage.POSITION_MYSQL_GTID;
            case MARIADB_GTID -> PositionKindMessage.POSITION_MARIADB_GTID;
            case REPLICATION_OFFSET -> PositionKindMessage.POSITION_REPLICATION_OFFSET;
            case STREAM_OFFSETS -> PositionKindMessage.POSITION_STREAM_OFFSETS;
        };
    }

    private static String cut(String sentence) {
        if (sentence.length() <= WireLimits.SENTENCE) {
            return sentence;
        }
        int end = WireLimits.SENTENCE - 3;
        // Half a surrogate pair isn't UTF-8.
        return sentence.substring(0, Character.isHighSurrogate(sentence.charAt(end - 1)) ? end - 1 : end) + "...";
    }
}
