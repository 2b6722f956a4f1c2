package org.haarbiter.dns.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.haarbiter.time.Ticker;
import org.jspecify.annotations.Nullable;

/**
 * One connection: queries come with their length in front, as many as the client likes, and each is answered (RFC 7766). A
 * client that doesn't read isn't read from; one that doesn't ask is closed.
 */
final class TcpHandler extends SimpleChannelInboundHandler<ByteBuf> {

    /** A query with a signature and all options has less; a longer one isn't waited for. */
    static final int MAX_QUERY_BYTES = 4_096;

    private static final long SEND_LIMIT_SECONDS = 10;

    private final Serving serving;
    private final Ticker ticker;
    private final Responder responder;
    private final InetSocketAddress client;
    private final byte[] query = new byte[MAX_QUERY_BYTES];
    private final byte[] response;
    private long lastNanos;
    private int underWay;
    private @Nullable ScheduledFuture<?> idle;

    /**
     * @param responder of the connection's thread
     * @param response of the connection's thread
     */
    TcpHandler(Serving serving, Ticker ticker, Responder responder, byte[] response, InetSocketAddress client) {
        super(ByteBuf.class);
        this.serving = serving;
        this.ticker = ticker;
        this.responder = responder;
        this.response = response;
        this.client = client;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        lastNanos = ticker.nanos();
        closeWhenIdle(context, serving.settings().idleMillis());
        context.fireChannelActive();
    }

    /** Counted from the last whole query: a client that sends a byte now and then is idle, too. */
    private void closeWhenIdle(ChannelHandlerContext context, long inMillis) {
        idle = context.executor()
                .schedule(
                        () -> {
                            long leftMillis = serving.settings().idleMillis()
                                    - TimeUnit.NANOSECONDS.toMillis(ticker.nanos() - lastNanos);
                            if (leftMillis > 0 || underWay > 0) {
                                closeWhenIdle(context, Math.max(1, leftMillis));
                            } else {
                                context.close();
                            }
                        },
                        inMillis,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
        lastNanos = ticker.nanos();
        serving.metrics().tcpQueries.increment();
        serving.refresh(responder);
        int bytes = message.readableBytes();
        message.readBytes(query, 0, bytes);
        byte[] address = client.getAddress().getAddress();
        int length = responder.respond(query, bytes, Network.high(address), Network.low(address), true, response);
        if (length > 0) {
            context.write(frame(context, response, length));
        } else if (length == Responder.NOTHING) {
            context.close(); // whoever sends such things by TCP isn't a client
        } else {
            underWay++;
            serving.longWay().take(Arrays.copyOf(query, bytes), client, new Connection(context));
        }
    }

    private static ByteBuf frame(ChannelHandlerContext context, byte[] bytes, int length) {
        return context.alloc()
                .directBuffer(2 + length, 2 + length)
                .writeShort(length)
                .writeBytes(bytes, 0, length);
    }

    /** What the long way sends on. */
    private final class Connection implements LongWay.Client {
        private final ChannelHandlerContext context;

        Connection(ChannelHandlerContext context) {
            this.context = context;
        }

        @Override
        public boolean tcp() {
            return true;
        }

        @Override
        public void send(byte[] message, int length) throws IOException {
            ChannelFuture sent = context.writeAndFlush(frame(context, message, length));
            // A whole zone isn't piled up for a client that doesn't read: each message waits for room.
            if (!context.channel().isWritable() && !sent.awaitUninterruptibly(SEND_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                context.close();
                throw new IOException(client + " read nothing for " + SEND_LIMIT_SECONDS + " s; closed");
            }
            if (sent.isDone() && !sent.isSuccess()) {
                throw new IOException("can't send to " + client + ": " + sent.cause(), sent.cause());
            }
        }

        @Override
        public void done() {
            context.executor().execute(() -> {
                underWay--;
                lastNanos = ticker.nanos();
            });
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
        context.channel().config().setAutoRead(context.channel().isWritable());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        context.channel().config().setAutoRead(context.channel().isWritable());
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ScheduledFuture<?> timer = idle;
        if (timer != null) {
            timer.cancel(false);
        }
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
        if (error instanceof TooLongFrameException) {
            serving.metrics().malformed.increment();
            serving.warnings()
                    .warn(
                            Warnings.Kind.MALFORMED,
                            () -> "TCP query from " + client + " with more than " + MAX_QUERY_BYTES + " bytes; closed");
        } else if (!(error instanceof IOException)) {
            serving.metrics().defects.increment();
            serving.warnings().defect("TCP connection of " + client, error);
        }
        context.close();
    }
}
