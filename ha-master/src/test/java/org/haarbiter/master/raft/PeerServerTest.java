package org.haarbiter.master.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A stranger on the masters' port. */
class PeerServerTest {
    private static final int READ_LIMIT_MILLIS = 10_000;

    private final AtomicInteger pings = new AtomicInteger();
    private Endpoint address = new Endpoint("127.0.0.1", 1);
    private PeerTransport transport = new PeerTransport(RaftSettings.of("test", address, List.of(), Path.of("unused")));

    /** Counts how often it is read back from bytes. */
    static final class Trap implements Serializable {
        private static final long serialVersionUID = 1L;
        static final AtomicInteger SPRUNG = new AtomicInteger();

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            SPRUNG.incrementAndGet();
        }
    }

    private final class Pings implements RpcProcessor<RpcRequests.PingRequest> {
        @Override
        public void handleRequest(RpcContext context, RpcRequests.PingRequest request) {
            pings.incrementAndGet();
            context.sendResponse(RpcRequests.ErrorResponse.newBuilder()
                    .setErrorCode(0)
                    .setErrorMsg("pong")
                    .build());
        }

        @Override
        public String interest() {
            return RpcRequests.PingRequest.class.getName();
        }

        @Override
        public Executor executor() {
            return Runnable::run;
        }
    }

    @BeforeEach
    void listen() throws Exception {
        RaftCluster.quiet();
        transport.close();
        address = RaftCluster.freeAddress();
        transport = new PeerTransport(RaftSettings.of("test", address, List.of(), Path.of("unused")));
        transport.server().registerProcessor(new Pings());
        transport.server().bind();
        Trap.SPRUNG.set(0);
    }

    @AfterEach
    void close() {
        transport.close();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getByName(address.host()), address.port());
        socket.setSoTimeout(READ_LIMIT_MILLIS);
        return socket;
    }

    private static void greet(DataOutputStream out, String text) throws IOException {
        out.writeInt(text.length());
        out.write(text.getBytes(UTF_8));
    }

    private static void frame(DataOutputStream out, int kind, byte[] body) throws IOException {
        out.writeInt(Frame.HEAD_BYTES + body.length);
        out.writeByte(kind);
        out.writeLong(7);
        out.write(body);
    }

    private static byte[] ping() {
        return RpcRequests.PingRequest.newBuilder().setSendTimestamp(1).build().toByteArray();
    }

    private static byte[] trap() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new Trap());
        }
        return bytes.toByteArray();
    }

    private interface Speech {
        void to(DataOutputStream out) throws IOException;
    }

    /** Says this and expects to be disconnected without an answer. */
    private void disconnected(Speech speech) throws IOException {
        try (Socket socket = connect()) {
            speech.to(new DataOutputStream(socket.getOutputStream()));
            int answer;
            try {
                answer = socket.getInputStream().read();
            } catch (SocketException reset) {
                answer = -1;
            }
            assertThat(answer).isEqualTo(-1);
        }
        assertThat(Trap.SPRUNG).hasValue(0);
        assertThat(pings).hasValue(0);
    }

    @Test
    void aGreetedPeerIsAnswered() throws IOException {
        try (Socket socket = connect()) {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            greet(out, "HARAFT1 ha-test");
            frame(out, 1, ping());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readInt() - Frame.HEAD_BYTES];
            assertThat(in.readByte()).isEqualTo((byte) PeerMessage.ERROR_ANSWER.number());
            assertThat(in.readLong()).isEqualTo(7);
            in.readFully(answer);
            assertThat(RpcRequests.ErrorResponse.parseFrom(answer).getErrorMsg())
                    .isEqualTo("pong");
        }
        assertThat(pings).hasValue(1);
    }

    @Test
    void withoutAGreetingNothingIsTaken() throws IOException {
        disconnected(out -> frame(out, 1, ping()));
    }

    @Test
    void anotherClusterIsRefused() throws IOException {
        disconnected(out -> {
            greet(out, "HARAFT1 ha-other");
            frame(out, 1, ping());
        });
    }

    @Test
    void aSilentConnectionIsClosed() throws IOException {
        disconnected(out -> {});
    }

    @Test
    void serialisedObjectsAreNotRead() throws IOException {
        disconnected(out -> out.write(trap()));
        disconnected(out -> {
            greet(out, "HARAFT1 ha-test");
            out.write(trap());
        });
        for (PeerMessage kind : PeerMessage.values()) {
            disconnected(out -> {
                greet(out, "HARAFT1 ha-test");
                frame(out, kind.number(), trap());
            });
        }
    }

    @Test
    void aFrameOfTheLibrarysOwnTransportIsRefused() throws IOException {
        // Protocol 1, request, command 1, version 1, request 1, codec hessian, 3000 ms, then lengths and a class name.
        byte[] head = {1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 11, (byte) 184, 0, 16, 0, 0, 0, 0, 0, 4};
        disconnected(out -> {
            out.write(head);
            out.write("java.lang.String".getBytes(UTF_8));
        });
    }

    @Test
    void unknownKindsAndAnswersAreRefused() throws IOException {
        for (int kind : new int[] {0, 8, 64, 65, 67, 71, 72, 127, 128, 255}) {
            disconnected(out -> {
                greet(out, "HARAFT1 ha-test");
                frame(out, kind, ping());
            });
        }
    }

    @Test
    void aKnownKindThatNobodyHandlesIsRefused() throws IOException {
        Message vote = RpcRequests.TimeoutNowRequest.newBuilder()
                .setGroupId("ha-test")
                .setServerId("a:1")
                .setPeerId("b:1")
                .setTerm(9)
                .build();
        disconnected(out -> {
            greet(out, "HARAFT1 ha-test");
            frame(out, PeerMessage.TIMEOUT_NOW.number(), vote.toByteArray());
        });
    }

    @Test
    void anImpossibleLengthIsRefusedBeforeItsBytesCome() throws IOException {
        for (int length : new int[] {Integer.MAX_VALUE, Frame.MOST_BYTES + 1, Frame.HEAD_BYTES - 1, 0, -1}) {
            disconnected(out -> {
                greet(out, "HARAFT1 ha-test");
                out.writeInt(length); // and not one byte more
            });
        }
        disconnected(out -> out.writeInt(129)); // more than a greeting may have
    }

    @Test
    void tooManyConnectionsAreRefused() throws IOException {
        int open = 0;
        List<Socket> sockets = new java.util.ArrayList<>();
        try {
            for (int i = 0; i < 80; i++) {
                Socket socket = connect();
                sockets.add(socket);
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                try {
                    greet(out, "HARAFT1 ha-test");
                    frame(out, 1, ping());
                    if (new DataInputStream(socket.getInputStream()).readInt() > 0) {
                        open++;
                    }
                } catch (EOFException | SocketException refused) {
                    assertThat(open).isEqualTo(16);
                }
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        assertThat(open).isEqualTo(16);
    }
}
