package org.haarbiter.dns.zone;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;

/**
 * Messages that are sent one behind the other on one connection, without waiting for the answers in between, which may come in any
 * order (RFC 7766, 6.2.1.1). Reads and writes at the same time: a server that stops reading until its answers are taken away would
 * else stop both. For one thread, once.
 */
final class TcpExchange {

    /** Of messages whose answers are awaited, each needs a number of its own, of 65,536. */
    private static final int MOST_AWAITED = 10_000;

    private final InetSocketAddress server;
    private final List<Outgoing> messages;
    private final @Nullable Reply[] replies;
    private final ArrayDeque<Integer> unsent = new ArrayDeque<>();
    private final Map<Integer, Integer> awaited = new HashMap<>();
    private final ByteBuffer out = ByteBuffer.allocate(2 + Message.MAXLENGTH);
    private final ByteBuffer in = ByteBuffer.allocate(2 * (2 + Message.MAXLENGTH));
    private int answered;

    TcpExchange(InetSocketAddress server, List<Outgoing> messages) {
        this.server = server;
        this.messages = messages;
        this.replies = new @Nullable Reply[messages.size()];
    }

    /**
     * One reply a message, in their order. Messages that are too large for DNS aren't sent.
     *
     * @param again whether what a closed connection left without an answer is sent on a new one, as long as each brings some
     * @param firstNanos when to give up where nothing has come by then
     */
    List<Reply> run(boolean again, long firstNanos, long deadlineNanos) {
        Reply without = null;
        while (without == null) {
            int before = answered;
            line();
            if (unsent.isEmpty()) {
                break;
            }
            try {
                converse(firstNanos, deadlineNanos);
            } catch (SocketTimeoutException e) {
                without = new Reply(Reply.Kind.SILENT, null, "no answer by TCP");
            } catch (EOFException e) {
                // RFC 7766 6.2.4: a server may close a connection when it likes.
                if (!again || answered == before) {
                    without = new Reply(Reply.Kind.SILENT, null, "the connection was closed without an answer");
                }
            } catch (ConnectException | NoRouteToHostException e) {
                without = new Reply(
                        Reply.Kind.UNDELIVERED,
                        null,
                        "TCP port " + server.getPort() + " can't be reached (" + e.getMessage()
                                + "): start the DNS server, or open the port");
            } catch (IOException e) {
                without = new Reply(Reply.Kind.SILENT, null, "the connection broke: " + e.getMessage());
            }
        }
        List<Reply> result = new ArrayList<>();
        for (Reply reply : replies) {
            result.add(reply == null && without != null ? without : answer(reply));
        }
        return result;
    }

    private static Reply answer(@Nullable Reply reply) {
        if (reply == null) {
            throw new IllegalStateException("ended without an answer and without a failure");
        }
        return reply;
    }

    private void line() {
        unsent.clear();
        awaited.clear();
        out.clear().flip();
        in.clear();
        for (int i = 0; i < messages.size(); i++) {
            int bytes = messages.get(i).wire().length;
            if (replies[i] == null && bytes > Message.MAXLENGTH) {
                replies[i] = new Reply(
                        Reply.Kind.UNDELIVERED,
                        null,
                        "the message has " + bytes + " bytes (must be at most " + Message.MAXLENGTH
                                + "): give the group fewer names or addresses");
            } else if (replies[i] == null) {
                unsent.add(i);
            }
        }
    }

    private void converse(long firstNanos, long deadlineNanos) throws IOException {
        try (Selector selector = Selector.open();
                SocketChannel channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            boolean connected = channel.connect(server);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            while (true) {
                if (connected) {
                    fill();
                    channel.write(out);
                    if (unsent.isEmpty() && awaited.isEmpty()) {
                        return;
                    }
                    boolean more = out.hasRemaining();
                    key.interestOps(more ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
                }
                long untilNanos = answered == 0 ? firstNanos : deadlineNanos;
                long millis = (untilNanos - System.nanoTime() + 999_999) / 1_000_000;
                if (millis <= 0) {
                    throw new SocketTimeoutException("the limit has passed");
                }
                selector.select(millis);
                selector.selectedKeys().clear();
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("this process is stopping");
                }
                if (!connected) {
                    connected = channel.finishConnect();
                } else if (key.isReadable()) {
                    read(channel);
                }
            }
        }
    }

    /** Puts whole messages into what is written next, as many as there is room and are numbers for. */
    private void fill() {
        if (out.hasRemaining()) {
            return;
        }
        out.clear();
        while (!unsent.isEmpty() && awaited.size() < MOST_AWAITED) {
            int index = unsent.element();
            Outgoing message = messages.get(index);
            int number = message.message().getHeader().getID();
            if (awaited.containsKey(number) || out.remaining() < 2 + message.wire().length) {
                break;
            }
            out.putShort((short) message.wire().length).put(message.wire());
            awaited.put(number, index);
            unsent.remove();
        }
        out.flip();
    }

    private void read(SocketChannel channel) throws IOException {
        int got = channel.read(in);
        in.flip();
        while (in.remaining() >= 2) {
            int length = Short.toUnsignedInt(in.getShort(in.position()));
            if (in.remaining() < 2 + length) {
                break;
            }
            in.getShort();
            byte[] wire = new byte[length];
            in.get(wire);
            take(wire);
        }
        in.compact();
        if (got < 0) {
            throw new EOFException("closed");
        }
    }

    private void take(byte[] wire) {
        Integer index = wire.length < 2 ? null : awaited.get(((wire[0] & 0xff) << 8) | (wire[1] & 0xff));
        Reply reply = index == null ? null : Exchange.reply(messages.get(index), wire);
        if (index != null && reply != null) {
            replies[index] = reply;
            awaited.remove(messages.get(index).message().getHeader().getID());
            answered++;
        }
    }
}
