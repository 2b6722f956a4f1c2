package org.haarbiter.link;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.EncoderException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLException;
import org.haarbiter.wire.LinkFrame;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** What both ends of the link do alike. */
final class Frames {
    /** Small, so that a slow reader is noticed soon and gets the newest message next and not hundreds of old ones. */
    static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(8 << 10, 32 << 10);
    /** Bounds what waits in the kernel, for the same reason. In bytes. */
    static final int SEND_BUFFER_BYTES = 128 << 10;

    private Frames() {}

    static void configure(Channel channel) {
        channel.config().setOption(ChannelOption.TCP_NODELAY, true);
        channel.config().setOption(ChannelOption.SO_KEEPALIVE, true);
        channel.config().setOption(ChannelOption.SO_SNDBUF, SEND_BUFFER_BYTES);
        channel.config().setWriteBufferWaterMark(WATER_MARK);
    }

    static void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new FrameDecoder(), FrameEncoder.INSTANCE);
    }

    /** Writes and flushes; a write that fails goes to {@code exceptionCaught}, which closes the connection. */
    static void send(Channel channel, LinkFrame frame) {
        channel.writeAndFlush(frame).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    /** Runs it on the event loop; drops it where the loop has ended, as then nobody is left to hear it. */
    static void execute(EventLoop loop, Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            if (!loop.isShuttingDown()) {
                throw e;
            }
        }
    }

    /** The error under netty's wrappings. */
    static Throwable root(Throwable error) {
        Throwable cause = error.getCause();
        return cause != null && (error instanceof DecoderException || error instanceof EncoderException)
                ? root(cause)
                : error;
    }

    /** A sentence for people. */
    static String sentence(Throwable error) {
        Throwable root = root(error);
        if (root instanceof ClosedChannelException) {
            return "the connection was closed";
        }
        String text = root.getMessage() == null ? root.toString() : root.getMessage();
        if (!(root instanceof SSLException)) {
            return text;
        }
        Throwable deepest = root;
        for (Throwable cause = root.getCause(); cause != null; cause = cause.getCause()) {
            deepest = cause;
        }
        return "TLS: " + text
                + (deepest.getMessage() == null || text.contains(deepest.getMessage())
                        ? ""
                        : ": " + deepest.getMessage());
    }

    /** Null where the socket is closed already. */
    static @Nullable Endpoint remote(Channel channel) {
        SocketAddress address = channel.remoteAddress();
        return address instanceof InetSocketAddress inet
                ? new Endpoint(inet.getAddress().getHostAddress(), inet.getPort())
                : null;
    }
}
