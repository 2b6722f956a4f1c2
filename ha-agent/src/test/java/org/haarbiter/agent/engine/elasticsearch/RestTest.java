package org.haarbiter.agent.engine.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes whose HTTP is encrypted, as that of Elasticsearch 8 is where nobody says otherwise. */
class RestTest {
    private static final long LIMIT_NANOS = 10_000_000_000L;

    @TempDir
    Path directory;

    private @Nullable HttpsServer node;

    @AfterEach
    void end() {
        HttpsServer started = node;
        if (started != null) {
            started.stop(0);
        }
    }

    @Test
    void aNodeWhoseCertificateTheAuthorityHasIssuedIsAsked() throws Exception {
        TlsSettings keys = new TestAuthority(directory, "ours").issue("node", "EC", "ip:127.0.0.1");
        Endpoint address = node(keys);
        assertThat(ask(keys.ca(), address).path("authorization").asText()).startsWith("Basic ");
    }

    @Test
    void aNodeOfAnotherAuthorityIsNot() throws Exception {
        TlsSettings keys = new TestAuthority(directory, "theirs").issue("node", "EC", "ip:127.0.0.1");
        TlsSettings ours = new TestAuthority(directory, "ours").issue("node", "EC", "ip:127.0.0.1");
        Endpoint address = node(keys);
        assertThatThrownBy(() -> ask(ours.ca(), address))
                .isInstanceOfSatisfying(
                        RestProblem.class, problem -> assertThat(problem.kind()).isEqualTo(RestProblem.Kind.LOST))
                .hasMessageContaining("certification path");
    }

    @Test
    void aCertificateThatNamesAnotherHostIsRefused() throws Exception {
        TlsSettings keys = new TestAuthority(directory, "ours").issue("node", "EC", "ip:127.0.0.2");
        Endpoint address = node(keys);
        assertThatThrownBy(() -> ask(keys.ca(), address))
                .isInstanceOf(RestProblem.class)
                .hasMessageContaining("127.0.0.1");
    }

    @Test
    void aFileWithoutCertificatesIsNamed() {
        Path missing = directory.resolve("ca.crt");
        assertThatThrownBy(() -> new Rest(null, null, missing))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("ca.crt: not found");
    }

    private static JsonNode ask(Path ca, Endpoint address) throws RestProblem {
        return new Rest("agent", "secret", ca)
                .ask(address, "GET", "/_cluster/health", "", System.nanoTime() + LIMIT_NANOS);
    }

    private Endpoint node(TlsSettings keys) throws IOException {
        JdkSslContext tls = (JdkSslContext) SslContextBuilder.forServer(
                        keys.certificate().toFile(), keys.key().toFile())
                .sslProvider(SslProvider.JDK)
                .clientAuth(ClientAuth.NONE)
                .build();
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls.context()));
        server.createContext("/", exchange -> {
            byte[] body = ("{\"authorization\":\""
                            + exchange.getRequestHeaders().getFirst("Authorization") + "\"}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        node = server;
        return new Endpoint("127.0.0.1", server.getAddress().getPort());
    }
}
