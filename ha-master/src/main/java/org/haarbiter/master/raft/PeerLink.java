package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.error.ConnectionFailureException;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RpcRequests;
import com.alipay.sofa.jraft.rpc.RpcUtils;
import com.google.protobuf.Message;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.haarbiter.link.CertificateNames;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to one other master. It connects in the background, again and again with a short pause, and finds by
 * pings that a peer lost its power; callers never wait. Its state belongs to one event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write or close that fails ends the channel, which is heard of
final class PeerLink {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);

    private static final int FIRST_PAUSE_MILLIS = 20;
    private static final int LONGEST_PAUSE_MILLIS = 250;
    private static final int UNANSWERED_PINGS = 3;
    private static final int QUEUED_BYTES = 8 << 20;

    private final PeerTransport transport;
    private final Endpoint peer;
    private final EventLoop loop;

    private final Map<Long, Call> calls = new LinkedHashMap<>();
    private final List<CompletableFuture<Void>> awaitingReady = new ArrayList<>();
    private long lastCall;
    private int pauseMillis = FIRST_PAUSE_MILLIS;
    private boolean closed;
    private boolean connecting;
    private boolean failureTold;
    private int pingsSinceAnswer;

    /** The peer has answered on the present connection: it took the greeting, and with TLS the certificate. */
    private boolean proven;

    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> pings;
    private @Nullable ScheduledFuture<?> reconnect;

    /** Set once greeting and handshake are done; read by any thread. */
    private volatile @Nullable Channel ready;

    PeerLink(PeerTransport transport, Endpoint peer, EventLoop loop) {
        this.transport = transport;
        this.peer = peer;
        this.loop = loop;
    }

    /** Begins to connect, and goes on for ever until {@link #close}. */
    void open() {
        int pingMillis = transport.settings().electionTimeoutMillis();
        loop.execute(() -> {
            pings = loop.scheduleWithFixedDelay(this::ping, pingMillis, pingMillis, TimeUnit.MILLISECONDS);
            connect();
        });
    }

    boolean isReady() {
        Channel known = ready;
        return known != null && known.isActive() && known.isWritable();
    }

    /** Completes when the peer has answered on this link, at once if it has. */
    CompletableFuture<Void> whenReady() {
        CompletableFuture<Void> future = new CompletableFuture<>();
        loop.execute(() -> {
            if (proven) {
                future.complete(null);
            } else {
                awaitingReady.add(future);
            }
        });
        return future;
    }

    /** Ends the present connection; a new one follows. */
    void drop(String reason) {
        loop.execute(() -> {
            if (channel != null) {
                LOG.debug("connection to master {} is dropped: {}", peer, reason);
                channel.close();
            }
        });
    }

    /** Ends the connection for good. */
    void close() {
        loop.execute(() -> {
            closed = true;
            if (pings != null) {
                pings.cancel(false);
            }
            if (reconnect != null) {
                reconnect.cancel(false);
            }
            if (channel != null) {
                channel.close();
            }
            failCalls("the link is closed");
        });
    }

    /**
     * Sends a request.
     *
     * @throws RemotingException at once when the peer isn't connected
     */
    void call(Object request, InvokeCallback callback, long timeoutMillis) throws RemotingException {
        PeerMessage kind = PeerMessage.of(request);
        if (kind == null || !kind.isRequest()) {
            throw new RemotingException(request.getClass() + " is no message between masters");
        }
        Message message = (Message) request;
        if (message.getSerializedSize() > Frame.MOST_BYTES - Frame.HEAD_BYTES) {
            throw new RemotingException("a message of kind " + kind + " has " + message.getSerializedSize()
                    + " bytes (at most " + Frame.MOST_BYTES + ")");
        }
        Channel target = ready;
        if (target == null || !target.isActive()) {
            throw new ConnectionFailureException("master " + peer + " isn't connected");
        }
        if (!target.isWritable()) {
            throw new RemotingException("the connection to master " + peer + " is full");
        }
        try {
            loop.execute(() -> send(target, kind, message, callback, timeoutMillis));
        } catch (RejectedExecutionException e) {
            throw new RemotingException("the transport is closed", e);
        }
    }

    private void send(
            Channel target, PeerMessage kind, Message message, @Nullable InvokeCallback callback, long timeoutMillis) {
        if (target != ready) {
            finish(callback, null, new ConnectionFailureException("the connection to master " + peer + " was lost"));
            return;
        }
        long number = ++lastCall;
        ScheduledFuture<?> deadline =
                loop.schedule(() -> expire(number, timeoutMillis), timeoutMillis, TimeUnit.MILLISECONDS);
        calls.put(number, new Call(kind, callback, deadline));
        target.writeAndFlush(new Frame(kind, number, message)).addListener(written -> {
            if (!written.isSuccess()) {
                Call call = calls.remove(number);
                if (call != null) {
                    call.deadline.cancel(false);
                    finish(call.callback, null, new RemotingException("not sent to " + peer, written.cause()));
                }
            }
        });
    }

    private void expire(long number, long timeoutMillis) {
        Call call = calls.remove(number);
        if (call != null) {
            finish(
                    call.callback,
                    null,
                    new InvokeTimeoutException("no answer from master " + peer + " in " + timeoutMillis + " ms"));
        }
    }

    private void answered(Channel from, Frame frame) {
        pingsSinceAnswer = 0;
        if (!proven && from == ready) {
            proven = true;
            pauseMillis = FIRST_PAUSE_MILLIS;
            failureTold = false;
            LOG.info("master {} is connected", peer);
            List<CompletableFuture<Void>> waiting = List.copyOf(awaitingReady);
            awaitingReady.clear();
            waiting.forEach(future -> future.complete(null));
        }
        Call call = calls.remove(frame.call());
        if (call == null) {
            return; // it came after its deadline
        }
        call.deadline.cancel(false);
        if (!call.kind.isAnsweredBy(frame.message())) {
            LOG.warn("master {} answered {} with {}; the connection is closed", peer, call.kind, frame.kind());
            finish(call.callback, null, new RemotingException("a wrong answer from master " + peer));
            from.close();
            return;
        }
        finish(call.callback, frame.message(), null);
    }

    private void ping() {
        Channel known = ready;
        if (known == null) {
            return;
        }
        // Counted in pings, not in time: after a pause of this process the answers are still in the socket.
        if (pingsSinceAnswer >= UNANSWERED_PINGS) {
            LOG.info("master {} has not answered {} pings; connecting again", peer, pingsSinceAnswer);
            known.close();
            return;
        }
        pingsSinceAnswer++;
        RpcRequests.PingRequest ping =
                RpcRequests.PingRequest.newBuilder().setSendTimestamp(0).build();
        send(known, PeerMessage.PING, ping, null, transport.settings().electionTimeoutMillis());
    }

    private void connect() {
        if (closed || connecting || channel != null) {
            return;
        }
        if (transport.isCut()) {
            connectLater();
            return;
        }
        connecting = true;
        InetAddress literal = PeerTransport.literalAddress(peer.host());
        if (literal != null) {
            connectTo(literal);
            return;
        }
        // A name server that doesn't answer may hold this thread, and this thread only.
        transport.resolve(() -> {
            try {
                InetAddress address = InetAddress.getByName(peer.host());
                loop.execute(() -> connectTo(address));
            } catch (UnknownHostException e) {
                loop.execute(() -> failed("its name can't be resolved", e));
            }
        });
    }

    private void connectTo(InetAddress address) {
        ChannelFuture attempt = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        transport.settings().connectTimeoutMillis())
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(QUEUED_BYTES / 2, QUEUED_BYTES))
                .handler(new ChannelInitializer<NioSocketChannel>() {
                    @Override
                    protected void initChannel(NioSocketChannel made) {
                        PeerTls tls = transport.settings().tls();
                        if (tls != null) {
                            SslHandler handler = tls.client().get().newHandler(made.alloc(), peer.host(), peer.port());
                            handler.setHandshakeTimeoutMillis(PeerTransport.HANDSHAKE_MILLIS);
                            made.pipeline().addLast(handler);
                        }
                        made.pipeline()
                                .addLast(FrameDecoder.ofAnswers(
                                        transport.settings().groupId()))
                                .addLast(FrameEncoder.INSTANCE)
                                .addLast(new Answers(tls == null));
                    }
                })
                .connect(new InetSocketAddress(address, peer.port()));
        attempt.addListener(connected -> {
            connecting = false;
            if (!connected.isSuccess()) {
                failed("it can't be reached", connected.cause());
            } else if (closed || transport.isCut()) {
                attempt.channel().close();
            }
        });
    }

    private void failed(String what, @Nullable Throwable cause) {
        connecting = false;
        if (!failureTold) {
            failureTold = true;
            LOG.info("master {} is not connected: {} ({}); trying again", peer, what, String.valueOf(cause));
        }
        connectLater();
    }

    private void connectLater() {
        if (closed || loop.isShuttingDown()) {
            return;
        }
        reconnect = loop.schedule(this::connect, pauseMillis, TimeUnit.MILLISECONDS);
        pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
    }

    private void nowReady(Channel made) {
        ByteBuf greeting = made.alloc().buffer();
        byte[] text = (FrameDecoder.GREETING + transport.settings().groupId()).getBytes(StandardCharsets.UTF_8);
        greeting.writeInt(text.length).writeBytes(text);
        made.writeAndFlush(greeting);
        ready = made;
        pingsSinceAnswer = 0;
        ping();
        transport.connected(peer);
    }

    private void lost(Channel gone) {
        if (channel == gone) {
            channel = null;
        }
        if (ready == gone) {
            ready = null;
            if (proven) {
                proven = false;
                LOG.info("the connection to master {} ended", peer);
            } else if (!failureTold && !closed) {
                failureTold = true;
                LOG.warn(
                        "master {} closes the connection before it answers: it is stopping, or it belongs to another cluster, or"
                                + " it does not take this master's certificate; its own log says which",
                        peer);
            }
            failCalls("the connection was lost");
        }
        if (!closed) {
            connectLater();
        }
    }

    private void failCalls(String reason) {
        List<Call> open = List.copyOf(calls.values());
        calls.clear();
        for (Call call : open) {
            call.deadline.cancel(false);
            finish(call.callback, null, new RemotingException("master " + peer + ": " + reason));
        }
    }

    /** Tells the caller on the thread it asked for: the library takes the node's lock in it. */
    private void finish(@Nullable InvokeCallback callback, @Nullable Object answer, @Nullable Throwable failure) {
        if (callback == null) {
            return;
        }
        Runnable tell = () -> callback.complete(answer, failure);
        Executor executor = callback.executor();
        if (executor == null) {
            tell.run();
            return;
        }
        try {
            executor.execute(tell);
        } catch (RejectedExecutionException e) {
            LOG.debug("the node's threads are stopped or busy; an answer of master {} goes to a spare one", peer, e);
            RpcUtils.runInThread(tell);
        }
    }

    private record Call(PeerMessage kind, @Nullable InvokeCallback callback, ScheduledFuture<?> deadline) {}

    private final class Answers extends SimpleChannelInboundHandler<Frame> {
        private final boolean plain;

        Answers(boolean plain) {
            super(Frame.class);
            this.plain = plain;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            channel = context.channel();
            if (plain) {
                nowReady(context.channel());
            }
            context.fireChannelActive();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                String problem = problem(context, handshake);
                if (problem == null) {
                    nowReady(context.channel());
                } else {
                    if (!failureTold) {
                        failureTold = true;
                        LOG.warn("master {} is not connected: {}", peer, problem);
                    }
                    context.close();
                }
            }
            context.fireUserEventTriggered(event);
        }

        private @Nullable String problem(ChannelHandlerContext context, SslHandshakeCompletionEvent handshake) {
            PeerTls tls = transport.settings().tls();
            return !handshake.isSuccess() || tls == null
                    ? "the TLS handshake failed: " + handshake.cause()
                    : tls.check()
                            .problem(CertificateNames.of(context.pipeline()
                                    .get(SslHandler.class)
                                    .engine()
                                    .getSession()));
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, Frame frame) {
            answered(context.channel(), frame);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            lost(context.channel());
            context.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (ready == context.channel()) {
                LOG.warn("the connection to master {} is closed: {}", peer, cause.toString());
            }
            context.close();
        }
    }
}
