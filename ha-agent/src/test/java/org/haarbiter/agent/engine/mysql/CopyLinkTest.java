package org.haarbiter.agent.engine.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.Tls;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CopyLinkTest {
    private static final Endpoint SERVER = new Endpoint("127.0.0.1", 3306);

    private final ExecutorService donor = Executors.newSingleThreadExecutor();

    @AfterEach
    void end() {
        donor.shutdownNow();
    }

    private static ServerSocket port() throws IOException {
        ServerSocket port = new ServerSocket();
        port.bind(new InetSocketAddress(InetAddress.getByName(SERVER.host()), 0));
        return port;
    }

    private static CopyLink recipient(ServerSocket port, String password) throws IOException {
        return CopyLink.toDonor(SERVER, port.getLocalPort(), password, null, true);
    }

    private <T> Future<T> beside(Callable<T> work) {
        return donor.submit(work);
    }

    @Test
    void framesArriveWholeAndInOrder() throws Exception {
        try (ServerSocket port = port()) {
            Future<?> sent = beside(() -> {
                try (CopyLink link = CopyLink.toRecipient(port.accept(), SERVER, "secret", null)) {
                    link.send(CopyLink.STATE, "0-1-5");
                    link.send(CopyLink.DATA, new byte[CopyLink.LONGEST], CopyLink.LONGEST);
                    link.send(CopyLink.WHOLE, new byte[0], 0);
                    return null;
                }
            });
            byte[] payload = new byte[CopyLink.LONGEST];
            try (CopyLink link = recipient(port, "secret")) {
                CopyLink.Frame state = link.receive(payload);
                assertThat(state.kind()).isEqualTo(CopyLink.STATE);
                assertThat(CopyLink.text(payload, state)).isEqualTo("0-1-5");
                assertThat(link.receive(payload)).isEqualTo(new CopyLink.Frame(CopyLink.DATA, CopyLink.LONGEST));
                assertThat(link.receive(payload)).isEqualTo(new CopyLink.Frame(CopyLink.WHOLE, 0));
                sent.get(10, TimeUnit.SECONDS);
                assertThatThrownBy(() -> link.receive(payload)).isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void whoDoesntKnowThePasswordGetsNothing() throws Exception {
        try (ServerSocket port = port()) {
            Future<?> sent = beside(() -> CopyLink.toRecipient(port.accept(), SERVER, "secret", null));
            assertThatThrownBy(() -> recipient(port, "guessed").close()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> sent.get(10, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("password");
        }
    }

    @Test
    void anotherServersAgentIsRefused() throws Exception {
        try (ServerSocket port = port()) {
            Future<?> sent =
                    beside(() -> CopyLink.toRecipient(port.accept(), new Endpoint("127.0.0.1", 3307), "secret", null));
            assertThatThrownBy(() -> recipient(port, "secret").close()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> sent.get(10, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
        }
    }

    @Test
    void withTlsBothShowACertificateAndTheDonorsNamesItsHost(@TempDir Path directory) throws Exception {
        TestAuthority authority = new TestAuthority(directory, "ours");
        Tls donors = Tls.load(authority.issue("donor", "EC", "ip:127.0.0.1"));
        Tls recipients = Tls.load(authority.issue("recipient", "EC", "ip:127.0.0.2"));
        try (ServerSocket port = port()) {
            Future<?> sent = beside(() -> {
                try (CopyLink link = CopyLink.toRecipient(port.accept(), SERVER, "secret", donors)) {
                    link.send(CopyLink.WHOLE, new byte[0], 0);
                    return null;
                }
            });
            try (CopyLink link = CopyLink.toDonor(SERVER, port.getLocalPort(), "secret", recipients, true)) {
                assertThat(link.receive(new byte[CopyLink.LONGEST]).kind()).isEqualTo(CopyLink.WHOLE);
            }
            sent.get(10, TimeUnit.SECONDS);
        }
        Tls strangers = Tls.load(new TestAuthority(directory, "theirs").issue("stranger", "EC", "ip:127.0.0.1"));
        try (ServerSocket port = port()) {
            Future<?> refused = beside(() -> CopyLink.toRecipient(port.accept(), SERVER, "secret", donors));
            assertThatThrownBy(() -> CopyLink.toDonor(SERVER, port.getLocalPort(), "secret", strangers, true)
                            .close())
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
        }
        // The recipient's certificate is valid, and of another host.
        try (ServerSocket port = port()) {
            Future<?> refused = beside(() -> CopyLink.toRecipient(port.accept(), SERVER, "secret", recipients));
            assertThatThrownBy(() -> CopyLink.toDonor(SERVER, port.getLocalPort(), "secret", donors, true)
                            .close())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1");
            assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
        }
    }
}
