package org.haarbiter.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
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
import org.jspecify.annotations.Nullable;

/**
 * Messages to words. Whatever comes from the network is checked here and nowhere behind: a word that was read is
 * complete, in range, and its positions parse. One for each connection, since it remembers which position it has checked
 * last; for one thread.
 */
public final class LinkReader {
    private @Nullable PositionKind checkedKind;
    private String checkedPosition = "";

    /**
     * Reads a heartbeat.
     *
     * @throws WireException naming the first field that isn't as it must be
     */
    public Heartbeat heartbeat(HeartbeatMessage message) throws WireException {
        if (!message.hasSighting()) {
            throw new WireException("heartbeat.sighting", "missing", "given");
        }
        return new Heartbeat(
                message.getSession(),
                positive("heartbeat.sequence", message.getSequence()),
                positive("heartbeat.look_answered", message.getLookAnswered()),
                sighting(message.getSighting()));
    }

    /**
     * Reads an answer.
     *
     * @throws WireException naming the first field that isn't as it must be
     */
    public static Answer answer(AnswerMessage message) throws WireException {
        if (!message.hasGoal()) {
            throw new WireException("answer.goal", "missing", "given");
        }
        return new Answer(
                message.getSession(), positive("answer.sequence", message.getSequence()), goal(message.getGoal()));
    }

    private Sighting sighting(SightingMessage message) throws WireException {
        PositionKind kind = kind(message.getPositionKindValue(), message.getPositionKind());
        return new Sighting(
                name("sighting.group", message.getGroup()),
                name("sighting.member", message.getMember()),
                bounded("sighting.site", message.getSite(), WireLimits.NAME),
                bounded("sighting.engine", message.getEngine(), WireLimits.NAME),
                kind,
                endpoint("sighting.address", message.hasAddress(), message.getAddress()),
                state(message.getStateValue(), message.getState()),
                bounded("sighting.detail", message.getDetail(), WireLimits.SENTENCE),
                bounded("sighting.instance", message.getInstance(), WireLimits.NAME),
                bounded("sighting.server_id", message.getServerId(), WireLimits.NAME),
                bounded("sighting.version", message.getVersion(), WireLimits.NAME),
                message.getWritable(),
                message.hasSource() ? endpoint("sighting.source", true, message.getSource()) : null,
                message.getReceiving(),
                message.getApplying(),
                position("sighting.received", kind, message.getReceived()),
                position("sighting.applied", kind, message.getApplied()),
                orUnknown("sighting.lag_millis", message.getLagMillis()),
                orUnknown("sighting.source_heard_millis", message.getSourceHeardMillis()),
                positive("sighting.accepted_term", message.getAcceptedTerm()),
                positive("sighting.accepted_epoch", message.getAcceptedEpoch()),
                positive("sighting.sealed_epoch", message.getSealedEpoch()),
                positive("sighting.fenced_epoch", message.getFencedEpoch()),
                positive("sighting.open_epoch", message.getOpenEpoch()),
                (int) orUnknown("sighting.acknowledgers", message.getAcknowledgers()),
                (int) positive("sighting.acknowledgers_required", message.getAcknowledgersRequired()),
                orUnknown("sighting.waiting_millis", message.getWaitingMillis()),
                message.getHistoryComplete(),
                (int) positive("sighting.priority", message.getPriority()),
                peering(message.getPeering()),
                message.getRebuilding(),
                bounded("sighting.surplus", message.getSurplus(), WireLimits.SENTENCE),
                guard(message.getGuard()),
                message.hasNode() ? node(message.getNode()) : null,
                sentences("sighting.problems", message.getProblemsList()));
    }

    private static ClusterNode node(ClusterNodeMessage message) throws WireException {
        if (message.getNodesCount() > WireLimits.NODES) {
            throw new WireException(
                    "sighting.node.nodes", message.getNodesCount() + " nodes", "at most " + WireLimits.NODES);
        }
        TreeMap<String, Endpoint> nodes = new TreeMap<>();
        for (NodeAddressMessage node : message.getNodesList()) {
            nodes.put(
                    name("sighting.node.nodes.name", node.getName()),
                    endpoint("sighting.node.nodes.address", node.hasAddress(), node.getAddress()));
        }
        return new ClusterNode(
                name("sighting.node.name", message.getName()),
                positive("sighting.node.term", message.getTerm()),
                bounded("sighting.node.cluster", message.getCluster(), WireLimits.NAME),
                nodes,
                sentences("sighting.node.figures", message.getFiguresList()));
    }

    private static Goal goal(GoalMessage message) throws WireException {
        return new Goal(
                positive("goal.term", message.getTerm()),
                positive("goal.epoch", message.getEpoch()),
                role(message.getRoleValue(), message.getRole()),
                message.hasSource() ? endpoint("goal.source", true, message.getSource()) : null,
                bounded("goal.up_to", message.getUpTo(), WireLimits.POSITION),
                positive("goal.lease_millis", message.getLeaseMillis()),
                (int) positive("goal.acknowledgers", message.getAcknowledgers()),
                message.getAcknowledges(),
                bounded("goal.primary_position", message.getPrimaryPosition(), WireLimits.POSITION),
                peers(message.getPeers()),
                bounded("goal.reason", message.getReason(), WireLimits.SENTENCE));
    }

    /**
     * Reads a request for a permission.
     *
     * @throws WireException naming the first field that isn't as it must be
     */
    public static PeerRequest request(PeerRequestMessage message) throws WireException {
        long lease = positive("peer_request.lease_millis", message.getLeaseMillis());
        if (lease > WireLimits.LEASE_MILLIS) {
            throw new WireException("peer_request.lease_millis", lease, "at most " + WireLimits.LEASE_MILLIS);
        }
        return new PeerRequest(
                name("peer_request.group", message.getGroup()),
                name("peer_request.member", message.getMember()),
                message.getSession(),
                positive("peer_request.round", message.getRound()),
                positive("peer_request.epoch", message.getEpoch()),
                message.getOpen(),
                lease);
    }

    /**
     * Reads the answer to such a request.
     *
     * @throws WireException naming the first field that isn't as it must be
     */
    public static PeerAnswer answer(PeerAnswerMessage message) throws WireException {
        return new PeerAnswer(
                name("peer_answer.member", message.getMember()),
                message.getSession(),
                positive("peer_answer.round", message.getRound()),
                positive("peer_answer.epoch", message.getEpoch()),
                message.getGranted(),
                bounded("peer_answer.reason", message.getReason(), WireLimits.SENTENCE));
    }

    private static Peering peering(PeeringMessage message) throws WireException {
        List<String> list = message.getListList();
        checkPeers("sighting.peering.list", list.size());
        for (String member : list) {
            name("sighting.peering.list", member);
        }
        return new Peering(
                message.hasAgent() ? endpoint("sighting.peering.agent", true, message.getAgent()) : null,
                list,
                positive("sighting.peering.remembered_epoch", message.getRememberedEpoch()),
                message.getPromised(),
                orUnknown("sighting.peering.asked_millis", message.getAskedMillis()));
    }

    private static Guard guard(GuardMessage message) throws WireException {
        return new Guard(guardKind(message.getKindValue(), message.getKind()), (int)
                positive("sighting.guard.within_millis", message.getWithinMillis()));
    }

    private static PeerList peers(PeerListMessage message) throws WireException {
        checkPeers("goal.peers", message.getPeersCount());
        List<Peer> peers = new ArrayList<>();
        for (PeerMessage peer : message.getPeersList()) {
            peers.add(new Peer(
                    name("goal.peers.member", peer.getMember()),
                    endpoint("goal.peers.agent", peer.hasAgent(), peer.getAgent())));
        }
        return new PeerList(peers, message.getHold());
    }

    private static void checkPeers(String field, int count) throws WireException {
        if (count > WireLimits.PEERS) {
            throw new WireException(field, count + " members", "at most " + WireLimits.PEERS);
        }
    }

    private String position(String field, PositionKind kind, String text) throws WireException {
        bounded(field, text, WireLimits.POSITION);
        // Mostly the same as the field before, or as in the heartbeat before: parsing a long set is what costs.
        if (kind != checkedKind || !text.equals(checkedPosition)) {
            try {
                kind.parse(text);
            } catch (IllegalArgumentException e) {
                throw new WireException(field + ": " + e.getMessage());
            }
            checkedKind = kind;
            checkedPosition = text;
        }
        return text;
    }

    private static Endpoint endpoint(String field, boolean given, EndpointMessage message) throws WireException {
        if (!given) {
            throw new WireException(field, "missing", "given");
        }
        bounded(field + ".host", message.getHost(), WireLimits.NAME);
        try {
            return new Endpoint(message.getHost(), message.getPort());
        } catch (IllegalArgumentException e) {
            throw new WireException(field + "." + e.getMessage());
        }
    }

    private static PositionKind kind(int number, PositionKindMessage message) throws WireException {
        return switch (message) {
            case POSITION_MYSQL_GTID -> PositionKind.MYSQL_GTID;
            case POSITION_MARIADB_GTID -> PositionKind.MARIADB_GTID;
            case POSITION_REPLICATION_OFFSET -> PositionKind.REPLICATION_OFFSET;
            case POSITION_STREAM_OFFSETS -> PositionKind.STREAM_OFFSETS;
            case POSITION_UNSPECIFIED, UNRECOGNIZED ->
                throw new WireException(
                        "sighting.position_kind",
                        number,
                        "1 (MySQL GTIDs), 2 (MariaDB GTIDs), 3 (Redis replication offsets) or 4 (stream offsets)");
        };
    }

    private static ServerState state(int number, StateMessage message) throws WireException {
        return switch (message) {
            case STATE_UNKNOWN -> ServerState.UNKNOWN;
            case STATE_RUNNING -> ServerState.RUNNING;
            case STATE_STARTING -> ServerState.STARTING;
            case STATE_REFUSING -> ServerState.REFUSING;
            case STATE_HUNG -> ServerState.HUNG;
            case STATE_DEAD -> ServerState.DEAD;
            case UNRECOGNIZED -> throw new WireException("sighting.state", number, "0 to 5");
        };
    }

    private static Role role(int number, RoleMessage message) throws WireException {
        return switch (message) {
            case ROLE_OBSERVE -> Role.OBSERVE;
            case ROLE_PRIMARY -> Role.PRIMARY;
            case ROLE_REPLICA -> Role.REPLICA;
            case ROLE_SEALED -> Role.SEALED;
            case ROLE_FENCED -> Role.FENCED;
            case ROLE_DRAINED -> Role.DRAINED;
            case ROLE_REBUILT -> Role.REBUILT;
            case UNRECOGNIZED -> throw new WireException("goal.role", number, "0 to 6");
        };
    }

    private static Guard.Kind guardKind(int number, GuardKindMessage message) throws WireException {
        return switch (message) {
            case GUARD_NONE -> Guard.Kind.NONE;
            case GUARD_WATCHDOG -> Guard.Kind.WATCHDOG;
            case GUARD_STOP_HOOK -> Guard.Kind.STOP_HOOK;
            case GUARD_LATE -> Guard.Kind.LATE;
            case GUARD_IN_TIME -> Guard.Kind.IN_TIME;
            case GUARD_ALWAYS -> Guard.Kind.ALWAYS;
            case UNRECOGNIZED -> throw new WireException("sighting.guard.kind", number, "0 to 5");
        };
    }

    private static long positive(String field, long value) throws WireException {
        if (value < 0) {
            throw new WireException(field, value, "0 or more");
        }
        return value;
    }

    private static long orUnknown(String field, long value) throws WireException {
        if (value < -1) {
            throw new WireException(field, value, "0 or more, or -1 where unknown");
        }
        return value;
    }

    private static String name(String field, String text) throws WireException {
        if (text.isEmpty()) {
            throw new WireException(field, "empty", "1 to " + WireLimits.NAME + " characters");
        }
        return bounded(field, text, WireLimits.NAME);
    }

    private static String bounded(String field, String text, int limit) throws WireException {
        if (text.length() > limit) {
            throw new WireException(field, text.length() + " characters", "at most " + limit);
        }
        return text;
    }

    private static List<String> sentences(String field, List<String> texts) throws WireException {
        if (texts.size() > WireLimits.SENTENCES) {
            throw new WireException(field, texts.size() + " sentences", "at most " + WireLimits.SENTENCES);
        }
        for (String text : texts) {
            bounded(field, text, WireLimits.SENTENCE);
        }
        return List.copyOf(texts);
    }
}
