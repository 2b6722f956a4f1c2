package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("servers")
class NetworkLabIT {

    private static final int PORT = 24_700;
    private static final int PACKETS = 200;

    @BeforeEach
    void namespacesCanBeMade() {
        Assumptions.assumeTrue(
                NetworkLab.missing().isEmpty(), () -> NetworkLab.missing().orElse(""));
    }

    @Test
    void aCutDropsTrafficAndHealingLetsItPass() throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("a", "b", "c"))) {
            NetworkLab.Node a = lab.host("a");
            NetworkLab.Node b = lab.host("b");
            NetworkLab.Node c = lab.host("c");
            ExecutorService threads = Executors.newCachedThreadPool(a.threads("answers"));
            try (ServerSocket server = listen(a)) {
                threads.execute(() -> answer(server));

                assertThat(ask(b, a)).isEqualTo(42);
                lab.cut(a);
                assertThatThrownBy(() -> ask(b, a)).isInstanceOf(SocketTimeoutException.class);
                lab.heal(a);
                assertThat(ask(b, a)).isEqualTo(42);

                lab.cut(a, b);
                assertThatThrownBy(() -> ask(b, a)).isInstanceOf(SocketTimeoutException.class);
                assertThat(ask(c, a)).isEqualTo(42);
                lab.heal(b);
                assertThat(ask(b, a)).isEqualTo(42);

                lab.cutFrom(b);
                assertThatThrownBy(() -> ask(b, a)).isInstanceOf(SocketTimeoutException.class);
                lab.healAll();
                assertThat(ask(b, a)).isEqualTo(42);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void sidesThatArePartedEachHearTheirOwn() throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("a", "b", "c"))) {
            NetworkLab.Node a = lab.host("a");
            NetworkLab.Node b = lab.host("b");
            NetworkLab.Node c = lab.host("c");
            ExecutorService threads = Executors.newCachedThreadPool(a.threads("answers"));
            try (ServerSocket server = listen(a)) {
                threads.execute(() -> answer(server));

                lab.part(List.of(a, b), List.of(c));
                assertThat(ask(b, a)).isEqualTo(42);
                assertThatThrownBy(() -> ask(c, a)).isInstanceOf(SocketTimeoutException.class);
                lab.healAll();
                assertThat(ask(c, a)).isEqualTo(42);
                lab.partOneWay(List.of(a), List.of(c));
                assertThat(ask(b, a)).isEqualTo(42);
                assertThatThrownBy(() -> ask(c, a)).isInstanceOf(SocketTimeoutException.class);
                lab.heal(c);
                assertThat(ask(c, a)).isEqualTo(42);
                assertThatThrownBy(() -> lab.part(List.of(a, b), List.of(b)))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("both sides");
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void aLossySendersPacketsAreLostByChanceAndHealingEndsIt() throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("a", "b"))) {
            NetworkLab.Node a = lab.host("a");
            try (DatagramSocket receiver = a.call(() -> new DatagramSocket(PORT, InetAddress.getByName(a.address())))) {
                // Before the loss, since a lost question for the host's link address would cost everything that waits
                // for it.
                assertThat(arrived(lab.host("b"), a, receiver)).isEqualTo(PACKETS);
                lab.lose(a, 50);
                assertThat(arrived(lab.host("b"), a, receiver)).isBetween(PACKETS / 4, 3 * PACKETS / 4);
                lab.heal(a);
                assertThat(arrived(lab.host("b"), a, receiver)).isEqualTo(PACKETS);
            }
        }
    }

    @Test
    void aDelayedHostAnswersLateAndWhole() throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("a", "b"))) {
            NetworkLab.Node a = lab.host("a");
            NetworkLab.Node b = lab.host("b");
            ExecutorService threads = Executors.newCachedThreadPool(a.threads("answers"));
            try (ServerSocket server = listen(a)) {
                byte[] much = new byte[3_000_000];
                new Random(1).nextBytes(much);
                threads.execute(() -> send(server, much));

                lab.delay(a, Duration.ofMillis(60), Duration.ofMillis(20));
                long began = System.nanoTime();
                assertThat(read(b, a)).isEqualTo(much);
                // The connect goes there and back, then the data comes: four ways at the least of 40 ms each.
                assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(120));
                assertThatThrownBy(() -> lab.cut(a))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("is delayed");

                lab.heal(a);
                began = System.nanoTime();
                assertThat(read(b, a)).isEqualTo(much);
                System.out.printf("3 MB undelayed: %.1f ms%n", (System.nanoTime() - began) / 1e6);
                lab.cut(a);
                assertThatThrownBy(() -> read(b, a)).isInstanceOf(SocketTimeoutException.class);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void aServerOnAHostIsReachedFromAnotherAndNotFromThisMachine(@TempDir Path work) throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("db", "client"))) {
            NetworkLab.Node host = lab.host("db");
            Endpoint address = new Endpoint(host.address(), 24_306);
            try (SqlServer server =
                    new MariadbServer(ServerPlan.of("db", address, 1, work).on(host))) {
                server.start();
                server.awaitReady(Duration.ofSeconds(60));
                server.openByHand();

                WriteLoad load = WriteLoad.start(
                        new WriteLoad.AnyMember(List.of(address)),
                        WriteLoad.Behaviour.of(2, 200).on(lab.host("client")));
                load.awaitAcknowledged(20, Duration.ofSeconds(60));
                load.close();

                assertThat(load.verify(server)).isEmpty();
                assertThatThrownBy(() -> new Socket(address.host(), address.port()))
                        .isInstanceOf(IOException.class);
            }
        }
    }

    private static ServerSocket listen(NetworkLab.Node host) throws Exception {
        return host.call(() -> new ServerSocket(PORT, 50, InetAddress.getByName(host.address())));
    }

    private static void send(ServerSocket server, byte[] bytes) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                socket.getOutputStream().write(bytes);
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new IllegalStateException("the sending host can't accept", e);
                }
            }
        }
    }

    private static byte[] read(NetworkLab.Node from, NetworkLab.Node to) throws Exception {
        return from.call(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(to.address(), PORT), 2_000);
                socket.setSoTimeout(2_000);
                return socket.getInputStream().readAllBytes();
            }
        });
    }

    private static int arrived(NetworkLab.Node from, NetworkLab.Node to, DatagramSocket receiver) throws Exception {
        from.call(() -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                for (int i = 0; i < PACKETS; i++) {
                    socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName(to.address()), PORT));
                }
                return null;
            }
        });
        receiver.setSoTimeout(300);
        int count = 0;
        try {
            while (true) {
                receiver.receive(new DatagramPacket(new byte[1], 1));
                count++;
            }
        } catch (SocketTimeoutException e) {
            return count;
        }
    }

    private static void answer(ServerSocket server) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                socket.getOutputStream().write(42);
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new IllegalStateException("the answering host can't accept", e);
                }
            }
        }
    }

    private static int ask(NetworkLab.Node from, NetworkLab.Node to) throws Exception {
        return from.call(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(to.address(), PORT), 700);
                socket.setSoTimeout(700);
                return socket.getInputStream().read();
            }
        });
    }
}
