package org.haarbiter.dns.rfc2136;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** A server that answers by UDP and TCP as a test tells it: forged, late, cut, garbage, or not at all. */
final class FakeDnsServer implements AutoCloseable {

    /** What came in. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Request(Message message, byte[] wire, boolean tcp) {
        boolean isUpdate() {
            return message.getHeader().getOpcode() == Opcode.UPDATE;
        }

        /** Part of a check or of the warming-up, which tests don't count. */
        boolean isProbe() {
            if (message.getQuestion().getName().toString().contains("warm-up")) {
                return true;
            }
            for (Record record : message.getSection(Section.PREREQ)) {
                if (isUpdate() && record.rdataToString().contains("trial")) {
                    return true;
                }
            }
            return false;
        }
    }

    /** What the server bears. */
    static final class Limits {
        /** After so many it closes the connection. */
        int messagesOfAConnection = Integer.MAX_VALUE;

        /** Nobody listens there. */
        boolean withoutTcp;

        /** Connections are made, and nothing comes of them. */
        boolean deafByTcp;
    }

    private final Limits limits;
    private final AtomicInteger connections = new AtomicInteger();
    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Function<Request, List<byte[]>> behaviour;
    private final CopyOnWriteArrayList<Request> requests = new CopyOnWriteArrayList<>();
    private final CopyOnWriteArrayList<Throwable> failures = new CopyOnWriteArrayList<>();

    FakeDnsServer(Function<Request, List<byte[]>> behaviour) throws IOException {
        this(behaviour, new Limits());
    }

    FakeDnsServer(Function<Request, List<byte[]>> behaviour, Limits limits) throws IOException {
        this.limits = limits;
        this.behaviour = behaviour;
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        DatagramSocket datagrams = null;
        ServerSocket listening = null;
        BindException taken = null;
        for (int draw = 0; draw < 50 && datagrams == null; draw++) {
            listening = new ServerSocket(0, 50, loopback);
            try {
                datagrams = new DatagramSocket(new InetSocketAddress(loopback, listening.getLocalPort()));
            } catch (BindException e) {
                taken = e; // that number is in use for UDP: draw another
                listening.close();
            }
        }
        if (datagrams == null || listening == null) {
            throw new IOException("no port is free for both UDP and TCP", taken);
        }
        this.udp = datagrams;
        this.tcp = listening;
        start(this::serveUdp, "fake-dns-udp");
        if (limits.withoutTcp) {
            tcp.close();
        } else if (!limits.deafByTcp) {
            start(this::serveTcp, "fake-dns-tcp");
        }
    }

    /** How many came in by TCP. */
    int connections() {
        return connections.get();
    }

    Endpoint endpoint() {
        return new Endpoint("127.0.0.1", udp.getLocalPort());
    }

    /** The updates that came in, in their order. */
    List<Request> updates() {
        return requests.stream()
                .filter(request -> request.isUpdate() && !request.isProbe())
                .toList();
    }

    /** The queries that came in, in their order, without those of the warming-up. */
    List<Request> queries() {
        return requests.stream()
                .filter(request -> !request.isUpdate()
                        && !request.isProbe()
                        && request.message().getQuestion().getType() != Type.SOA)
                .toList();
    }

    private interface Loop {
        void run() throws IOException;
    }

    private void start(Loop loop, String name) {
        Thread thread = new Thread(
                () -> {
                    try {
                        loop.run();
                    } catch (SocketException e) {
                        if (!udp.isClosed()) {
                            failures.add(e);
                        }
                    } catch (IOException | RuntimeException e) {
                        failures.add(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private void serveUdp() throws IOException {
        byte[] buffer = new byte[65_535];
        while (true) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            udp.receive(packet);
            for (byte[] reply : handle(Arrays.copyOf(buffer, packet.getLength()), false)) {
                udp.send(new DatagramPacket(reply, reply.length, packet.getSocketAddress()));
            }
        }
    }

    private void serveTcp() throws IOException {
        while (true) {
            Socket socket = tcp.accept();
            connections.incrementAndGet();
            start(
                    () -> {
                        try (socket) {
                            DataInputStream in = new DataInputStream(socket.getInputStream());
                            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                            int high = in.read();
                            for (int i = 0; i < limits.messagesOfAConnection && high >= 0; i++) {
                                byte[] wire = new byte[high << 8 | in.readUnsignedByte()];
                                in.readFully(wire);
                                for (byte[] reply : handle(wire, true)) {
                                    out.writeShort(reply.length);
                                    out.write(reply);
                                }
                                high = in.read(); // the end where the client closes
                            }
                        }
                    },
                    "fake-dns-connection");
        }
    }

    private List<byte[]> handle(byte[] wire, boolean byTcp) throws IOException {
        Request request = new Request(new Message(wire), wire, byTcp);
        requests.add(request);
        return behaviour.apply(request);
    }

    /** Ends it, and fails where the server itself failed. */
    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
        if (!failures.isEmpty()) {
            throw new AssertionError("the fake server failed", failures.get(0));
        }
    }
}
