package org.haarbiter.dns.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Arrays;

/** Queries and responses as datagrams, on one thread: what came together goes together. */
final class UdpHandler extends ChannelInboundHandlerAdapter {

    /** What is cut off behind this is malformed then: no query has as much. */
    static final int MAX_QUERY_BYTES = 1_500;

    private final Serving serving;
    private final Responder responder;
    private final byte[] query = new byte[MAX_QUERY_BYTES];
    private final byte[] response = new byte[Responder.MAX_BYTES];
    private boolean inBatch;

    UdpHandler(Serving serving) {
        this.serving = serving;
        this.responder = serving.responder();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        DatagramPacket packet = (DatagramPacket) message;
        try {
            if (!inBatch) {
                inBatch = true;
                serving.refresh(responder);
            }
            answer(context, packet.content(), packet.sender());
        } finally {
            packet.release();
        }
    }

    private void answer(ChannelHandlerContext context, ByteBuf content, InetSocketAddress client) {
        serving.metrics().udpQueries.increment();
        int bytes = Math.min(content.readableBytes(), MAX_QUERY_BYTES);
        content.getBytes(content.readerIndex(), query, 0, bytes);
        byte[] address = client.getAddress().getAddress();
        if (client.getPort() == 0) {
            serving.metrics().unanswerable.increment(); // only a forger sends from there, and nothing can be sent there
            return;
        }
        int length = responder.respond(query, bytes, Network.high(address), Network.low(address), false, response);
        if (length > 0) {
            send(context, client, response, length);
        } else if (length == Responder.LONG_WAY) {
            serving.longWay().take(Arrays.copyOf(query, bytes), client, new LongWay.Client() {
                @Override
                public boolean tcp() {
                    return false;
                }

                @Override
                public void send(byte[] message, int bytes) {
                    byte[] copy = Arrays.copyOf(message, bytes);
                    context.executor().execute(() -> {
                        UdpHandler.this.send(context, client, copy, copy.length);
                        context.flush();
                    });
                }

                @Override
                public void done() {
                    // nothing waits for it
                }
            });
        }
    }

    private void send(ChannelHandlerContext context, InetSocketAddress client, byte[] bytes, int length) {
        if (!context.channel().isWritable()) {
            // The kernel's buffer is full and so is ours: the client asks again.
            serving.metrics().overloadDropped.increment();
            return;
        }
        ByteBuf buffer = context.alloc().directBuffer(length, length).writeBytes(bytes, 0, length);
        context.write(new DatagramPacket(buffer, client), context.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        inBatch = false;
        context.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
        // The socket stays open: one client that can't be reached is no reason to be silent for the others.
        if (error instanceof IOException) {
            serving.metrics().sendFailures.increment();
            serving.warnings()
                    .warn(
                            Warnings.Kind.SEND_FAILURE,
                            () -> "UDP at " + context.channel().localAddress() + ": " + error);
        } else {
            serving.metrics().defects.increment();
            serving.warnings().defect("UDP at " + context.channel().localAddress(), error);
        }
    }
}
