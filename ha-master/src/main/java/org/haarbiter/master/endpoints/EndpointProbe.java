package org.haarbiter.master.endpoints;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLParameters;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.time.Ticker;
import org.jspecify.annotations.Nullable;

/**
 * One check of one endpoint: connects, says and hears what the check wants, closes, and only then tells the outcome, once.
 * Follows no redirect. Confined to its event loop.
 */
final class EndpointProbe {
    private static final int MOST_HEADER_BYTES = 16 * 1024;
    private static final int MOST_LINE_BYTES = 4 * 1024;
    private static final int MOST_DETAIL = 160;
    private static final int FAREWELL_MILLIS = 100;
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    /** What a check found. */
    enum Result {
        /** The endpoint did what was expected. */
        SUCCESS,
        /** It didn't. */
        FAILURE,
        /** This master could not look: that tells nothing of the endpoint. */
        UNKNOWN
    }

    /** How it ended, and what was met, for people. */
    record Outcome(Result result, String detail) {}

    private final EventLoop loop;
    private final TlsClients tls;
    private final Ticker ticker;
    private final String address;
    private final EndpointCheck check;
    private final Consumer<Outcome> done;

    private String step = "connecting";
    private long dueNanos;
    private boolean ended;
    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> limit;

    /** @param done called on the loop, once, with nothing left open */
    EndpointProbe(
            EventLoop loop,
            TlsClients tls,
            Ticker ticker,
            String address,
            EndpointCheck check,
            Consumer<Outcome> done) {
        this.loop = loop;
        this.tls = tls;
        this.ticker = ticker;
        this.address = address;
        this.check = check;
        this.done = done;
    }

    /**
     * Called once, on the loop.
     *
     * @throws IllegalStateException where this master can't do TLS; then nothing is open
     */
    void start() {
        SslContext context = check.kind().encrypts() ? tls.context(check.trusted()) : null;
        dueNanos = ticker.nanos() + TimeUnit.MILLISECONDS.toNanos(check.timeoutMillis());
        limit = loop.schedule(this::late, check.timeoutMillis(), TimeUnit.MILLISECONDS);
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                // The limit is kept above, for all steps together.
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel socket) {
                        prepare(socket, context);
                    }
                })
                .connect(new InetSocketAddress(address, check.port()));
        channel = connecting.channel();
        connecting.addListener(connected -> {
            if (!connected.isSuccess()) {
                failed(connected.cause());
            } else if (check.kind() == EndpointCheck.Kind.TCP) {
                end(Result.SUCCESS, "connected");
            } else if (check.kind() == EndpointCheck.Kind.HTTP) {
                ask(connecting.channel());
            } else {
                step = "TLS handshake";
            }
        });
    }

    private void prepare(SocketChannel socket, @Nullable SslContext context) {
        if (context != null) {
            SslHandler handler = encrypting(socket, context);
            socket.pipeline().addLast(handler);
            handler.handshakeFuture().addListener(shaken -> {
                if (!shaken.isSuccess()) {
                    failed(shaken.cause());
                } else if (check.kind() == EndpointCheck.Kind.TLS) {
                    end(Result.SUCCESS, handler.engine().getSession().getProtocol() + " handshake done");
                } else {
                    ask(socket);
                }
            });
        }
        if (check.kind().asks()) {
            socket.pipeline()
                    .addLast(new HttpClientCodec(
                            new HttpDecoderConfig()
                                    .setMaxInitialLineLength(MOST_LINE_BYTES)
                                    .setMaxHeaderSize(MOST_HEADER_BYTES),
                            false,
                            false))
                    .addLast(new Answer());
        }
        socket.pipeline().addLast(new Last());
    }

    private SslHandler encrypting(SocketChannel socket, SslContext context) {
        SslHandler handler =
                context.newHandler(socket.alloc(), check.host().isEmpty() ? address : check.host(), check.port());
        SSLParameters parameters = handler.engine().getSSLParameters();
        // Without a trusted authority the name in a certificate proves nothing.
        parameters.setEndpointIdentificationAlgorithm(check.trusted() ? "HTTPS" : "");
        handler.engine().setSSLParameters(parameters);
        // The limit is kept for all steps together; nobody waits for a farewell.
        handler.setHandshakeTimeoutMillis(0);
        handler.setCloseNotifyFlushTimeoutMillis(FAREWELL_MILLIS);
        return handler;
    }

    private void ask(Channel to) {
        step = "waiting for an answer to GET " + check.path();
        DefaultFullHttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, check.path(), Unpooled.EMPTY_BUFFER);
        request.headers()
                .set(HttpHeaderNames.HOST, hostHeader())
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE)
                .set(HttpHeaderNames.ACCEPT, "*/*")
                .set(HttpHeaderNames.USER_AGENT, "ha-arbiter-check");
        to.writeAndFlush(request).addListener(sent -> {
            if (!sent.isSuccess()) {
                failed(sent.cause());
            }
        });
    }

    private String hostHeader() {
        String literal = address.indexOf(':') < 0 ? address : "[" + address + "]";
        String host = check.host().isEmpty() ? literal : check.host();
        int usual = check.kind() == EndpointCheck.Kind.HTTPS ? HTTPS_PORT : HTTP_PORT;
        return check.port() == usual ? host : host + ":" + check.port();
    }

    /** Ends it at once, without having found out anything. On the loop. */
    void abandon() {
        end(Result.UNKNOWN, "abandoned, " + step);
    }

    private void late() {
        long behindNanos = ticker.nanos() - dueNanos;
        if (behindNanos > TimeUnit.MILLISECONDS.toNanos(check.timeoutMillis()) / 2) {
            // Its own clock has run on without it: the silence may be this master's.
            end(Result.UNKNOWN, "this master stood still while " + step);
        } else {
            end(Result.FAILURE, "nothing within " + check.timeoutMillis() + " ms, " + step);
        }
    }

    private void failed(@Nullable Throwable cause) {
        Throwable root = cause;
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        String text = root == null
                ? "no reason given"
                : root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        // What this master has too little of is no fault of the endpoint.
        boolean own = root instanceof BindException || text.contains("Too many open files");
        end(own ? Result.UNKNOWN : Result.FAILURE, step + ": " + text);
    }

    private void end(Result result, String detail) {
        if (ended) {
            return;
        }
        ended = true;
        if (limit != null) {
            limit.cancel(false);
        }
        String cleaned = detail.strip().replaceAll("\\p{Cntrl}+", " ");
        Outcome outcome = new Outcome(
                result, cleaned.length() <= MOST_DETAIL ? cleaned : cleaned.substring(0, MOST_DETAIL - 3) + "...");
        Channel open = channel;
        if (open == null) {
            done.accept(outcome);
        } else {
            open.close().addListener(closed -> done.accept(outcome));
        }
    }

    /** Reads the answer to the request. */
    private final class Answer extends SimpleChannelInboundHandler<HttpObject> {
        private final byte[] expected = check.expectedBody().getBytes(StandardCharsets.UTF_8);
        private final ByteBuf body = Unpooled.buffer(0, EndpointCheck.BODY_LIMIT_BYTES);
        private int status;
        private int bodyBytes;
        private boolean preliminary;

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
            if (!part.decoderResult().isSuccess()) {
                step = "reading the answer to GET " + check.path() + ", which is no HTTP";
                failed(part.decoderResult().cause());
                return;
            }
            if (part instanceof HttpResponse response) {
                begins(response);
            }
            if (!ended && !preliminary && part instanceof HttpContent content) {
                goesOn(content);
            }
            preliminary &= !(part instanceof LastHttpContent);
        }

        private void begins(HttpResponse response) {
            status = response.status().code();
            preliminary = response.status().codeClass() == HttpStatusClass.INFORMATIONAL && status != 101;
            boolean right =
                    check.expectedStatus() == 0 ? status >= 200 && status <= 399 : status == check.expectedStatus();
            if (!preliminary && !right) {
                end(
                        Result.FAILURE,
                        "answered with status " + status + " (expected "
                                + (check.expectedStatus() == 0 ? "200 to 399" : check.expectedStatus()) + ")");
            }
            step = "reading the body of an answer with status " + status;
        }

        private void goesOn(HttpContent content) {
            ByteBuf piece = content.content();
            bodyBytes += piece.readableBytes();
            if (expected.length > 0) {
                body.writeBytes(piece, Math.min(piece.readableBytes(), body.maxWritableBytes()));
                if (holdsExpected()) {
                    end(Result.SUCCESS, "answered with status " + status + " and the expected body");
                    return;
                }
            }
            if (bodyBytes >= EndpointCheck.BODY_LIMIT_BYTES || content instanceof LastHttpContent) {
                end(
                        expected.length == 0 ? Result.SUCCESS : Result.FAILURE,
                        "answered with status " + status
                                + (expected.length == 0
                                        ? ""
                                        : String.format(
                                                Locale.ROOT,
                                                ", without '%s' in the %sbody",
                                                check.expectedBody(),
                                                bodyBytes >= EndpointCheck.BODY_LIMIT_BYTES
                                                        ? "first " + EndpointCheck.BODY_LIMIT_BYTES + " bytes of the "
                                                        : "")));
            }
        }

        private boolean holdsExpected() {
            return body.toString(StandardCharsets.ISO_8859_1)
                    .contains(new String(expected, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext context) {
            body.release();
        }
    }

    /** What no other handler has taken. */
    private final class Last extends ChannelInboundHandlerAdapter {
        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end(Result.FAILURE, "closed by the endpoint, " + step);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failed(cause);
        }
    }
}
