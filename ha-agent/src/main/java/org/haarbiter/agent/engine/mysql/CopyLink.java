package org.haarbiter.agent.engine.mysql;

import io.netty.handler.ssl.JdkSslContext;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.haarbiter.link.Tls;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A connection over which one agent sends another the data of its server, in frames of a letter, a length and that many bytes. Both
 * ends prove first that they know the replication account's password: whoever has it may read every change of the server as
 * it is. With TLS each end shows a certificate besides.
 */
final class CopyLink implements AutoCloseable {
    /** How many bytes there will be, about. */
    static final byte TOTAL = 'T';

    /** What was in the donor's binary log before the copy. */
    static final byte STATE = 'S';

    /** A piece of the copy. */
    static final byte DATA = 'D';

    /** Nothing new, but the donor is there. */
    static final byte ALIVE = 'A';

    /** The copy has failed, and why. The last frame. */
    static final byte FAILED = 'F';

    /** The copy is whole. The last frame. */
    static final byte WHOLE = 'W';

    /** The most that a frame may hold. */
    static final int LONGEST = 1 << 16;

    private static final byte[] GREETING = "HACOPY1\n".getBytes(StandardCharsets.US_ASCII);
    private static final String[] TLS = {"TLSv1.3"};
    private static final int NONCE_BYTES = 32;
    private static final int CONNECT_MILLIS = 5_000;
    private static final int GREETING_MILLIS = 10_000;

    /** The donor says that it is alive more often. */
    private static final int SILENCE_MILLIS = 20_000;

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    private CopyLink(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream());
        this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), LONGEST));
    }

    /**
     * Connects to a donor's agent and proves each to the other.
     *
     * @param server the donor's server, as its clients reach it; its agent is at the same host
     * @throws IOException where it can't be reached, or doesn't know the password
     */
    static CopyLink toDonor(Endpoint server, int port, String password, @Nullable Tls tls, boolean verifyHost)
            throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(server.host(), port), CONNECT_MILLIS);
            socket.setSoTimeout(GREETING_MILLIS);
            if (tls != null) {
                tls.look();
                SSLSocket secure = (SSLSocket) ((JdkSslContext) tls.client())
                        .context()
                        .getSocketFactory()
                        .createSocket(socket, server.host(), port, true);
                SSLParameters parameters = secure.getSSLParameters();
                if (verifyHost) {
                    parameters.setEndpointIdentificationAlgorithm("HTTPS");
                }
                parameters.setProtocols(TLS);
                secure.setSSLParameters(parameters);
                secure.startHandshake();
                socket = secure;
            }
            CopyLink link = new CopyLink(socket);
            byte[] mine = nonce();
            link.out.write(GREETING);
            link.out.write(mine);
            link.out.flush();
            byte[] theirs = link.greeted();
            link.out.write(proof(password, "recipient", server, mine, theirs));
            link.out.flush();
            link.check(proof(password, "donor", server, mine, theirs));
            socket.setSoTimeout(SILENCE_MILLIS);
            return link;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * The donor's end of the same.
     *
     * @param accepted closed where this throws
     * @param server its own server
     */
    static CopyLink toRecipient(Socket accepted, Endpoint server, String password, @Nullable Tls tls)
            throws IOException {
        try {
            accepted.setSoTimeout(GREETING_MILLIS);
            CopyLink link = new CopyLink(tls == null ? accepted : secured(accepted, tls));
            byte[] theirs = link.greeted();
            byte[] mine = nonce();
            link.out.write(GREETING);
            link.out.write(mine);
            link.out.flush();
            link.check(proof(password, "recipient", server, theirs, mine));
            link.out.write(proof(password, "donor", server, theirs, mine));
            link.out.flush();
            return link;
        } catch (IOException e) {
            accepted.close();
            throw e;
        }
    }

    private static Socket secured(Socket accepted, Tls tls) throws IOException {
        tls.look();
        SSLSocket secure = (SSLSocket) ((JdkSslContext) tls.server())
                .context()
                .getSocketFactory()
                .createSocket(accepted, accepted.getInetAddress().getHostAddress(), accepted.getPort(), true);
        secure.setUseClientMode(false);
        secure.setNeedClientAuth(true);
        secure.setEnabledProtocols(TLS);
        secure.startHandshake();
        return secure;
    }

    private byte[] greeted() throws IOException {
        byte[] greeting = new byte[GREETING.length];
        in.readFully(greeting);
        if (!Arrays.equals(greeting, GREETING)) {
            throw new IOException("the other end isn't an agent that makes copies (check copy-port and tls)");
        }
        byte[] nonce = new byte[NONCE_BYTES];
        in.readFully(nonce);
        return nonce;
    }

    private void check(byte[] expected) throws IOException {
        byte[] given = new byte[expected.length];
        in.readFully(given);
        if (!MessageDigest.isEqual(given, expected)) {
            throw new IOException("the other agent doesn't know the replication account's password, or is another"
                    + " server's: all members of a group need the same replication-credentials-file");
        }
    }

    private static byte[] nonce() {
        byte[] nonce = new byte[NONCE_BYTES];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    private static byte[] proof(String password, String who, Endpoint server, byte[] recipient, byte[] donor) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(
                    new SecretKeySpec(("ha-arbiter copy\0" + password).getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            mac.update((who + "\0" + server + "\0").getBytes(StandardCharsets.UTF_8));
            mac.update(recipient);
            return mac.doFinal(donor);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HmacSHA256", e);
        }
    }

    /** Sends a frame. Any thread. */
    synchronized void send(byte kind, byte[] payload, int length) throws IOException {
        out.writeByte(kind);
        out.writeInt(length);
        out.write(payload, 0, length);
        out.flush();
    }

    void send(byte kind, String text) throws IOException {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        send(kind, payload, Math.min(payload.length, LONGEST));
    }

    /** What was received. */
    record Frame(byte kind, int length) {}

    /**
     * The next frame.
     *
     * @param payload filled with its bytes; at least {@link #LONGEST}
     */
    Frame receive(byte[] payload) throws IOException {
        byte kind = in.readByte();
        int length = in.readInt();
        if (length < 0 || length > LONGEST) {
            throw new IOException("a frame of " + length + " bytes (must be at most " + LONGEST + ")");
        }
        in.readFully(payload, 0, length);
        return new Frame(kind, length);
    }

    static String text(byte[] payload, Frame frame) {
        return new String(payload, 0, frame.length(), StandardCharsets.UTF_8);
    }

    /** Ends it from any thread: whoever waits gets an IOException. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
