package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.haarbiter.link.AgentConnection;
import org.haarbiter.link.LinkClient;
import org.haarbiter.link.LinkClientListener;
import org.haarbiter.link.LinkLoop;
import org.haarbiter.link.LinkServer;
import org.haarbiter.link.LinkServerListener;
import org.haarbiter.link.LinkSettings;
import org.haarbiter.link.PeerCheck;
import org.haarbiter.link.Tls;
import org.haarbiter.time.Ticker;
import org.haarbiter.wire.WireException;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links among the agents of one group: each accepts, and that of the primary keeps one open to each of its peers, so that
 * nothing must be set up once the masters are gone. Confined to the thread of the agent's links.
 */
final class PeerLinks implements AgentLoop.Peers, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLinks.class);

    private final String group;
    private final @Nullable Tls tls;
    private final LinkSettings settings;
    private final LinkLoop links;
    private final Ticker ticker;
    private final LinkServer server;
    private final Answers answers;
    private final TreeMap<String, LinkClient> peers = new TreeMap<>();
    private PeerList list = PeerList.NONE;

    /**
     * Listens at once.
     *
     * @param group whose agents these are
     * @param asked answers another agent's request
     * @param answered takes another agent's answer
     * @throws IOException naming the address, where it can't be bound
     */
    PeerLinks(
            String group,
            Endpoint listen,
            @Nullable Tls tls,
            LinkSettings settings,
            LinkLoop links,
            Ticker ticker,
            Function<PeerRequest, PeerAnswer> asked,
            Consumer<PeerAnswer> answered)
            throws IOException {
        this.group = group;
        this.tls = tls;
        this.settings = settings;
        this.links = links;
        this.ticker = ticker;
        this.answers = new Answers(answered);
        this.server = new LinkServer(listen, tls, settings, links, ticker, new Requests(asked));
        server.start();
    }

    /** Keeps a link to each of these and to nobody else. */
    @Override
    public void keep(PeerList wanted) {
        if (wanted.equals(list)) {
            return;
        }
        list = wanted;
        peers.entrySet().removeIf(known -> {
            boolean stays = wanted.peers().stream()
                    .anyMatch(peer -> peer.member().equals(known.getKey())
                            && peer.agent().equals(known.getValue().remote()));
            if (!stays) {
                known.getValue().close();
            }
            return !stays;
        });
        for (Peer peer : wanted.peers()) {
            peers.computeIfAbsent(peer.member(), member -> {
                LinkClient link = new LinkClient(
                        peer.agent(),
                        "the agent of " + member,
                        tls,
                        tls == null ? PeerCheck.ANYBODY : tls.rules().agentOf(group, member),
                        settings,
                        links,
                        ticker,
                        answers);
                link.start();
                return link;
            });
        }
    }

    @Override
    public void ask(PeerRequest request) {
        LinkClient.sendToAll(peers.values(), request);
    }

    /** What would fence this primary if the masters were lost now, as sentences. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        peers.forEach((member, link) -> {
            String failure = link.failure();
            if (!link.connected() && failure != null) {
                problems.add(failure + "; if all masters were lost now, this primary would be fenced");
            }
        });
        return problems;
    }

    @Override
    public void close() {
        peers.values().forEach(LinkClient::close);
        server.close();
    }

    private record Requests(Function<PeerRequest, PeerAnswer> asked) implements LinkServerListener {
        @Override
        public void connected(AgentConnection agent) {
            LOG.debug("{} is there", agent);
        }

        @Override
        public void heartbeat(AgentConnection from, Heartbeat heartbeat, long arrivedNanos) throws WireException {
            throw new WireException("frame: a heartbeat (must be a request: this is an agent, not a master)");
        }

        @Override
        public void request(AgentConnection from, PeerRequest request) {
            from.send(asked.apply(request));
        }

        @Override
        public void disconnected(AgentConnection agent) {
            LOG.debug("{} is gone", agent);
        }
    }

    private record Answers(Consumer<PeerAnswer> answered) implements LinkClientListener {
        @Override
        public void connected(Endpoint remote) {
            LOG.info("agent at {} is there", remote);
        }

        @Override
        public void answer(Endpoint master, Answer answer) {
            LOG.warn("{} is an agent of the group and answers as a master; ignored", master);
        }

        @Override
        public void answer(Endpoint peer, PeerAnswer answer) {
            answered.accept(answer);
        }

        @Override
        public void disconnected(Endpoint remote, String reason) {
            LOG.warn("agent at {} is gone: {}", remote, reason);
        }
    }
}
