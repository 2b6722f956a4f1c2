package org.haarbiter.dns.rfc2136;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.WireParseException;

/**
 * Sends messages to one server and collects the replies, within a limit. Blocks the caller; no state, any thread. It doesn't
 * use dnsjava's resolvers: those end at the first datagram that carries the right number, so a forged reply would shut out
 * the true one, and their timers are coarse.
 */
final class Exchange {

    /** Datagrams above this are cut up on the way, and PowerDNS drops them: they go by TCP. */
    static final int UDP_LIMIT_BYTES = 1_200;

    private static final long RESEND_NANOS = 150_000_000L;

    private Exchange() {}

    /** Sends an update once. It isn't sent again here: the caller must look at the zone first. */
    static Reply update(Endpoint server, Outgoing update, boolean tcp, long deadlineNanos) {
        if (tcp || update.wire().length > UDP_LIMIT_BYTES) {
            return byTcp(server, update, deadlineNanos);
        }
        return byUdp(server, List.of(update), Long.MAX_VALUE, deadlineNanos).get(0);
    }

    /** Sends all queries at once and waits for all replies, in their order; what is lost is sent again, what is cut goes by TCP. */
    static List<Reply> query(Endpoint server, List<Outgoing> queries, long deadlineNanos) {
        List<Reply> replies = byUdp(server, queries, RESEND_NANOS, deadlineNanos);
        for (int i = 0; i < queries.size(); i++) {
            Message message = replies.get(i).message();
            if (message != null && message.getHeader().getFlag(Flags.TC)) {
                replies.set(i, byTcp(server, queries.get(i), deadlineNanos));
            }
        }
        return replies;
    }

    private static List<Reply> byUdp(Endpoint server, List<Outgoing> all, long resendNanos, long deadlineNanos) {
        @Nullable Reply[] replies = new @Nullable Reply[all.size()];
        boolean[] done = new boolean[all.size()];
        int open = all.size();
        String failure = "no answer by UDP";
        Reply.Kind kind = Reply.Kind.SILENT;
        // Connected: the kernel then drops what comes from elsewhere, and tells us when nobody listens.
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(address(server));
            long started = System.nanoTime();
            long sendAt = started;
            byte[] buffer = new byte[65_535];
            while (open > 0) {
                long now = System.nanoTime();
                if (now - deadlineNanos >= 0) {
                    break;
                }
                if (now - sendAt >= 0) {
                    for (int i = 0; i < all.size(); i++) {
                        if (!done[i]) {
                            byte[] wire = all.get(i).wire();
                            socket.send(new DatagramPacket(wire, wire.length));
                        }
                    }
                    sendAt = resendNanos == Long.MAX_VALUE ? deadlineNanos : now + resendNanos;
                }
                long until = sendAt - deadlineNanos < 0 ? sendAt : deadlineNanos;
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                socket.setSoTimeout(millisUntil(until));
                try {
                    socket.receive(packet);
                } catch (SocketTimeoutException e) {
                    continue; // time to send again, or the end
                }
                byte[] wire = Arrays.copyOf(packet.getData(), packet.getLength());
                int index = match(all, done, wire);
                if (index < 0) {
                    continue; // not a reply to anything that is open: a forger's, a late one, or garbage
                }
                Reply reply = judge(all.get(index), wire);
                replies[index] = reply;
                if (reply.kind() == Reply.Kind.ANSWERED || isUnsignedRefusal(reply)) {
                    done[index] = true;
                    open--;
                }
            }
        } catch (PortUnreachableException e) {
            kind = Reply.Kind.UNDELIVERED;
            failure = "nobody listens at UDP port " + server.port() + ": start the DNS server, or correct the address";
        } catch (IOException e) {
            kind = Reply.Kind.UNDELIVERED;
            failure = "could not be sent: " + e.getMessage();
        }
        List<Reply> result = new ArrayList<>();
        for (Reply reply : replies) {
            result.add(reply == null ? new Reply(kind, null, failure) : reply);
        }
        return result;
    }

    private static Reply byTcp(Endpoint server, Outgoing out, long deadlineNanos) {
        if (out.wire().length > Message.MAXLENGTH) {
            return new Reply(
                    Reply.Kind.UNDELIVERED,
                    null,
                    "the message has " + out.wire().length + " bytes (must be at most " + Message.MAXLENGTH
                            + "): give the group fewer names or addresses");
        }
        try (Socket socket = new Socket()) {
            if (deadlineNanos - System.nanoTime() <= 0) {
                return new Reply(Reply.Kind.SILENT, null, "no time left to ask by TCP");
            }
            socket.connect(address(server), millisUntil(deadlineNanos));
            socket.setTcpNoDelay(true);
            ByteBuffer framed = ByteBuffer.allocate(2 + out.wire().length);
            framed.putShort((short) out.wire().length).put(out.wire());
            socket.getOutputStream().write(framed.array());
            DataInputStream in = new DataInputStream(new TimedInput(socket, deadlineNanos));
            while (true) {
                byte[] wire = new byte[in.readUnsignedShort()];
                in.readFully(wire);
                if (match(List.of(out), new boolean[1], wire) == 0) {
                    return judge(out, wire);
                }
            }
        } catch (SocketTimeoutException e) {
            return new Reply(Reply.Kind.SILENT, null, "no answer by TCP");
        } catch (EOFException e) {
            return new Reply(Reply.Kind.SILENT, null, "the connection was closed without an answer");
        } catch (ConnectException | NoRouteToHostException e) {
            return new Reply(
                    Reply.Kind.UNDELIVERED,
                    null,
                    "TCP port " + server.port() + " can't be reached (" + e.getMessage()
                            + "): start the DNS server, or open the port");
        } catch (IOException e) {
            return new Reply(Reply.Kind.SILENT, null, "the connection broke: " + e.getMessage());
        }
    }

    /** Which open message this answers: by number, operation and question; -1 for none. */
    private static int match(List<Outgoing> all, boolean[] done, byte[] wire) {
        if (wire.length < 12 || (wire[2] & 0x80) == 0) {
            return -1;
        }
        int id = ((wire[0] & 0xff) << 8) | (wire[1] & 0xff);
        int opcode = (wire[2] >> 3) & 0x0f;
        for (int i = 0; i < all.size(); i++) {
            Message sent = all.get(i).message();
            if (!done[i] && sent.getHeader().getID() == id && sent.getHeader().getOpcode() == opcode) {
                Message reply = parse(wire);
                // BIND leaves the question out of some refusals; where there is one it must be ours.
                return reply != null
                                && (reply.getQuestion() == null
                                        || reply.getQuestion().equals(sent.getQuestion()))
                        ? i
                        : -1;
            }
        }
        return -1;
    }

    private static @Nullable Message parse(byte[] wire) {
        try {
            return new Message(wire);
        } catch (WireParseException e) {
            return null; // garbage is no answer: go on waiting for one
        } catch (IOException e) {
            throw new AssertionError("dnsjava reads from memory only", e);
        }
    }

    private static Reply judge(Outgoing out, byte[] wire) {
        Message message = parse(wire);
        if (message == null) {
            throw new IllegalArgumentException("only what matched is judged");
        }
        return out.verifies(message, wire) ? Reply.answered(message) : Reply.unverified(message);
    }

    /**
     * A server that doesn't know the key can't sign its refusal, so a refusal ends the waiting. Any other unsigned reply
     * doesn't: the true one may be on its way.
     */
    private static boolean isUnsignedRefusal(Reply reply) {
        Message message = reply.message();
        if (message == null) {
            return false;
        }
        int rcode = message.getHeader().getRcode();
        return rcode == Rcode.NOTAUTH
                || rcode == Rcode.REFUSED
                || rcode == Rcode.FORMERR
                || rcode == Rcode.NOTIMP
                || rcode == Rcode.SERVFAIL
                || rcode == Rcode.NOTZONE;
    }

    private static InetSocketAddress address(Endpoint server) throws IOException {
        // Settings allow literal addresses only, so this never looks a name up.
        InetAddress host = Address.getByAddress(server.host());
        return new InetSocketAddress(host, server.port());
    }

    private static int millisUntil(long nanos) {
        long millis = (nanos - System.nanoTime() + 999_999) / 1_000_000;
        return (int) Math.max(1, Math.min(millis, Integer.MAX_VALUE));
    }
}
