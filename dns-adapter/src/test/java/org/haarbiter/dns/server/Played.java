package org.haarbiter.dns.server;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

/** A zone, settings and a client on loopback for the tests of the server. */
final class Played {

    static final String ZONE = "db.test.";
    static final String SECRET = "aGEtYXJiaXRlciB0ZXN0cyBvbmx5LCBubyByZWFsIGtleSE=";
    static final StartOfAuthority AUTHORITY = new StartOfAuthority("ns1", "hostmaster", 60, 5, 86_400, 1, 30);
    private static final int LIMIT_MILLIS = 10_000;

    private Played() {}

    static RecordSet a(int ttlSeconds, String... addresses) {
        return new RecordSet(RecordType.A, ttlSeconds, hosts(addresses));
    }

    static List<RecordData> hosts(String... addresses) {
        return Arrays.stream(addresses).<RecordData>map(RecordData.Host::new).toList();
    }

    /** A zone with something of everything. */
    static ZoneContents zone(long serial) {
        return ZoneContents.of(ZONE, serial, AUTHORITY, List.of("ns1", "ns2.example."))
                .put("ns1", a(30, "127.0.0.1"))
                .put("orders-rw", a(1, "10.0.0.1"))
                .put("orders-ro", a(1, "10.0.0.2", "10.0.0.3", "10.0.0.4"))
                .put("six", new RecordSet(RecordType.AAAA, 1, hosts("fd00::1", "fd00::2")))
                .put(
                        "_mysql._tcp.orders",
                        new RecordSet(RecordType.SRV, 5, List.of(new RecordData.Service(1, 2, 3306, "orders-rw"))))
                .put(
                        "text",
                        List.of(
                                new RecordSet(RecordType.TXT, 7, List.of(new RecordData.Text(List.of("one", "two")))),
                                a(3, "10.0.0.9")))
                .put("alias", alias("orders-rw"))
                .put("twice", alias("alias"))
                .put("outside", alias("www.example.org."))
                .put("nowhere", alias("missing"))
                .put("loop-a", alias("loop-b"))
                .put("loop-b", alias("loop-a"))
                .put("*.wild", a(1, "10.0.0.77"))
                .put("deep.under.wild", a(1, "10.0.0.78"))
                .build();
    }

    /** Addresses for everybody, for the north and for the south. */
    static RecordSet regional(String usual, String north, String south) {
        TreeMap<String, List<RecordData>> byRegion = new TreeMap<>();
        byRegion.put("north", hosts(north));
        byRegion.put("south", hosts(south));
        return new RecordSet(RecordType.A, 1, hosts(usual), byRegion);
    }

    static RecordSet alias(String target) {
        return new RecordSet(RecordType.CNAME, 1, List.of(new RecordData.Alias(target)));
    }

    static Endpoint freeEndpoint() {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        IOException taken = null;
        for (int draw = 0; draw < 50; draw++) {
            try (ServerSocket tcp = new ServerSocket(0, 1, loopback);
                    DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, tcp.getLocalPort()))) {
                return new Endpoint("127.0.0.1", udp.getLocalPort());
            } catch (IOException e) {
                taken = e; // in use for one of the two: draw another
            }
        }
        throw new IllegalStateException("no port is free for both UDP and TCP", taken);
    }

    static DnsServerSettings settings(Endpoint listen) {
        return settings(
                listen, DnsServerSettings.Zone.closed(), new DnsServerSettings.RateLimit(0, 0, List.of()), null);
    }

    static DnsServerSettings settings(
            Endpoint listen,
            DnsServerSettings.Zone zone,
            DnsServerSettings.RateLimit limit,
            @Nullable Path regionsFile) {
        return new DnsServerSettings(
                List.of(listen),
                1,
                "m1.test",
                new TreeMap<>(Map.of(ZONE, zone, "other.test", DnsServerSettings.Zone.closed())),
                new TreeMap<>(Map.of(
                        "k1", new SigningKey("k1", "hmac-sha256", SECRET),
                        "k2", new SigningKey("k2", "hmac-sha512", SECRET))),
                limit,
                100,
                20,
                600_000,
                "000102030405060708090a0b0c0d0e0f",
                regionsFile == null ? List.of() : List.of("north", "south"),
                regionsFile,
                DnsServerSettings.EVERYBODY);
    }

    static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(Name.fromConstantString(name), type, DClass.IN));
    }

    /** The response by UDP, as dnsjava reads it. */
    static Message ask(Endpoint server, Message query) throws IOException {
        byte[] response = askUdp(server, query.toWire());
        if (response == null) {
            throw new AssertionError("no response to " + query);
        }
        return new Message(response);
    }

    static Message ask(Endpoint server, String name, int type) throws IOException {
        return ask(server, query(name, type));
    }

    /** The response by UDP; null where none comes before the response to another query that is sent after it. */
    static byte @Nullable [] askUdp(Endpoint server, byte[] query) throws IOException {
        byte[] marker = query("marker." + ZONE, org.xbill.DNS.Type.A).toWire();
        marker[0] = (byte) (query.length > 0 ? ~query[0] : 0x55);
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            socket.connect(InetAddress.getByName(server.host()), server.port());
            socket.setSoTimeout(LIMIT_MILLIS);
            socket.send(new DatagramPacket(query, query.length));
            socket.send(new DatagramPacket(marker, marker.length));
            byte[] found = null;
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            while (true) {
                socket.receive(packet);
                byte[] response = Arrays.copyOf(packet.getData(), packet.getLength());
                if (response.length > 1 && response[0] == marker[0] && response[1] == marker[1]) {
                    if (found != null) {
                        return found;
                    }
                    // What goes the long way comes later.
                    return query.length > 12 && needsLongWay(query) ? receive(socket, packet) : null;
                }
                found = response;
            }
        }
    }

    private static byte @Nullable [] receive(DatagramSocket socket, DatagramPacket packet) throws IOException {
        try {
            socket.receive(packet);
            return Arrays.copyOf(packet.getData(), packet.getLength());
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    private static boolean needsLongWay(byte[] query) {
        try {
            Message message = new Message(query);
            Record question = message.getQuestion();
            int type = question == null ? 0 : question.getType();
            return message.getTSIG() != null || type == Wire.TYPE_AXFR || type == Wire.TYPE_IXFR;
        } catch (IOException e) {
            return false;
        }
    }

    /** The response by TCP, in its bytes. */
    static byte[] askTcp(Endpoint server, byte[] query) throws IOException {
        try (Socket socket = connect(server)) {
            send(socket, query);
            return receive(socket);
        }
    }

    static Socket connect(Endpoint server) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(server.host(), server.port()), LIMIT_MILLIS);
        socket.setSoTimeout(LIMIT_MILLIS);
        return socket;
    }

    static void send(Socket socket, byte[] query) throws IOException {
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        byte[] framed = new byte[2 + query.length];
        framed[0] = (byte) (query.length >>> 8);
        framed[1] = (byte) query.length;
        System.arraycopy(query, 0, framed, 2, query.length);
        out.write(framed);
    }

    static byte[] receive(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] response = new byte[in.readUnsignedShort()];
        in.readFully(response);
        return response;
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited 30 s in vain until " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }
}
