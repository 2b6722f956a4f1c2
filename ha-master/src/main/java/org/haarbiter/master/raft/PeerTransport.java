package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.entity.PeerId;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All connections of one node to the other masters: a server on exactly the node's own address, and a link to every peer
 * that is kept connected whether it is used or not. A link made only when a vote needs it loses that round of the vote.
 * One thread serves them all. Thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write or close that fails ends the channel, which is heard of
final class PeerTransport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerTransport.class);

    static final int HANDSHAKE_MILLIS = 3000;
    private static final int QUIET_MILLIS = 0;
    private static final int CLOSE_MILLIS = 2000;

    private final RaftSettings settings;
    private final MultiThreadIoEventLoopGroup group;
    private final ExecutorService slowCalls;
    private final PeerServer server;
    private final Map<Endpoint, PeerLink> links = new ConcurrentHashMap<>();
    private final List<ReplicatorGroup> replicators = new CopyOnWriteArrayList<>();
    private volatile boolean cut;

    PeerTransport(RaftSettings settings) {
        this.settings = settings;
        this.group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("raft-net", true), NioIoHandler.newFactory());
        this.slowCalls = Executors.newSingleThreadExecutor(new DefaultThreadFactory("raft-net-slow", true));
        this.server = new PeerServer(settings, group);
    }

    RaftSettings settings() {
        return settings;
    }

    PeerServer server() {
        return server;
    }

    /** Keeps exactly these peers connected from here on. */
    void keep(Collection<Endpoint> peers) {
        Set<Endpoint> wanted = Set.copyOf(peers);
        links.forEach((peer, link) -> {
            if (!wanted.contains(peer) && links.remove(peer, link)) {
                link.close();
            }
        });
        for (Endpoint peer : peers) {
            if (!peer.equals(settings.self())) {
                link(peer);
            }
        }
    }

    /** The link to a peer, made now if there was none. */
    PeerLink link(Endpoint peer) {
        return links.computeIfAbsent(peer, key -> {
            PeerLink link = new PeerLink(this, key, loop());
            link.open();
            return link;
        });
    }

    PeerLink link(com.alipay.sofa.jraft.util.Endpoint peer) {
        return link(ours(peer));
    }

    boolean isConnected(com.alipay.sofa.jraft.util.Endpoint peer) {
        PeerLink link = links.get(ours(peer));
        return link != null && link.isReady();
    }

    void onConnected(ReplicatorGroup group) {
        replicators.add(group);
    }

    /** Wakes the replication to a peer that came back, on a thread that may wait for the node's lock. */
    void connected(Endpoint peer) {
        PeerId id = peerId(peer);
        for (ReplicatorGroup group : replicators) {
            slowly(() -> group.checkReplicator(id, true));
        }
    }

    void resolve(Runnable lookup) {
        slowly(lookup);
    }

    private void slowly(Runnable work) {
        try {
            slowCalls.execute(work);
        } catch (RejectedExecutionException e) {
            LOG.debug("the transport of {} is closed", settings.self(), e);
        }
    }

    private EventLoop loop() {
        return (EventLoop) group.next();
    }

    /** For fault tests: ends all connections and refuses new ones, as a cut cable would, until {@link #heal}. */
    void cut() {
        cut = true;
        server.refuseAll(true);
        links.values().forEach(link -> link.drop("cut"));
    }

    void heal() {
        cut = false;
        server.refuseAll(false);
    }

    boolean isCut() {
        return cut;
    }

    @Override
    public void close() {
        links.values().forEach(PeerLink::close);
        server.shutdown();
        slowCalls.shutdownNow();
        group.shutdownGracefully(QUIET_MILLIS, CLOSE_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(CLOSE_MILLIS);
    }

    /** The address written as a literal; null when it is a name. */
    static @Nullable InetAddress literalAddress(String host) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        if (bytes == null) {
            return null;
        }
        try {
            return InetAddress.getByAddress(host, bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("'" + host + "' (must be an address)", e);
        }
    }

    static PeerId peerId(Endpoint endpoint) {
        String host = endpoint.host().indexOf(':') >= 0 ? "[" + endpoint.host() + "]" : endpoint.host();
        return new PeerId(host, endpoint.port());
    }

    static Endpoint ours(com.alipay.sofa.jraft.util.Endpoint endpoint) {
        String host = endpoint.getIp();
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        return new Endpoint(bracketed ? host.substring(1, host.length() - 1) : host, endpoint.getPort());
    }
}
