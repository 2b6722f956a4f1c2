package org.haarbiter.link;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLException;
import org.haarbiter.time.Ticker;
import org.haarbiter.wire.LinkFrame;
import org.haarbiter.wire.LinkReader;
import org.haarbiter.wire.LinkWriter;
import org.haarbiter.wire.WireException;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The accepting end of the link, at a master and at an agent: accepts agents. A peer that breaks the rules is closed, and named in one warning a minute.
 * {@link #start} and {@link #close} are for one thread.
 */
public final class LinkServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LinkServer.class);
    private static final int BACKLOG = 1024;
    private static final int PAUSE_MILLIS = 200;

    private final Endpoint bind;
    private final @Nullable Tls tls;
    private final LinkSettings settings;
    private final Ticker ticker;
    private final LinkServerListener listener;
    private final EventLoopGroup loops;
    private final boolean ownLoops;
    private final AtomicLong ids = new AtomicLong();
    private final PortLimits limits;
    private volatile @Nullable Channel listening;

    /**
     * Doesn't bind yet.
     *
     * @param bind where to listen
     * @param tls null for an unencrypted link, where the network alone says who is an agent; otherwise an agent is heard only
     *     for the member that its certificate names
     * @param threads event-loop threads, 1 or more
     */
    public LinkServer(
            Endpoint bind,
            @Nullable Tls tls,
            LinkSettings settings,
            int threads,
            Ticker ticker,
            LinkServerListener listener) {
        this.bind = bind;
        this.tls = tls;
        this.settings = settings;
        this.ticker = ticker;
        this.listener = listener;
        this.limits = new PortLimits("agents", settings.maxConnections(), settings.maxConnectionsPerAddress());
        this.loops = new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory("link-server", true), NioIoHandler.newFactory());
        this.ownLoops = true;
    }

    /** One that shares the thread of an agent's links, which is closed after this. Doesn't bind yet. */
    public LinkServer(
            Endpoint bind,
            @Nullable Tls tls,
            LinkSettings settings,
            LinkLoop links,
            Ticker ticker,
            LinkServerListener listener) {
        this.bind = bind;
        this.tls = tls;
        this.settings = settings;
        this.ticker = ticker;
        this.listener = listener;
        this.limits = new PortLimits("agents", settings.maxConnections(), settings.maxConnectionsPerAddress());
        this.loops = links.group();
        this.ownLoops = false;
    }

    /**
     * Begins to accept.
     *
     * @throws IOException naming the address, where it can't be bound
     */
    public void start() throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                })
                .bind(new InetSocketAddress(bind.host(), bind.port()))
                .awaitUninterruptibly();
        Throwable failure = bound.cause();
        if (failure != null) {
            close();
            throw new IOException(
                    "link: can't listen on " + bind + ": " + Frames.sentence(failure)
                            + " (must be an address of this machine and a port nobody uses)",
                    failure);
        }
        listening = bound.channel();
    }

    /** What was refused, for metrics. */
    public PortLimits limits() {
        return limits;
    }

    /** How many agents are connected, TLS handshakes included. */
    public int connections() {
        return limits.connections();
    }

    /** Closes all connections and frees the port; returns when that is done. */
    @Override
    public void close() {
        Channel known = listening;
        if (known != null) {
            // First, by itself: a connection that is accepted while its thread ends can keep the port from being freed.
            known.close().awaitUninterruptibly();
        }
        if (!ownLoops) {
            return;
        }
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private void accept(Channel channel) {
        Endpoint remote = Frames.remote(channel);
        if (remote == null) {
            var unused = channel.close();
            return;
        }
        if (!limits.opened(remote.host(), ticker.nanos())) {
            var unused = channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> limits.closed(remote.host()));
        Frames.configure(channel);
        if (tls != null) {
            SslHandler handler = tls.serverHandler(channel.alloc());
            handler.setHandshakeTimeoutMillis(settings.connectMillis());
            channel.pipeline().addLast(handler);
        }
        Frames.addTo(channel.pipeline());
        channel.pipeline().addLast(new Handler(new AgentConnection(ids.incrementAndGet(), remote, channel)));
    }

    private final class Handler extends SimpleChannelInboundHandler<LinkFrame> {
        private final AgentConnection agent;
        private final LinkReader reader = new LinkReader();
        private boolean connected;
        private final RequestRate rate = new RequestRate(settings.framesAtOnce(), settings.framesPerSecond());
        private boolean heard;

        Handler(AgentConnection agent) {
            super(LinkFrame.class);
            this.agent = agent;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            if (tls == null) {
                connected(context);
            }
            context.fireChannelActive();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess() && tls != null) {
                    agent.proven(
                            CertificateNames.of(context.pipeline()
                                    .get(SslHandler.class)
                                    .engine()
                                    .getSession()),
                            tls.rules());
                    connected(context);
                } else if (handshake.isSuccess()) {
                    throw new IllegalStateException("a handshake without TLS");
                } else {
                    exceptionCaught(context, handshake.cause());
                }
            }
            context.fireUserEventTriggered(event);
        }

        private void connected(ChannelHandlerContext context) {
            connected = true;
            var idle = context.executor()
                    .scheduleWithFixedDelay(
                            () -> closeIdle(context),
                            settings.idleMillis(),
                            settings.idleMillis(),
                            TimeUnit.MILLISECONDS);
            context.channel().closeFuture().addListener(closed -> idle.cancel(false));
            listener.connected(agent);
        }

        private void refused(PortLimits.Reason reason, String sentence) {
            limits.refused(reason, agent.remote().host(), agent + ": " + sentence, ticker.nanos());
        }

        private void closeIdle(ChannelHandlerContext context) {
            if (!heard) {
                refused(PortLimits.Reason.PROTOCOL, "nothing heard for " + settings.idleMillis() + " ms; closed");
                var unused = context.close();
            }
            heard = false;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, LinkFrame frame) throws WireException {
            if (!rate.take("", ticker.nanos()) && context.channel().config().isAutoRead()) {
                // Not closed: it would come back at once, and a handshake costs more than a heartbeat.
                refused(
                        PortLimits.Reason.RATE,
                        "more than " + settings.framesPerSecond() + " messages a second; it is read more slowly");
                context.channel().config().setAutoRead(false);
                var unused = context.executor()
                        .schedule(
                                () -> context.channel().config().setAutoRead(true),
                                PAUSE_MILLIS,
                                TimeUnit.MILLISECONDS);
            }
            switch (frame.getBodyCase()) {
                case HEARTBEAT -> {
                    heard = true;
                    Heartbeat heartbeat = reader.heartbeat(frame.getHeartbeat());
                    agent.mustSpeakFor(
                            heartbeat.sighting().group(), heartbeat.sighting().member());
                    listener.heartbeat(agent, heartbeat, ticker.nanos());
                }
                case PEER_REQUEST -> {
                    heard = true;
                    PeerRequest request = LinkReader.request(frame.getPeerRequest());
                    agent.mustSpeakFor(request.group(), request.member());
                    listener.request(agent, request);
                }
                case PING -> {
                    heard = true;
                    // A peer that pings and doesn't read gets no more pongs than fit.
                    if (context.channel().isWritable()) {
                        Frames.send(context.channel(), LinkWriter.pong());
                    }
                }
                case ANSWER, PEER_ANSWER, PONG, BODY_NOT_SET ->
                    throw new WireException(
                            "frame: " + frame.getBodyCase() + " (must be a heartbeat, a request or a ping)");
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            agent.flush();
            context.fireChannelWritabilityChanged();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (connected) {
                connected = false;
                listener.disconnected(agent);
            }
            context.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            Throwable root = Frames.root(error);
            if (root instanceof WireException || root instanceof SSLException) {
                refused(PortLimits.Reason.PROTOCOL, Frames.sentence(error) + "; closed");
            } else if (root instanceof IOException) {
                LOG.debug("link: {}: {}", agent, Frames.sentence(error));
            } else {
                LOG.error("link: {}: a defect; closed", agent, root);
            }
            var unused = context.close();
        }
    }
}
