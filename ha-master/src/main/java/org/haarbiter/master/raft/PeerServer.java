package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.ConnectionClosedEventListener;
import com.google.protobuf.Message;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.haarbiter.link.CertificateNames;
import org.haarbiter.link.PortLimits;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the requests of the other masters on exactly the node's own address, and hands them to the Raft library. */
@SuppressWarnings("FutureReturnValueIgnored") // a write or close that fails ends the channel, which is heard of
final class PeerServer implements RpcServer {
    private static final Logger LOG = LoggerFactory.getLogger(PeerServer.class);

    /** A cluster has at most a few masters; the rest is somebody knocking. */
    private static final int MOST_CONNECTIONS = 64;

    /** So that one that knocks can't keep the other masters out. */
    private static final int MOST_OF_ADDRESS = 16;

    private static final int QUEUED_APPENDS = 4096;

    private final RaftSettings settings;
    private final EventLoopGroup group;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Map<PeerMessage, RpcProcessor<Object>> processors = new EnumMap<>(PeerMessage.class);
    private final List<ConnectionClosedEventListener> closeListeners = new CopyOnWriteArrayList<>();
    private final PortLimits limits = new PortLimits("raft", MOST_CONNECTIONS, MOST_OF_ADDRESS);

    /**
     * One thread keeps appended entries in the order in which they came. The library's own way, a thread for each pair of
     * peers, waits up to 15 s for that thread when a connection ends, with a lock that the thread may need: no follower
     * can be told of a new leader in that time.
     */
    private final ThreadPoolExecutor appends = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUED_APPENDS),
            new DefaultThreadFactory("raft-append-in", true));

    private volatile boolean refusing;
    private volatile @Nullable Channel listening;

    PeerServer(RaftSettings settings, EventLoopGroup group) {
        this.settings = settings;
        this.group = group;
    }

    /**
     * Begins to listen.
     *
     * @throws RaftStartException when the address can't be bound
     */
    void bind() throws RaftStartException {
        InetAddress address;
        try {
            address = InetAddress.getByName(settings.self().host());
        } catch (UnknownHostException e) {
            throw new RaftStartException(
                    "this master's own address " + settings.self()
                            + ": the name can't be resolved; correct it or the resolver",
                    e);
        }
        if (settings.tls() == null && !address.isLoopbackAddress()) {
            LOG.warn(
                    "masters talk in plain text on {}: whoever reaches this port can change what the masters decide; "
                            + "set TLS keys, or use a loopback address",
                    settings.self());
        }
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel made) {
                        accept(made);
                    }
                });
        ChannelFuture bound = bootstrap
                .bind(new InetSocketAddress(address, settings.self().port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            Throwable cause = bound.cause();
            String why = cause instanceof BindException
                    ? "another process has it, or it is no address of this machine"
                    : String.valueOf(cause);
            throw new RaftStartException(
                    "this master's address " + settings.self() + " can't be listened on: " + why
                            + "; stop the other process or correct the address",
                    cause);
        }
        listening = bound.channel();
    }

    private void accept(SocketChannel made) {
        if (refusing) {
            made.close();
            return;
        }
        String host = host(made);
        if (!limits.opened(host, System.nanoTime())) {
            made.close();
            return;
        }
        made.closeFuture().addListener(closed -> limits.closed(host));
        connections.add(made);
        PeerTls tls = settings.tls();
        if (tls != null) {
            SslHandler handler = tls.server().get().newHandler(made.alloc());
            handler.engine().setNeedClientAuth(true);
            handler.setHandshakeTimeoutMillis(PeerTransport.HANDSHAKE_MILLIS);
            made.pipeline().addLast(handler);
        }
        FrameDecoder decoder = FrameDecoder.ofRequests(settings.groupId());
        made.pipeline().addLast(decoder).addLast(FrameEncoder.INSTANCE).addLast(new Requests(made));
        made.eventLoop()
                .schedule(
                        () -> {
                            if (!decoder.greeted() && made.isActive()) {
                                warn(made, "it sent no greeting");
                                made.close();
                            }
                        },
                        PeerTransport.HANDSHAKE_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    /** What was refused, for metrics. */
    PortLimits limits() {
        return limits;
    }

    private static String host(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress()
                : "";
    }

    private void warn(Channel from, String reason) {
        limits.refused(
                PortLimits.Reason.PROTOCOL,
                host(from),
                "a connection from " + from.remoteAddress() + " is closed: " + reason,
                System.nanoTime());
    }

    void refuseAll(boolean refuse) {
        refusing = refuse;
        if (refuse) {
            connections.close();
        }
    }

    @Override
    @SuppressWarnings("unchecked") // a processor gets only messages of the class it named
    public void registerProcessor(RpcProcessor<?> processor) {
        PeerMessage kind = PeerMessage.requestNamed(processor.interest());
        if (kind != null) {
            processors.put(kind, (RpcProcessor<Object>) processor);
        }
    }

    @Override
    public void registerConnectionClosedEventListener(ConnectionClosedEventListener listener) {
        closeListeners.add(listener);
    }

    @Override
    public boolean init(Void nothing) {
        return isStarted();
    }

    @Override
    public void shutdown() {
        Channel known = listening;
        if (known != null) {
            known.close().awaitUninterruptibly();
        }
        refuseAll(true);
        appends.shutdown();
    }

    @Override
    public int boundPort() {
        return settings.self().port();
    }

    @Override
    public boolean isStarted() {
        Channel known = listening;
        return known != null && known.isActive();
    }

    /** One accepted connection. */
    private final class Requests extends SimpleChannelInboundHandler<Frame> implements Connection {
        private final Channel channel;
        private final ConcurrentMap<String, Object> attributes = new ConcurrentHashMap<>();
        private boolean refused;

        Requests(Channel channel) {
            super(Frame.class);
            this.channel = channel;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            PeerTls tls = settings.tls();
            if (tls != null && event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess()) {
                String problem = tls.check()
                        .problem(CertificateNames.of(context.pipeline()
                                .get(SslHandler.class)
                                .engine()
                                .getSession()));
                if (problem != null) {
                    refused = true;
                    warn(channel, problem);
                    context.close();
                }
            }
            context.fireUserEventTriggered(event);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, Frame frame) {
            if (refused) {
                // What came in with the end of the handshake.
                return;
            }
            RpcProcessor<Object> processor = processors.get(frame.kind());
            if (processor == null) {
                warn(channel, "it sent " + frame.kind());
                context.close();
                return;
            }
            Call call = new Call(this, frame.call());
            try {
                Executor executor = frame.kind() == PeerMessage.APPEND ? appends : processor.executor();
                executor.execute(() -> processor.handleRequest(call, frame.message()));
            } catch (RuntimeException e) {
                // The node is stopping, or has more to do than it can: the peer asks again.
                LOG.debug("a request {} of {} was not taken", frame.kind(), channel.remoteAddress(), e);
                call.sendResponse(RpcRequests.ErrorResponse.newBuilder()
                        .setErrorCode(RaftError.EBUSY.getNumber())
                        .setErrorMsg("not taken: " + e)
                        .build());
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (!appends.isShutdown()) {
                // The library may wait in here, and this thread serves every connection.
                appends.execute(() -> closeListeners.forEach(
                        listener -> listener.onClosed(String.valueOf(channel.remoteAddress()), this)));
            }
            context.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Throwable reason = cause.getCause() == null ? cause : cause.getCause();
            warn(channel, reason.toString());
            context.close();
        }

        @Override
        public @Nullable Object getAttribute(String key) {
            return attributes.get(key);
        }

        @Override
        public void setAttribute(String key, Object value) {
            attributes.put(key, value);
        }

        @Override
        public @Nullable Object setAttributeIfAbsent(String key, Object value) {
            return attributes.putIfAbsent(key, value);
        }

        @Override
        public void close() {
            channel.close();
        }
    }

    /** One request that awaits its answer. */
    private record Call(Requests connection, long number) implements RpcContext {

        @Override
        public void sendResponse(Object answer) {
            PeerMessage kind = PeerMessage.of(answer);
            if (kind == null || kind.isRequest()) {
                throw new IllegalArgumentException(answer.getClass() + " is no answer between masters");
            }
            connection.channel.writeAndFlush(new Frame(kind, number, (Message) answer));
        }

        @Override
        public Connection getConnection() {
            return connection;
        }

        @Override
        public String getRemoteAddress() {
            return String.valueOf(connection.channel.remoteAddress());
        }
    }
}
