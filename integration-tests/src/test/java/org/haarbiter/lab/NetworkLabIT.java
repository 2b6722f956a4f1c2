package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
            try (ServerSocket server =
                    a.call(() -> new ServerSocket(PORT, 50, java.net.InetAddress.getByName(a.address())))) {
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
    void aServerOnAHostIsReachedFromAnotherAndNotFromThisMachine(@TempDir Path work) throws Exception {
        try (NetworkLab lab = NetworkLab.open(List.of("db", "client"))) {
            NetworkLab.Node host = lab.host("db");
            Endpoint address = new Endpoint(host.address(), 24_306);
            try (DatabaseServer server =
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
