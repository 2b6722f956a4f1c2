package org.haarbiter.dns.zone;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
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
public final class Exchange {

    /** Datagrams above this are cut up on the way, and PowerDNS drops them: they go by TCP. */
    private static final int UDP_LIMIT_BYTES = 1_200;

    /** So many queries fit into the smallest of usual socket buffers. */
    private static final int UDP_AT_ONCE = 64;

    private static final long RESEND_NANOS = 150_000_000L;

    private Exchange() {}

    /** Sends updates once, by TCP where there are several. They aren't sent again here: the caller must look at the zone first. */
    public static List<Reply> update(Endpoint server, List<Outgoing> updates, boolean tcp, long deadlineNanos) {
        if (tcp || updates.size() > 1 || updates.get(0).wire().length > UDP_LIMIT_BYTES) {
            return byTcp(server, updates, false, deadlineNanos);
        }
        return byUdp(server, updates, Long.MAX_VALUE, deadlineNanos);
    }

    /**
     * Asks all at once and waits for all replies, in the order of the queries. A few go by UDP: what is lost is sent again, what is
     * cut goes by TCP. Many go by TCP, since so many datagrams would fill a server's buffer and set off its rate limit.
     */
    public static List<Reply> query(Endpoint server, List<Outgoing> queries, long deadlineNanos) {
        if (queries.size() > UDP_AT_ONCE) {
            long now = System.nanoTime();
            long halfway = now + (deadlineNanos - now) / 2;
            List<Reply> replies = new TcpExchange(address(server), queries).run(true, halfway, deadlineNanos);
            if (replies.stream().anyMatch(reply -> reply.message() != null)) {
                return replies;
            }
            // A firewall may keep TCP away: by UDP it takes longer.
            List<Reply> slowly = new ArrayList<>();
            for (int from = 0; from < queries.size(); from += UDP_AT_ONCE) {
                int to = Math.min(queries.size(), from + UDP_AT_ONCE);
                slowly.addAll(query(server, queries.subList(from, to), deadlineNanos));
            }
            return slowly;
        }
        List<Reply> replies = byUdp(server, queries, RESEND_NANOS, deadlineNanos);
        for (int i = 0; i < queries.size(); i++) {
            Message message = replies.get(i).message();
            if (message != null && message.getHeader().getFlag(Flags.TC)) {
                replies.set(
                        i,
                        byTcp(server, List.of(queries.get(i)), true, deadlineNanos)
                                .get(0));
            }
        }
        return replies;
    }

    private static List<Reply> byTcp(Endpoint server, List<Outgoing> messages, boolean again, long deadlineNanos) {
        return new TcpExchange(address(server), messages).run(again, deadlineNanos, deadlineNanos);
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
                Reply reply = index < 0 ? null : reply(all.get(index), wire);
                if (reply == null) {
                    continue; // nothing that answers what is open
                }
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

    /** Which open message this answers; -1 for none. */
    private static int match(List<Outgoing> all, boolean[] done, byte[] wire) {
        for (int i = 0; i < all.size(); i++) {
            if (!done[i] && answers(all.get(i), wire)) {
                return i;
            }
        }
        return -1;
    }

    /** True where the bytes are a reply to this message: by number and operation. */
    private static boolean answers(Outgoing out, byte[] wire) {
        return wire.length >= 12
                && (wire[2] & 0x80) != 0
                && out.message().getHeader().getID() == (((wire[0] & 0xff) << 8) | (wire[1] & 0xff))
                && out.message().getHeader().getOpcode() == ((wire[2] >> 3) & 0x0f);
    }

    /** What the bytes say to this message; null where they are no reply to it, but a forger's, a late one, or garbage. */
    static @Nullable Reply reply(Outgoing out, byte[] wire) {
        Message reply = answers(out, wire) ? parse(wire) : null;
        // BIND leaves the question out of some refusals; where there is one it must be ours.
        if (reply == null
                || (reply.getQuestion() != null
                        && !reply.getQuestion().equals(out.message().getQuestion()))) {
            return null;
        }
        return out.verifies(reply, wire) ? Reply.answered(reply) : Reply.unverified(reply);
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

    private static InetSocketAddress address(Endpoint server) {
        try {
            return new InetSocketAddress(Address.getByAddress(server.host()), server.port());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "server: " + server + " (must be an address; the settings are checked)", e);
        }
    }

    private static int millisUntil(long nanos) {
        long millis = (nanos - System.nanoTime() + 999_999) / 1_000_000;
        return (int) Math.max(1, Math.min(millis, Integer.MAX_VALUE));
    }
}
