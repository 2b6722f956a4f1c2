package org.haarbiter.link;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
 * An agent's link to one master, or to another agent of its group: connects, connects again, and sends the newest message. The
 * public methods are for any thread and never block.
 */
public final class LinkClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LinkClient.class);
    private static final int MIN_BACKOFF_MILLIS = 50;
    private static final int MAX_BACKOFF_MILLIS = 1000;

    /** A message on its way to all others: whichever link is ready first makes its frame, for the rest as well. */
    private static final class Outgoing {
        private final Supplier<LinkFrame> framing;
        private final long sinceNanos;
        private @Nullable LinkFrame frame;

        Outgoing(Supplier<LinkFrame> framing, long sinceNanos) {
            this.framing = framing;
            this.sinceNanos = sinceNanos;
        }

        synchronized LinkFrame frame() {
            LinkFrame made = frame;
            if (made == null) {
                made = framing.get();
                frame = made;
            }
            return made;
        }
    }

    private final Endpoint remote;
    private final String what;
    private final @Nullable Tls tls;
    private final PeerCheck check;
    private final LinkSettings settings;
    private final LinkLoop links;
    private final EventLoop loop;
    private final Ticker ticker;
    private final LinkClientListener listener;
    private final Newest<Outgoing> messages = new Newest<>(this::frame);

    private volatile boolean connected;
    private volatile @Nullable String failure;

    // The rest belongs to the event loop.
    private boolean closed;
    private @Nullable Channel ready;
    private @Nullable Handler talking;
    private @Nullable Channel channel;
    private @Nullable InetAddress address;
    private boolean resolving;
    private int backoffMillis = MIN_BACKOFF_MILLIS;

    /**
     * Doesn't connect yet.
     *
     * @param remote where the other end listens
     * @param what the other end, for people: "master", or which agent
     * @param tls null for an unencrypted link
     * @param check whether the other end is who it should be; asked where there is TLS
     * @param links shared by all clients of the process
     */
    public LinkClient(
            Endpoint remote,
            String what,
            @Nullable Tls tls,
            PeerCheck check,
            LinkSettings settings,
            LinkLoop links,
            Ticker ticker,
            LinkClientListener listener) {
        this.remote = remote;
        this.what = what;
        this.tls = tls;
        this.check = check;
        this.settings = settings;
        this.links = links;
        this.loop = links.group().next();
        this.ticker = ticker;
        this.listener = listener;
    }

    /** Begins to connect, and goes on until {@link #close}. Call it once. */
    public void start() {
        loop.execute(this::connect);
    }

    /** Where this link leads. */
    public Endpoint remote() {
        return remote;
    }

    /** True while the other end is there: it has sent a frame on the present connection. */
    public boolean connected() {
        return connected;
    }

    /** Why the link isn't connected, a sentence for an operator; null while it is, and before the first failure. */
    public @Nullable String failure() {
        return failure;
    }

    /**
     * Sends at once where the link is up. Otherwise the heartbeat waits, a newer one replaces it, and it goes out as
     * the first thing once the link is up, unless it is older than dead-millis by then.
     */
    public void send(Heartbeat heartbeat) {
        sendToAll(List.of(this), heartbeat);
    }

    /** As {@link #send(Heartbeat)} on each of these links, which have one clock; its frame is made once for all. */
    public static void sendToAll(Collection<LinkClient> masters, Heartbeat heartbeat) {
        sendToAll(masters, () -> LinkWriter.frame(heartbeat));
    }

    /** As {@link #send(Heartbeat)}, to other agents of the group. */
    public static void sendToAll(Collection<LinkClient> peers, PeerRequest request) {
        sendToAll(peers, () -> LinkWriter.frame(request));
    }

    private static void sendToAll(Collection<LinkClient> links, Supplier<LinkFrame> framing) {
        Outgoing outgoing = null;
        for (LinkClient link : links) {
            outgoing = outgoing == null ? new Outgoing(framing, link.ticker.nanos()) : outgoing;
            link.send(outgoing);
        }
    }

    private void send(Outgoing outgoing) {
        if (messages.put(outgoing)) {
            Frames.execute(loop, this::flush);
        }
    }

    /** Gives up the connection for good. The listener may still hear {@code disconnected}. */
    @Override
    public void close() {
        Frames.execute(loop, () -> {
            closed = true;
            if (channel != null) {
                var unused = channel.close();
            }
        });
    }

    private @Nullable LinkFrame frame(Outgoing outgoing) {
        // What an agent that stood still said before must not be heard as if it were said now.
        long ageNanos = ticker.nanos() - outgoing.sinceNanos;
        return ageNanos > TimeUnit.MILLISECONDS.toNanos(settings.deadMillis()) ? null : outgoing.frame();
    }

    private void flush() {
        if (ready != null) {
            if (talking != null) {
                talking.pingWithHeartbeat(ready);
            }
            messages.flush(ready);
            // A ping may have been written although the heartbeat was too old to go.
            ready.flush();
        }
    }

    private void connect() {
        if (closed) {
            return;
        }
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(remote.host());
        if (literal != null) {
            try {
                connect(InetAddress.getByAddress(literal));
            } catch (UnknownHostException e) {
                throw new IllegalStateException("an address has 4 or 16 bytes", e);
            }
            return;
        }
        boolean known = address != null;
        if (!resolving) {
            resolving = true;
            links.resolvers().execute(() -> resolve(known));
        }
        // The last known address will do while the name server doesn't answer.
        if (address != null) {
            connect(address);
        }
    }

    private void resolve(boolean known) {
        InetAddress found = null;
        String reason = "";
        try {
            found = InetAddress.getByName(remote.host());
        } catch (UnknownHostException e) {
            reason = "the name " + remote.host() + " isn't found";
        }
        InetAddress result = found;
        String sentence = reason;
        Frames.execute(loop, () -> {
            resolving = false;
            if (result != null) {
                address = result;
            }
            if (!known && result != null) {
                connect(result);
            } else if (!known) {
                failed(sentence);
            }
        });
    }

    private void connect(InetAddress to) {
        if (closed) {
            return;
        }
        Handler handler = new Handler();
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.ALLOCATOR, links.allocator())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, settings.connectMillis())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        Frames.configure(channel);
                        if (tls != null) {
                            SslHandler handler = tls.clientHandler(channel.alloc(), remote);
                            handler.setHandshakeTimeoutMillis(settings.connectMillis());
                            channel.pipeline().addLast(handler);
                        }
                        Frames.addTo(channel.pipeline());
                        channel.pipeline().addLast(handler);
                    }
                })
                .connect(new InetSocketAddress(to, remote.port()));
        channel = connecting.channel();
        // The only end of every attempt: a channel that never connected doesn't become inactive, it only closes. By
        // then
        // the connect's own result is known, though its listeners may not have been called yet.
        channel.closeFuture().addListener(done -> {
            Throwable cause = connecting.cause();
            if (cause != null) {
                handler.because(Frames.sentence(cause));
            }
            handler.ended();
        });
    }

    private void failed(String reason) {
        channel = null;
        ready = null;
        talking = null;
        boolean was = connected;
        connected = false;
        if (failure == null && !closed) {
            LOG.warn("link to {} {}: {}; trying again", what, remote, reason);
        }
        failure = "link to " + what + " " + remote + ": " + reason
                + " (must be a running process that this machine reaches)";
        if (!closed) {
            // Half of it by chance, so that the agents of a master that came back don't all arrive at once.
            int wait = backoffMillis / 2 + ThreadLocalRandom.current().nextInt(backoffMillis / 2 + 1);
            backoffMillis = Math.min(2 * backoffMillis, MAX_BACKOFF_MILLIS);
            var unused = loop.schedule(() -> connect(), wait, TimeUnit.MILLISECONDS);
        }
        if (was) {
            listener.disconnected(remote, reason);
        }
    }

    private final class Handler extends SimpleChannelInboundHandler<LinkFrame> {
        private @Nullable String reason;
        private int unheardTicks;
        private int unheardHeartbeats;
        private boolean pinged;
        private boolean open;
        private boolean heard;
        private boolean gaveUp;
        private boolean refused;

        Handler() {
            super(LinkFrame.class);
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            if (tls == null) {
                ready(context);
            }
            context.fireChannelActive();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    String problem = check.problem(CertificateNames.of(
                            context.pipeline().get(SslHandler.class).engine().getSession()));
                    if (problem == null) {
                        ready(context);
                    } else {
                        because("TLS: " + problem);
                        refused = true;
                        var unused = context.close();
                    }
                } else {
                    because(Frames.sentence(handshake.cause()));
                }
            }
            context.fireUserEventTriggered(event);
        }

        private void ready(ChannelHandlerContext context) {
            ready = context.channel();
            open = true;
            talking = this;
            nextTick(context);
            Frames.send(context.channel(), LinkWriter.ping());
            pinged = true;
            flush();
        }

        /** All masters' ticks fall on the same moments, so that the thread wakes up once for all of them. */
        private void nextTick(ChannelHandlerContext context) {
            long interval = TimeUnit.MILLISECONDS.toNanos(settings.pingMillis());
            long wait = interval - Math.floorMod(ticker.nanos(), interval);
            // A tick that comes a little early isn't followed by the same one again.
            var unused = context.executor()
                    .schedule(() -> tick(context), wait < interval / 4 ? wait + interval : wait, TimeUnit.NANOSECONDS);
        }

        /**
         * Counts ticks, not time: after a pause of this process (or a suspended machine) the clock would say that the
         * master was silent, when it was we who didn't listen.
         */
        private void tick(ChannelHandlerContext context) {
            if (!context.channel().isActive()) {
                return;
            }
            unheardTicks++;
            if ((long) unheardTicks * settings.pingMillis() >= settings.deadMillis()) {
                gaveUp = true;
                because("nothing heard from it for " + settings.deadMillis() + " ms");
                var unused = context.close();
                return;
            }
            if (unheardTicks >= 2 && !pinged && context.channel().isWritable()) {
                Frames.send(context.channel(), LinkWriter.ping());
            }
            pinged = false;
            nextTick(context);
        }

        /**
         * Asks a master that has nothing to answer, while the thread is awake anyway: at every third heartbeat, since each
         * question and each answer costs both sides about as much as a heartbeat. It goes out with the heartbeat.
         */
        private void pingWithHeartbeat(Channel channel) {
            if (unheardHeartbeats >= 2 && !pinged && channel.isWritable()) {
                channel.write(LinkWriter.ping()).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
                pinged = true;
            }
            unheardHeartbeats++;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, LinkFrame frame) throws WireException {
            if (refused) {
                // What came in with the end of the handshake.
                return;
            }
            unheardTicks = 0;
            unheardHeartbeats = 0;
            switch (frame.getBodyCase()) {
                case ANSWER -> {
                    var answer = LinkReader.answer(frame.getAnswer());
                    heard();
                    listener.answer(remote, answer);
                }
                case PEER_ANSWER -> {
                    var answer = LinkReader.answer(frame.getPeerAnswer());
                    heard();
                    listener.answer(remote, answer);
                }
                case PONG -> heard();
                case HEARTBEAT, PEER_REQUEST, PING, BODY_NOT_SET ->
                    throw new WireException("frame: " + frame.getBodyCase() + " (must be an answer or a pong)");
            }
        }

        private void heard() {
            heard = true;
            if (!connected) {
                connected = true;
                backoffMillis = MIN_BACKOFF_MILLIS;
                if (failure != null) {
                    LOG.info("link to {} {}: connected again", what, remote);
                }
                failure = null;
                listener.connected(remote);
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            flush();
            context.fireChannelWritabilityChanged();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            Throwable root = Frames.root(error);
            because(Frames.sentence(error));
            if (!(root instanceof IOException || root instanceof WireException)) {
                LOG.error("link to {} {}: a defect; closed", what, remote, root);
            }
            var unused = context.close();
        }

        /** The first reason counts: what fails while the connection is being closed only follows from it. */
        private void because(String sentence) {
            if (reason == null) {
                reason = sentence;
            }
        }

        /**
         * A master that refuses an agent says so before it closes, but the kernel may drop that with the connection: in
         * TLS 1.3 the agent believes for a moment that its certificate was accepted.
         */
        private void ended() {
            String sentence = reason == null ? "the other end closed the connection" : reason;
            if (open && !heard && !gaveUp) {
                sentence += ", before it had said anything; "
                        + (tls == null ? "does it want TLS?" : "does it trust this agent's certificate?")
                        + " Its log says why";
            }
            failed(sentence);
        }
    }
}
