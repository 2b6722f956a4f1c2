package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.core.ServerHealth;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HealthServerTest {
    private static final Identity IDENTITY = new Identity(
            "orders", "db-1", "north", new Endpoint("10.0.0.1", 3306), new Endpoint("10.0.0.1", 7401), true);
    private static final ServerHealth OPEN =
            new ServerHealth(ServerState.RUNNING, "", Role.PRIMARY, 3, 3, false, 0, 0, false);

    private final AtomicLong now = new AtomicLong();
    private final AtomicBoolean permitted = new AtomicBoolean(true);
    private final HttpClient client = HttpClient.newHttpClient();
    private HealthServer server;

    @BeforeEach
    void start() throws IOException {
        HealthAnswers answers =
                new HealthAnswers(IDENTITY, () -> OPEN, epoch -> epoch == 3 && permitted.get(), now::get, 2_000);
        server = new HealthServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), answers);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> ask(String method, String path) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode body(String path) throws IOException, InterruptedException {
        return new ObjectMapper().readTree(ask("GET", path).body());
    }

    @Test
    void writesAreAllowedByTheClockAlone() throws IOException, InterruptedException {
        HttpResponse<String> primary = ask("GET", "/primary");
        assertThat(primary.statusCode()).isEqualTo(200);
        assertThat(primary.headers().firstValue("Content-Type")).contains("application/json");
        JsonNode body = new ObjectMapper().readTree(primary.body());
        assertThat(body.at("/group").asText()).isEqualTo("orders");
        assertThat(body.at("/member").asText()).isEqualTo("db-1");
        assertThat(body.at("/openEpoch").asLong()).isEqualTo(3);
        permitted.set(false);
        assertThat(ask("GET", "/primary").statusCode()).isEqualTo(503);
        assertThat(body("/primary").at("/why").asText())
                .isEqualTo("its permission to take writes under epoch 3 has run out");
        permitted.set(true);
        now.set(2_500_000_000L);
        assertThat(body("/primary").at("/why").asText()).isEqualTo("the agent last looked at its server 2500 ms ago");
        assertThat(ask("GET", "/liveness").statusCode()).isEqualTo(503);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "OPTIONS"})
    void loadBalancersAskInSeveralWays(String method) throws IOException, InterruptedException {
        assertThat(ask(method, "/").statusCode()).isEqualTo(200);
        assertThat(ask(method, "/read-write").statusCode()).isEqualTo(200);
        assertThat(ask(method, "/replica").statusCode()).isEqualTo(503);
        assertThat(ask(method, "/read-only?max-lag=10s").statusCode()).isEqualTo(200);
        assertThat(ask(method, "/readiness").statusCode()).isEqualTo(200);
        assertThat(ask(method, "/health").statusCode()).isEqualTo(200);
    }

    @Test
    void whatIsAskedWronglyIsNamed() throws IOException, InterruptedException {
        assertThat(ask("POST", "/primary").statusCode()).isEqualTo(405);
        assertThat(ask("GET", "/master").statusCode()).isEqualTo(404);
        assertThat(body("/master").at("/why").asText())
                .startsWith("no '/master' (there are /, /primary, /read-write, /replica, ");
        for (String wrong : new String[] {"/replica?max-lag=10", "/replica?lag=1s", "/primary?max-lag=1s"}) {
            assertThat(ask("GET", wrong).statusCode()).as(wrong).isEqualTo(400);
            assertThat(body(wrong).at("/why").asText())
                    .contains("max-lag=TIME: a number and ms, s or m, such as max-lag=500ms");
        }
    }

    @Test
    void anAddressThatIsTakenIsASentence() {
        InetSocketAddress taken = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
        assertThatThrownBy(() -> new HealthServer(
                        taken, new HealthAnswers(IDENTITY, () -> null, epoch -> false, now::get, 2_000)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "health: can't listen on " + taken.getHostString() + ":" + server.port() + ": ");
    }
}
