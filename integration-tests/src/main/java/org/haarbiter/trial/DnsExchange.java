package org.haarbiter.trial;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** One packet there and one back, as bytes. No state; any thread. */
final class DnsExchange {

    private static final int LIMIT_MILLIS = 3_000;
    /** Where no answer is right, this long is waited for one. */
    private static final int SILENCE_MILLIS = 300;

    private DnsExchange() {}

    /** The response by UDP; null where none comes within 3 s. */
    static byte @Nullable [] udp(Endpoint server, byte[] query) throws IOException {
        return udp(server, query, LIMIT_MILLIS);
    }

    /** True where nothing comes back. */
    static boolean silent(Endpoint server, byte[] packet) throws IOException {
        return udp(server, packet, SILENCE_MILLIS) == null;
    }

    private static byte @Nullable [] udp(Endpoint server, byte[] query, int millis) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(InetAddress.getByName(server.host()), server.port());
            socket.setSoTimeout(millis);
            socket.send(new DatagramPacket(query, query.length));
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(packet);
            return Arrays.copyOf(packet.getData(), packet.getLength());
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    static Socket connect(Endpoint server) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(server.host(), server.port()), LIMIT_MILLIS);
        socket.setSoTimeout(LIMIT_MILLIS);
        socket.setTcpNoDelay(true);
        return socket;
    }

    /** The query with its length in front. */
    static byte[] framed(byte[] query) {
        byte[] framed = new byte[2 + query.length];
        framed[0] = (byte) (query.length >>> 8);
        framed[1] = (byte) query.length;
        System.arraycopy(query, 0, framed, 2, query.length);
        return framed;
    }

    /** The next response on a connection. */
    static byte[] receive(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] response = new byte[in.readUnsignedShort()];
        in.readFully(response);
        return response;
    }

    /** The response by TCP. */
    static byte[] tcp(Endpoint server, byte[] query) throws IOException {
        try (Socket socket = connect(server)) {
            socket.getOutputStream().write(framed(query));
            return receive(socket);
        }
    }
}
