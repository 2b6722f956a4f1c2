package org.haarbiter.master.sentinel;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.haarbiter.link.PortLimits;
import org.haarbiter.link.RequestRate;
import org.haarbiter.words.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens for clients of Redis Sentinel. Each question about groups is answered once the quorum has confirmed that this master is up
 * to date; where it can't, the client is told so, and asks another master.
 */
public final class SentinelServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SentinelServer.class);
    private static final int THREADS = 1;
    private static final int BACKLOG = 512;

    /** More than a fleet's clients at one master; each costs some kilobytes. */
    private static final int CONNECTIONS_LIMIT = 20_000;

    private static final int OF_ADDRESS_LIMIT = 5_000;
    private static final int PIPELINE_LIMIT = 128;

    /** A client asks when it connects and when it has lost its primary. */
    private static final int COMMANDS_AT_ONCE = 2_000;

    private static final int COMMANDS_PER_SECOND = 1_000;
    private static final int PAUSE_MILLIS = 100;

    private final Endpoint bind;
    private final Conversation.Self self;
    private final Conversation.Groups groups;
    private final CaughtUp caughtUp;
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(
            THREADS, new DefaultThreadFactory("sentinel", true), NioIoHandler.newFactory());
    private final ChannelGroup clients = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicLong numbers = new AtomicLong();
    private final PortLimits limits = new PortLimits("sentinel", CONNECTIONS_LIMIT, OF_ADDRESS_LIMIT);

    /** Of an address, not of a connection: a new connection is easily had. */
    private final RequestRate rate = new RequestRate(COMMANDS_AT_ONCE, COMMANDS_PER_SECOND);

    /**
     * Doesn't bind yet.
     *
     * @param groups what this master knows
     * @param quorum see {@link CaughtUp}
     */
    public SentinelServer(SentinelSettings settings, SentinelGroups groups, Supplier<CompletableFuture<Void>> quorum) {
        this.bind = settings.bind();
        this.self = settings.self();
        this.groups = groups;
        this.caughtUp = new CaughtUp(quorum);
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
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
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
                    "sentinel: can't listen on " + bind + ": " + failure.getMessage()
                            + " (must be an address of this machine and a port nobody uses)",
                    failure);
        }
        clients.add(bound.channel());
    }

    private void accept(Channel channel) {
        String host = channel.remoteAddress() instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress()
                : "";
        if (!limits.opened(host, System.nanoTime())) {
            channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> limits.closed(host));
        clients.add(channel);
        RequestDecoding.addTo(channel.pipeline());
        channel.pipeline().addLast(new Client(host, new Conversation(self, numbers.incrementAndGet(), groups)));
    }

    /** What was refused, for metrics. */
    public PortLimits limits() {
        return limits;
    }

    /** Tells all who listen. Any thread. */
    public void publish(String eventChannel, String message) {
        for (Channel channel : clients) {
            Client client = channel.pipeline().get(Client.class);
            if (client != null) {
                channel.eventLoop().execute(() -> client.tell(channel, eventChannel, message));
            }
        }
    }

    /** Closes all connections and frees the port; returns when that is done. */
    @Override
    public void close() {
        clients.close().awaitUninterruptibly();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private final class Client extends SimpleChannelInboundHandler<List<String>> {
        private final String host;
        private final Conversation conversation;
        private final ArrayDeque<List<String>> waiting = new ArrayDeque<>();
        private boolean busy;

        Client(String host, Conversation conversation) {
            this.host = host;
            this.conversation = conversation;
        }

        @Override
        public boolean acceptInboundMessage(Object message) {
            return message instanceof List;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, List<String> request) {
            if (!rate.take(host, System.nanoTime())
                    && context.channel().config().isAutoRead()) {
                limits.refused(
                        PortLimits.Reason.RATE,
                        host,
                        "more than " + COMMANDS_PER_SECOND + " commands a second; it is read more slowly",
                        System.nanoTime());
                context.channel().config().setAutoRead(false);
                context.executor()
                        .schedule(
                                () -> context.channel().config().setAutoRead(true),
                                PAUSE_MILLIS,
                                TimeUnit.MILLISECONDS);
            }
            if (waiting.size() >= PIPELINE_LIMIT) {
                refuse(context, "more than " + PIPELINE_LIMIT + " commands wait for their answers");
                return;
            }
            waiting.add(request);
            proceed(context);
        }

        /** One after another: a client tells answers apart by their order. */
        private void proceed(ChannelHandlerContext context) {
            while (!busy && !waiting.isEmpty()) {
                List<String> request = waiting.remove();
                if (!conversation.needsGroups(request)) {
                    send(context, conversation.answer(request));
                    continue;
                }
                busy = true;
                caughtUp.ask()
                        .whenComplete((nothing, failure) -> context.executor().execute(() -> {
                            busy = false;
                            send(
                                    context,
                                    failure == null
                                            ? conversation.answer(request)
                                            : Conversation.Answer.of(Reply.error(
                                                    "this master of HA Arbiter isn't in touch with a quorum, so its"
                                                            + " answer might be old; ask another")));
                            proceed(context);
                        }));
            }
        }

        private void send(ChannelHandlerContext context, Conversation.Answer answer) {
            ByteBuf bytes = context.alloc().buffer();
            answer.replies().forEach(reply -> ReplyWriter.write(reply, conversation.version(), bytes));
            ChannelFuture sent = context.writeAndFlush(bytes);
            if (answer.thenClose()) {
                sent.addListener(ChannelFutureListener.CLOSE);
            }
        }

        void tell(Channel channel, String eventChannel, String message) {
            List<Reply> told = conversation.told(eventChannel, message);
            if (told.isEmpty()) {
                return;
            }
            if (!channel.isWritable()) {
                LOG.warn("sentinel: {} doesn't read what it is told; closed", channel.remoteAddress());
                channel.close();
                return;
            }
            ByteBuf bytes = channel.alloc().buffer();
            told.forEach(reply -> ReplyWriter.write(reply, conversation.version(), bytes));
            channel.writeAndFlush(bytes);
        }

        private void refuse(ChannelHandlerContext context, String sentence) {
            ByteBuf bytes = context.alloc().buffer();
            ReplyWriter.write(Reply.error("Protocol error: " + sentence), conversation.version(), bytes);
            context.writeAndFlush(bytes).addListener(ChannelFutureListener.CLOSE);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            if (error instanceof DecoderException) {
                limits.refused(PortLimits.Reason.PROTOCOL, host, String.valueOf(error.getMessage()), System.nanoTime());
                refuse(context, String.valueOf(error.getMessage()));
                return;
            }
            // The latter: a client that was gone in the middle of a command.
            if (error instanceof IOException || error instanceof PrematureChannelClosureException) {
                LOG.debug("sentinel: {}: {}", context.channel().remoteAddress(), error.toString());
            } else {
                LOG.error("sentinel: {}: a defect; closed", context.channel().remoteAddress(), error);
            }
            context.close();
        }
    }
}
