package org.haarbiter.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointCheck.Kind;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.time.Ticker;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndpointChecksTest {
    private static final int LIMIT_SECONDS = 60;
    private static final int TIMEOUT_MILLIS = 300;
    private static final int PATIENCE_MILLIS = 30_000;

    private final EndpointChecks checks = new EndpointChecks(Ticker.SYSTEM, new Random(1));
    private final List<AutoCloseable> open = new ArrayList<>(List.of(checks));
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        threads.shutdownNow();
        assertThat(threads.awaitTermination(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    // What is checked

    private static EndpointCheck check(Kind kind, int port) {
        return new EndpointCheck(
                kind, port, kind.asks() ? "/up" : "", "", 0, "", false, TIMEOUT_MILLIS, TIMEOUT_MILLIS, 2, 2);
    }

    private static EndpointCheck expecting(EndpointCheck check, int status, String body) {
        return new EndpointCheck(
                check.kind(),
                check.port(),
                check.path(),
                check.host(),
                status,
                body,
                check.trusted(),
                check.intervalMillis(),
                check.timeoutMillis(),
                check.rise(),
                check.fall());
    }

    private static EndpointCheck of(EndpointCheck check, String host, boolean trusted) {
        return new EndpointCheck(
                check.kind(),
                check.port(),
                check.path(),
                host,
                check.expectedStatus(),
                check.expectedBody(),
                trusted,
                check.intervalMillis(),
                check.timeoutMillis(),
                check.rise(),
                check.fall());
    }

    private static EndpointGroup group(EndpointCheck check, long setIndex) {
        CheckedEndpoint.State unchecked =
                new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, true, null);
        return new EndpointGroup(
                "web",
                5,
                EndpointGroup.Mode.ALL,
                1,
                check,
                new TreeMap<>(),
                setIndex,
                0,
                new TreeMap<>(Map.of("a", new CheckedEndpoint("127.0.0.1", "", 1, 0, 0, unchecked))));
    }

    private void want(EndpointCheck check, long setIndex) {
        checks.want(new TreeMap<>(Map.of("web", group(check, setIndex))));
    }

    private EndpointReport report() {
        return checks.report().orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS).join();
    }

    private EndpointReport.@Nullable Finding finding() {
        EndpointReport.OfGroup group = report().groups().get("web");
        return group == null ? null : group.found().get("a");
    }

    /** What it finds when it has as much time as a busy machine may need. */
    private EndpointReport.Finding found(EndpointCheck check) {
        return foundInTime(new EndpointCheck(
                check.kind(),
                check.port(),
                check.path(),
                check.host(),
                check.expectedStatus(),
                check.expectedBody(),
                check.trusted(),
                PATIENCE_MILLIS,
                PATIENCE_MILLIS,
                check.rise(),
                check.fall()));
    }

    private EndpointReport.Finding foundInTime(EndpointCheck check) {
        want(check, 1);
        await(() -> finding() != null);
        return Objects.requireNonNull(finding());
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("ns past the limit").isNegative();
            LockSupport.parkNanos(5_000_000);
        }
    }

    // Servers

    private int http(HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.createContext("/", handler);
        server.setExecutor(threads);
        server.start();
        open.add(() -> server.stop(0));
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
        exchange.close();
    }

    /** What a server does with each connection. */
    private interface Conversation {
        void hold(Socket socket) throws Exception;
    }

    private int server(ServerSocket listening, Conversation conversation) {
        open.add(listening);
        threads.submit(() -> {
            while (true) {
                Socket socket = listening.accept();
                threads.submit(() -> {
                    try (socket) {
                        conversation.hold(socket);
                    }
                    return true;
                });
            }
        });
        return listening.getLocalPort();
    }

    private int server(Conversation conversation) throws IOException {
        return server(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), conversation);
    }

    private static void untilClosed(Socket socket) throws IOException {
        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }

    private static int closedPort() throws IOException {
        try (ServerSocket once = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return once.getLocalPort();
        }
    }

    // TCP

    @Test
    void aPortThatAcceptsIsHealthyByTcp() throws IOException {
        assertThat(found(check(Kind.TCP, server(EndpointChecksTest::untilClosed))))
                .isEqualTo(new EndpointReport.Finding(true, "connected"));
    }

    @Test
    void aClosedPortIsUnhealthy() throws IOException {
        EndpointReport.Finding finding = found(check(Kind.TCP, closedPort()));
        assertThat(finding.healthy()).isFalse();
        assertThat(finding.detail()).startsWith("connecting: Connection refused");
    }

    // HTTP

    @Test
    void anAnswerIsJudgedByItsStatus() throws IOException {
        int port = http(exchange -> answer(exchange, 302, ""));
        assertThat(found(check(Kind.HTTP, port)))
                .isEqualTo(new EndpointReport.Finding(true, "answered with status 302"));
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "")))
                .isEqualTo(new EndpointReport.Finding(false, "answered with status 302 (expected 200)"));
    }

    @Test
    void anAnswerIsJudgedByItsBodyWhereverTheTextStands() throws IOException {
        int port = http(exchange -> answer(exchange, 200, "x".repeat(60_000) + " état: ok" + "x".repeat(60_000)));
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "état: ok")))
                .isEqualTo(new EndpointReport.Finding(true, "answered with status 200 and the expected body"));
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "state: ok")))
                .isEqualTo(new EndpointReport.Finding(
                        false, "answered with status 200, without 'state: ok' in the first 65536 bytes of the body"));
    }

    @Test
    void aBodyWithoutEndIsReadToTheLimitOnly() throws IOException {
        AtomicInteger sent = new AtomicInteger();
        int port = server(socket -> {
            OutputStream out = socket.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] piece = new byte[1_024];
            while (true) {
                out.write(piece);
                sent.addAndGet(piece.length);
            }
        });
        assertThat(found(check(Kind.HTTP, port)).healthy()).isTrue();
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "ok")).healthy())
                .isFalse();
        assertThat(sent.get()).isGreaterThanOrEqualTo(EndpointCheck.BODY_LIMIT_BYTES);
    }

    @Test
    void theRequestNamesTheHostAndGoesToThePath() throws IOException {
        ConcurrentLinkedQueue<String> asked = new ConcurrentLinkedQueue<>();
        int port = http(exchange -> {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " of "
                    + exchange.getRequestHeaders().getFirst("Host"));
            answer(exchange, 204, "");
        });
        assertThat(found(of(check(Kind.HTTP, port), "web.example", false)).healthy())
                .isTrue();
        assertThat(found(check(Kind.HTTP, port)).healthy()).isTrue();
        assertThat(asked).contains("GET /up of web.example:" + port, "GET /up of 127.0.0.1:" + port);
    }

    @Test
    void oneThatAcceptsAndSaysNothingIsUnhealthy() throws IOException {
        assertThat(foundInTime(check(Kind.HTTP, server(EndpointChecksTest::untilClosed))))
                .isEqualTo(
                        new EndpointReport.Finding(false, "nothing within 300 ms, waiting for an answer to GET /up"));
    }

    @Test
    void oneThatHangsAfterTheHeaderIsUnhealthy() throws IOException {
        int port = server(socket -> {
            socket.getOutputStream()
                    .write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
            untilClosed(socket);
        });
        assertThat(foundInTime(check(Kind.HTTP, port)))
                .isEqualTo(new EndpointReport.Finding(
                        false, "nothing within 300 ms, reading the body of an answer with status 200"));
        // Whoever looks for a text has seen enough once it is there.
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "ok")).healthy())
                .isTrue();
    }

    @Test
    void oneThatClosesOrSpeaksAnotherLanguageIsUnhealthy() throws IOException {
        int closing = server(socket -> {
            InputStream in = socket.getInputStream();
            assertThat(in.read()).isEqualTo('G');
        });
        assertThat(found(check(Kind.HTTP, closing)).healthy()).isFalse();
        int ssh = server(socket -> {
            socket.getOutputStream().write("SSH-2.0-OpenSSH_9.2\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            untilClosed(socket);
        });
        EndpointReport.Finding finding = found(check(Kind.HTTP, ssh));
        assertThat(finding.healthy()).isFalse();
        assertThat(finding.detail()).startsWith("reading the answer to GET /up, which is no HTTP");
    }

    @Test
    void aPreliminaryAnswerIsNotYetTheAnswer() throws IOException {
        int port = server(socket -> {
            socket.getOutputStream()
                    .write(("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                                    + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                            .getBytes(StandardCharsets.US_ASCII));
            untilClosed(socket);
        });
        assertThat(found(expecting(check(Kind.HTTP, port), 200, "ok")).healthy())
                .isTrue();
    }

    // TLS

    @Test
    void aTlsServerIsHealthyOnceHandsAreShaken(@TempDir Path directory) throws Exception {
        TestAuthority authority = new TestAuthority(directory, "authority");
        TlsSettings settings = authority.issue("web", "EC", "dns:web.example");
        SSLContext context = serverContext(settings);
        ConcurrentLinkedQueue<String> names = new ConcurrentLinkedQueue<>();
        SSLServerSocket listening = (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        int port = server(listening, socket -> {
            InputStream in = socket.getInputStream();
            if (in.read() == 'G') {
                ((ExtendedSSLSession) ((SSLSocket) socket).getSession())
                        .getRequestedServerNames()
                        .forEach(name -> names.add(new String(name.getEncoded(), StandardCharsets.US_ASCII)));
                socket.getOutputStream()
                        .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
                untilClosed(socket);
            }
        });
        assertThat(found(check(Kind.TLS, port))).isEqualTo(new EndpointReport.Finding(true, "TLSv1.3 handshake done"));
        assertThat(found(of(check(Kind.HTTPS, port), "web.example", false)).healthy())
                .isTrue();
        assertThat(names).contains("web.example");

        EndpointReport.Finding untrusted = found(of(check(Kind.TLS, port), "web.example", true));
        assertThat(untrusted.healthy()).isFalse();
        assertThat(untrusted.detail())
                .startsWith("TLS handshake: ")
                .contains("unable to find valid certification path");
    }

    @Test
    void oneThatSpeaksNoTlsIsUnhealthyByTls() throws IOException {
        assertThat(foundInTime(check(Kind.TLS, http(exchange -> answer(exchange, 200, "ok"))))
                        .healthy())
                .isFalse();
        assertThat(foundInTime(check(Kind.TLS, server(EndpointChecksTest::untilClosed))))
                .isEqualTo(new EndpointReport.Finding(false, "nothing within 300 ms, TLS handshake"));
    }

    /** Unlike the arbiter's own servers it asks for no certificate in return. */
    private static SSLContext serverContext(TlsSettings settings) throws SSLException {
        return ((JdkSslContext) SslContextBuilder.forServer(
                                settings.certificate().toFile(), settings.key().toFile())
                        .sslProvider(SslProvider.JDK)
                        .build())
                .context();
    }

    // In a row, and one at a time

    @Test
    void oneThatFailsIsAskedOnOneConnectionAtATimeUntilItIsBack() throws IOException {
        AtomicInteger status = new AtomicInteger(200);
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        int port = server(socket -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            socket.getOutputStream()
                    .write(("HTTP/1.1 " + status.get() + " Fine\r\nContent-Length: 0\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            untilClosed(socket);
            now.decrementAndGet();
            answered.incrementAndGet();
        });
        want(check(Kind.HTTP, port), 1);
        await(() -> {
            EndpointReport.Finding finding = finding();
            return finding != null && finding.healthy();
        });
        status.set(503);
        await(() -> !Objects.requireNonNull(finding()).healthy());
        int before = answered.get();
        status.set(200);
        await(() -> Objects.requireNonNull(finding()).healthy());
        assertThat(answered.get() - before)
                .as("successes until it was healthy again")
                .isGreaterThanOrEqualTo(2);
        assertThat(most.get()).isEqualTo(1);
    }

    @Test
    void whatStaysAsItIsKeepsWhatIsKnownAndWhatLeavesIsAskedNoMore() throws IOException {
        int port = server(EndpointChecksTest::untilClosed);
        EndpointCheck check = check(Kind.TCP, port);
        foundInTime(check);
        want(check, 7);
        EndpointReport.OfGroup group = Objects.requireNonNull(report().groups().get("web"));
        assertThat(group.setIndex()).isEqualTo(7);
        assertThat(group.found()).containsKey("a");
        want(check(Kind.HTTP, port), 8);
        assertThat(Objects.requireNonNull(report().groups().get("web")).found()).isEmpty();
        checks.want(new TreeMap<>());
        assertThat(report().groups()).isEmpty();
    }
}
