package org.haarbiter.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * Asks one DNS server for the address of a name, each time anew: no cache, no search list, one datagram each way.
 * Threads: one.
 */
public final class NameLookup implements AutoCloseable {

    private static final int LARGEST_ANSWER = 4_096;

    private final Name name;
    private final int timeoutMillis;
    private final DatagramSocket socket;
    private final byte[] answer = new byte[LARGEST_ANSWER];

    /** The socket belongs to the host of the thread that calls this. */
    public NameLookup(Endpoint server, Name name, Duration timeout) throws IOException {
        this.name = name;
        this.timeoutMillis = Math.toIntExact(timeout.toMillis());
        this.socket = new DatagramSocket();
        socket.connect(new InetSocketAddress(server.host(), server.port()));
    }

    /** The first address of the name; empty when the server says that there is none. */
    public Optional<String> address() throws IOException {
        Message query = Message.newQuery(Record.newRecord(name, Type.A, DClass.IN));
        byte[] wire = query.toWire();
        socket.send(new DatagramPacket(wire, wire.length));
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
        while (true) {
            long leftMillis = (deadline - System.nanoTime()) / 1_000_000L;
            socket.setSoTimeout((int) Math.max(1, leftMillis));
            DatagramPacket packet = new DatagramPacket(answer, answer.length);
            socket.receive(packet);
            Message message = new Message(Arrays.copyOf(answer, packet.getLength()));
            if (message.getHeader().getID() != query.getHeader().getID()) {
                // The late answer to a query that was given up.
                continue;
            }
            if (message.getRcode() != Rcode.NOERROR && message.getRcode() != Rcode.NXDOMAIN) {
                throw new IOException("DNS answers " + Rcode.string(message.getRcode()) + " for " + name);
            }
            for (Record found : message.getSection(Section.ANSWER)) {
                if (found instanceof ARecord a) {
                    return Optional.of(a.getAddress().getHostAddress());
                }
            }
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
