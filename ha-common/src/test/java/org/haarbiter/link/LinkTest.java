package org.haarbiter.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.haarbiter.link.Heard.HOST;
import static org.haarbiter.link.Heard.QUICK;
import static org.haarbiter.link.Heard.answer;
import static org.haarbiter.link.Heard.await;
import static org.haarbiter.link.Heard.heartbeat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.settings.Timing;
import org.haarbiter.time.Ticker;
import org.haarbiter.wire.LinkWriter;
import org.haarbiter.wire.WireLimits;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinkTest {
    private final Heard master = new Heard();
    private final Heard agent = new Heard();
    private final LinkLoop loop = new LinkLoop();
    private Endpoint endpoint = new Endpoint(HOST, 1);

    @BeforeEach
    void choosePort() throws IOException {
        endpoint = FreeEndpoint.at(HOST);
    }

    @AfterEach
    void endThreads() {
        loop.close();
    }

    private LinkServer server(LinkSettings settings) throws IOException {
        LinkServer server = new LinkServer(endpoint, null, settings, 1, Ticker.SYSTEM, master);
        server.start();
        return server;
    }

    private LinkClient client() {
        LinkClient client =
                new LinkClient(endpoint, "master", null, PeerCheck.ANYBODY, QUICK, loop, Ticker.SYSTEM, agent);
        client.start();
        return client;
    }

    @Test
    void heartbeatsAndAnswersArriveAsTheyWereSent() throws Exception {
        try (LinkServer server = server(QUICK);
                LinkClient client = client()) {
            client.send(heartbeat(1, "all is well"));
            await("the heartbeat is heard", () -> !master.heartbeats.isEmpty());
            assertThat(master.heartbeats).containsExactly(heartbeat(1, "all is well"));
            connection().send(answer(1, "go on"));
            await("the answer is heard", () -> !agent.answers.isEmpty());
            assertThat(agent.answers).containsExactly(answer(1, "go on"));
            assertThat(client.connected()).isTrue();
            assertThat(client.failure()).isNull();
            assertThat(server.connections()).isEqualTo(1);
            assertThat(connection().remote().host()).startsWith("127.");
        }
    }

    @Test
    void aHeartbeatToAllMastersArrivesAtEachAsItWasSent() throws Exception {
        try (LinkServer server = server(QUICK);
                LinkClient first = client();
                LinkClient second = client()) {
            await("both connect", () -> first.connected() && second.connected());
            LinkClient.sendToAll(List.of(first, second), heartbeat(1, "all is well"));
            await("both are heard", () -> master.heartbeats.size() == 2);
            assertThat(master.heartbeats).containsExactly(heartbeat(1, "all is well"), heartbeat(1, "all is well"));
            assertThat(server.connections()).isEqualTo(2);
        }
    }

    @Test
    void theLinkComesBackAfterTheMasterWasRestartedAndSendsTheNewestHeartbeatFirst() throws Exception {
        try (LinkClient client = client()) {
            await("the failure is told", () -> client.failure() != null);
            assertThat(client.failure())
                    .startsWith("link to master " + endpoint + ": ")
                    .contains("refused");
            client.send(heartbeat(1, ""));
            client.send(heartbeat(2, ""));
            try (LinkServer server = server(QUICK)) {
                await("it connects", () -> client.connected() && master.newestHeartbeat() == 2);
                assertThat(server.connections()).isEqualTo(1);
            }
            assertThat(master.heartbeats).hasSize(1);
            await("the end is noticed", () -> !client.connected() && client.failure() != null);
            try (LinkServer again = server(QUICK)) {
                await("it connects again", client::connected);
                client.send(heartbeat(3, ""));
                await("it is heard", () -> master.newestHeartbeat() == 3);
                assertThat(again.connections()).isEqualTo(1);
            }
            await("the second end is noticed", () -> agent.events.size() == 4);
            assertThat(agent.events.stream().map(event -> event.replaceAll(":.*", "")))
                    .containsExactly("connected", "disconnected", "connected", "disconnected");
        }
    }

    @Test
    void aServerThatWasClosedHasFreedItsPortWhoeverConnectsMeanwhile() throws Exception {
        try (LinkClient first = client();
                LinkClient second = client()) {
            for (int i = 0; i < 100; i++) {
                try (LinkServer server = server(QUICK)) {
                    assertThat(server.connections()).isGreaterThanOrEqualTo(0);
                }
            }
            try (LinkServer server = server(QUICK)) {
                // A client that hasn't noticed the end of the server before still says that it is connected.
                await("both connect", () -> first.connected() && second.connected() && server.connections() == 2);
                assertThat(server.connections()).isEqualTo(2);
            }
        }
    }

    @Test
    void anOldHeartbeatIsNotHeardAsIfItWereNew() throws Exception {
        try (LinkClient client = client()) {
            client.send(heartbeat(1, ""));
            long sent = System.nanoTime();
            await(
                    "it is older than dead-millis",
                    () -> System.nanoTime() - sent > TimeUnit.MILLISECONDS.toNanos(QUICK.deadMillis() + 1L));
            try (LinkServer server = server(QUICK)) {
                await("it connects", client::connected);
                client.send(heartbeat(2, ""));
                await("the new one is heard", () -> master.newestHeartbeat() == 2);
                assertThat(master.heartbeats).hasSize(1);
                assertThat(server.connections()).isEqualTo(1);
            }
        }
    }

    @Test
    void anAgentThatReadsSlowlyGetsTheNewestAnswerAndFillsNoMemory() throws Exception {
        int answers = 20_000;
        String reason = "x".repeat(1000);
        try (LinkServer server = server(QUICK);
                Socket slow = new Socket()) {
            slow.setReceiveBufferSize(16 << 10);
            slow.connect(new InetSocketAddress(endpoint.host(), endpoint.port()));
            await("it is connected", () -> master.agent != null);
            slow.setSoTimeout(15_000);
            connection().send(answer(1, reason));
            int frames = readUntil(slow.getInputStream(), LinkWriter.frame(answer(1, reason)));
            for (int i = 2; i <= answers; i++) {
                connection().send(answer(i, reason));
            }
            frames += readUntil(slow.getInputStream(), LinkWriter.frame(answer(answers, reason)));
            assertThat(frames).isBetween(2, answers / 10);
            assertThat(server.connections()).isEqualTo(1);
        }
    }

    @Test
    void aMasterThatReadsNothingGetsNoMoreThanTheKernelHolds() throws Exception {
        try (ServerSocket silent = new ServerSocket()) {
            silent.setReceiveBufferSize(16 << 10);
            silent.bind(new InetSocketAddress(endpoint.host(), endpoint.port()));
            LinkSettings patient = new LinkSettings(1000, 60_000, 1000, 60_000, 10, 10, 1_000, 1_000);
            try (LinkClient client =
                    new LinkClient(endpoint, "master", null, PeerCheck.ANYBODY, patient, loop, Ticker.SYSTEM, agent)) {
                client.start();
                try (Socket accepted = silent.accept()) {
                    String detail = "x".repeat(1000);
                    accepted.setSoTimeout(15_000);
                    client.send(heartbeat(1, detail));
                    int frames = readUntil(accepted.getInputStream(), LinkWriter.frame(heartbeat(1, detail)));
                    for (int i = 2; i <= 20_000; i++) {
                        client.send(heartbeat(i, detail));
                    }
                    frames += readUntil(accepted.getInputStream(), LinkWriter.frame(heartbeat(20_000, detail)));
                    assertThat(frames).isBetween(2, 2000);
                }
            }
        }
    }

    @Test
    void aMasterThatAcceptsAndNeverAnswersIsNeverConnectedAndTriedAgain() throws Exception {
        try (ServerSocket silent = new ServerSocket(endpoint.port(), 50, InetAddress.getByName(HOST));
                LinkClient client = client();
                Socket first = silent.accept()) {
            assertThat(first.isConnected()).isTrue();
            try (Socket second = silent.accept()) {
                assertThat(second.isConnected()).isTrue();
                assertThat(client.connected()).isFalse();
                assertThat(client.failure()).contains("nothing heard from it for 300 ms");
                assertThat(agent.events).isEmpty();
            }
        }
    }

    @Test
    void aMasterWhoseHostVanishesIsNoticedWithinDeadMillis() throws Exception {
        Endpoint behind = endpoint;
        try (LinkServer server = server(QUICK);
                CuttableRelay relay = new CuttableRelay(behind)) {
            endpoint = relay.endpoint();
            try (LinkClient client = client()) {
                await("it connects", client::connected);
                assertThat(server.connections()).isEqualTo(1);
                long cut = System.nanoTime();
                relay.cut();
                await("it is noticed", () -> !client.connected());
                long noticedMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - cut);
                assertThat(noticedMillis).isBetween(QUICK.deadMillis() - 2L * QUICK.pingMillis(), 5000L);
                await("it is told", () -> agent.events.size() == 2);
                assertThat(agent.events).containsExactly("connected", "disconnected: nothing heard from it for 300 ms");
                System.out.println("half-open noticed after " + noticedMillis + " ms (dead-millis 300)");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"oversized", "endless length", "http", "not protobuf", "empty", "an answer", "bad heartbeat"})
    void whatIsNoFrameOfAnAgentEndsTheConnectionOnly(String what) throws Exception {
        byte[] bytes = switch (what) {
            case "oversized" -> lengthOf(WireLimits.FRAME_BYTES + 1);
            case "endless length" -> new byte[] {-1, -1, -1, -1, 1};
            case "http" -> "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(10).getBytes(StandardCharsets.UTF_8);
            case "not protobuf" -> new byte[] {2, 15, 15};
            case "empty" -> new byte[] {0};
            case "an answer" -> delimited(LinkWriter.frame(answer(1, "")));
            case "bad heartbeat" ->
                delimited(LinkWriter.frame(heartbeat(1, "")).toBuilder()
                        .setHeartbeat(LinkWriter.frame(heartbeat(1, "")).getHeartbeat().toBuilder()
                                .clearSighting())
                        .build());
            default -> throw new IllegalArgumentException(what);
        };
        try (LinkServer server = server(QUICK);
                LinkClient good = client()) {
            await("the good agent is connected", good::connected);
            try (Socket bad = new Socket(endpoint.host(), endpoint.port())) {
                bad.setSoTimeout(15_000);
                bad.getOutputStream().write(bytes);
                assertThat(endOf(bad)).isEqualTo("closed");
            }
            await("one is left", () -> server.connections() == 1);
            good.send(heartbeat(5, ""));
            await("the good agent is still heard", () -> master.newestHeartbeat() == 5);
            assertThat(master.heartbeats).hasSize(1);
            assertThat(agent.events).containsExactly("connected");
        }
    }

    @Test
    void aFrameMayComeByteByByte() throws Exception {
        try (LinkServer server = server(QUICK);
                Socket socket = new Socket(endpoint.host(), endpoint.port())) {
            socket.setTcpNoDelay(true);
            for (byte one : delimited(LinkWriter.frame(heartbeat(9, "x".repeat(300))))) {
                socket.getOutputStream().write(one);
            }
            await("it is heard", () -> master.newestHeartbeat() == 9);
            assertThat(server.connections()).isEqualTo(1);
        }
    }

    @Test
    void aConnectionWithoutHeartbeatsIsClosed() throws Exception {
        try (LinkServer server = server(new LinkSettings(50, 300, 1000, 200, 10, 10, 1_000, 1_000));
                Socket idle = new Socket(endpoint.host(), endpoint.port())) {
            idle.setSoTimeout(15_000);
            assertThat(endOf(idle)).isEqualTo("closed");
            await("it is gone", () -> server.connections() == 0);
            await("it is told", () -> master.events.equals(List.of("connected", "disconnected")));
        }
    }

    @Test
    void oneAgentTooManyIsTurnedAwayAndMayComeLater() throws Exception {
        try (LinkServer server = server(new LinkSettings(50, 300, 1000, 60_000, 10, 1, 1_000, 1_000));
                Socket first = new Socket(endpoint.host(), endpoint.port())) {
            await("the first is connected", () -> server.connections() == 1);
            try (Socket second = new Socket(endpoint.host(), endpoint.port())) {
                second.setSoTimeout(15_000);
                assertThat(endOf(second)).isEqualTo("closed");
            }
            assertThat(server.connections()).isEqualTo(1);
            first.shutdownOutput();
            await("the first has left", () -> server.connections() == 0);
            try (LinkClient later = client()) {
                await("another may come", later::connected);
            }
        }
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        try (LinkServer server = server(QUICK);
                LinkServer second = new LinkServer(endpoint, null, QUICK, 1, Ticker.SYSTEM, master)) {
            assertThat(server.connections()).isZero();
            assertThatThrownBy(second::start)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("link: can't listen on " + endpoint + ": ")
                    .hasMessageContaining("in use");
        }
    }

    @Test
    void sendingAfterTheEndIsHarmless() throws Exception {
        LinkClient client;
        try (LinkServer server = server(QUICK)) {
            client = client();
            await("it connects", client::connected);
            assertThat(server.connections()).isEqualTo(1);
        }
        connection().send(answer(1, ""));
        client.close();
        loop.close();
        client.send(heartbeat(1, ""));
        assertThat(agent.answers).isEmpty();
    }

    @Test
    void theLimitsFollowTheTiming() {
        Timing fast = Timing.Profile.FAST.timing();
        assertThat(LinkSettings.of(fast))
                .isEqualTo(new LinkSettings(333, 1000, 1500, 10_000, 10_000, 2_000, 100, 1_000));
    }

    @Test
    void latencyIsPrinted() throws Exception {
        try (LinkServer server = server(QUICK);
                LinkClient client = client()) {
            await("it connects", client::connected);
            assertThat(server.connections()).isEqualTo(1);
            int rounds = 3000;
            long[] heartbeatNanos = new long[rounds];
            long[] roundTripNanos = new long[rounds];
            for (int i = 0; i < rounds; i++) {
                long sequence = i + 1L;
                long sent = System.nanoTime();
                client.send(heartbeat(sequence, ""));
                spinUntil(() -> master.newestHeartbeat() == sequence);
                heartbeatNanos[i] = System.nanoTime() - sent;
                connection().send(answer(sequence, ""));
                spinUntil(() -> agent.newestAnswer() == sequence);
                roundTripNanos[i] = System.nanoTime() - sent;
            }
            assertThat(master.heartbeats).hasSize(rounds);
            System.out.println("heartbeat send -> heard: " + percentiles(heartbeatNanos));
            System.out.println("heartbeat send -> answer heard: " + percentiles(roundTripNanos));
        }
    }

    private static void spinUntil(java.util.function.BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(15));
            Thread.onSpinWait();
        }
    }

    private static String percentiles(long[] nanos) {
        Arrays.sort(nanos);
        return "p50 " + nanos[nanos.length / 2] / 1000 + " us, p99 " + nanos[nanos.length * 99 / 100] / 1000 + " us";
    }

    private AgentConnection connection() {
        return java.util.Objects.requireNonNull(master.agent);
    }

    private static byte[] lengthOf(int length) {
        return new byte[] {(byte) (length | 0x80), (byte) (length >> 7 | 0x80), (byte) (length >> 14)};
    }

    private static byte[] delimited(org.haarbiter.wire.LinkFrame frame) throws IOException {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        frame.writeDelimitedTo(out);
        return out.toByteArray();
    }

    /** Reads until the other end closes; a timeout says that it didn't. */
    private static String endOf(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() < 0 ? "closed" : "answered";
        } catch (java.net.SocketTimeoutException e) {
            return "still open";
        } catch (IOException e) {
            // What the server hadn't read when it closed makes the kernel say so with a reset.
            return "closed";
        }
    }

    private static int readUntil(InputStream in, org.haarbiter.wire.LinkFrame last) throws IOException {
        for (int frames = 1; ; frames++) {
            var frame = org.haarbiter.wire.LinkFrame.parseDelimitedFrom(in);
            if (frame == null) {
                throw new IOException("closed after " + frames + " frames, before the newest came");
            }
            if (frame.equals(last)) {
                return frames;
            }
        }
    }
}
