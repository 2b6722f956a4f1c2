package org.haarbiter.dns.powerdns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of the API, and what its answers become. */
class PowerDnsApiProviderTest {

    private static final Endpoint NOBODY = new Endpoint("127.0.0.1", 9);
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final WantedNames WANTED = new WantedNames(
            "orders",
            5,
            "_ha-epoch.orders",
            List.of(
                    new AddressName("orders-rw", List.of("10.0.0.2"), 1),
                    new AddressName("orders-ro", List.of("fd00::3", "10.0.0.3"), 7)));

    @TempDir
    Path directory;

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private @Nullable HttpServer server;

    /** What the API answers. */
    interface Api {
        /** Status and body. */
        String[] answer(String method, String path, String body);
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    private Endpoint serve(HttpServer created, Api api) {
        created.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "fake-api");
            thread.setDaemon(true);
            return thread;
        }));
        created.createContext("/", exchange -> answer(exchange, api));
        created.start();
        server = created;
        return new Endpoint("127.0.0.1", created.getAddress().getPort());
    }

    private void answer(HttpExchange exchange, Api api) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String path = exchange.getRequestURI().toString();
        requests.add(exchange.getRequestMethod() + " " + path + " "
                + exchange.getRequestHeaders().getFirst("X-API-Key") + " " + body);
        String[] answer = api.answer(exchange.getRequestMethod(), path, body);
        byte[] bytes = answer[1].getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(Integer.parseInt(answer[0]), bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static HttpServer plain() throws IOException {
        return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    private static PowerDnsApiProvider provider(Endpoint api, @Nullable Path ca) {
        return new PowerDnsApiProvider(
                new PowerDnsApiSettings("db.test", api, "localhost", ca, "geheim", List.of(NOBODY)));
    }

    private static String zone(String kind, String... sets) {
        return "{\"kind\": \"" + kind + "\", \"rrsets\": [" + String.join(",", sets) + "]}";
    }

    private static String set(String name, String type, long ttl, String content) {
        return "{\"name\": \"" + name + ".db.test.\", \"type\": \"" + type + "\", \"ttl\": " + ttl
                + ", \"records\": [{\"content\": \"" + content.replace("\"", "\\\"") + "\", \"disabled\": false}]}";
    }

    @Test
    void onlyWhatChangesIsSentWithTheEpochAndTheSecondariesAreTold() throws IOException {
        Endpoint api = serve(plain(), (method, path, body) -> switch (method) {
            case "GET" ->
                new String[] {
                    "200",
                    path.contains("=_ha-epoch")
                            ? zone("Master", set("_ha-epoch.orders", "TXT", 1, "\"4\""))
                            : path.contains("-ro")
                                    ? zone("Master", set("orders-ro", "AAAA", 7, "fd00::9"))
                                    : zone("Master")
                };
            default -> new String[] {method.equals("PATCH") ? "204" : "200", ""};
        });
        try (PowerDnsApiProvider provider = provider(api, null)) {
            assertThat(provider.publish(WANTED, LIMIT)).isEqualTo(new PublishOutcome(Result.PUBLISHED, ""));
        }
        String base = " /api/v1/servers/localhost/zones/db.test.";
        assertThat(requests.subList(0, 3))
                .containsExactlyInAnyOrder(
                        "GET" + base + "?rrset_name=_ha-epoch.orders.db.test. geheim ",
                        "GET" + base + "?rrset_name=orders-rw.db.test. geheim ",
                        "GET" + base + "?rrset_name=orders-ro.db.test. geheim ");
        assertThat(requests.subList(3, 5))
                .containsExactly(
                        "PATCH" + base + " geheim {\"rrsets\":["
                                + replace("orders-rw", "A", 1, "10.0.0.2") + ","
                                + replace("orders-ro", "A", 7, "10.0.0.3") + ","
                                + replace("orders-ro", "AAAA", 7, "fd00:0:0:0:0:0:0:3") + ","
                                + replace("_ha-epoch.orders", "TXT", 1, "\\\"5\\\"") + "]}",
                        "PUT" + base + "/notify geheim ");
        assertThat(requests).hasSize(5);
    }

    private static String replace(String name, String type, int ttl, String content) {
        return "{\"name\":\"" + name + ".db.test.\",\"type\":\"" + type + "\",\"changetype\":\"REPLACE\",\"ttl\":" + ttl
                + ",\"records\":[{\"content\":\"" + content + "\",\"disabled\":false}]}";
    }

    @Test
    void manyGroupsAreOneQuestionAndOneChange() throws IOException {
        Endpoint api = serve(
                plain(),
                (method, path, body) -> method.equals("GET")
                        ? new String[] {"200", zone("Native", set("_ha-epoch.g7", "TXT", 1, "\"99\""))}
                        : new String[] {"204", ""});
        List<WantedNames> groups = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            groups.add(new WantedNames(
                    "g" + i, 1, "_ha-epoch.g" + i, List.of(new AddressName("g" + i, List.of("10.0.0.1"), 1))));
        }
        try (PowerDnsApiProvider provider = provider(api, null)) {
            List<PublishOutcome> outcomes = provider.publish(groups, LIMIT);
            for (int i = 0; i < 100; i++) {
                assertThat(outcomes.get(i).result()).isEqualTo(i == 7 ? Result.NEWER_EPOCH : Result.PUBLISHED);
            }
        }
        assertThat(requests).hasSize(2);
        assertThat(requests.get(1)).contains("g6.db.test.").doesNotContain("g7.db.test.");
    }

    @Test
    void recordThatIsDisabledIsntThere() throws IOException {
        Endpoint api = serve(
                plain(),
                (method, path, body) -> method.equals("GET")
                        ? new String[] {
                            "200",
                            zone(
                                    "Native",
                                    set("_ha-epoch.orders", "TXT", 1, "\"9\"").replace("false", "true"))
                        }
                        : new String[] {"204", ""});
        try (PowerDnsApiProvider provider = provider(api, null)) {
            assertThat(provider.publish(WANTED, LIMIT).result()).isEqualTo(Result.PUBLISHED);
        }
    }

    @Test
    void secondariesThatCouldntBeToldAreToldAgain() throws IOException {
        List<Integer> told = new CopyOnWriteArrayList<>();
        List<String> written = new CopyOnWriteArrayList<>();
        Endpoint api = serve(plain(), (method, path, body) -> switch (method) {
            case "GET" ->
                new String[] {
                    "200",
                    written.isEmpty() || !path.contains("=_ha-epoch")
                            ? zone("Primary")
                            : zone("Primary", set("_ha-epoch.orders", "TXT", 1, "\"5\""))
                };
            case "PATCH" -> {
                written.add(body);
                yield new String[] {"204", ""};
            }
            default -> {
                told.add(1);
                yield told.size() == 1 ? new String[] {"500", "{\"error\": \"no backend\"}"} : new String[] {"200", ""};
            }
        });
        WantedNames nameless = new WantedNames("orders", 5, "_ha-epoch.orders", List.of());
        try (PowerDnsApiProvider provider = provider(api, null)) {
            PublishOutcome outcome = provider.publish(nameless, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("secondaries couldn't be told", "answered 500 (no backend)");
            assertThat(provider.publish(nameless, LIMIT).result()).isEqualTo(Result.PUBLISHED);
        }
        assertThat(told).hasSize(2);
        assertThat(written).hasSize(1);
    }

    @Test
    void serverTroubleAndSilenceAreUnknown() throws IOException {
        Endpoint api = serve(
                plain(),
                (method, path, body) -> method.equals("GET")
                        ? new String[] {"200", zone("Native")}
                        : new String[] {"500", "Internal Server Error"});
        try (PowerDnsApiProvider provider = provider(api, null)) {
            PublishOutcome outcome = provider.publish(WANTED, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("answered 500 (Internal Server Error)", "may yet be applied");
        }
        try (PowerDnsApiProvider nobody = provider(NOBODY, null)) {
            PublishOutcome outcome = nobody.publish(WANTED, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("nobody answers at this port");
        }
    }

    @Test
    void answerWithoutEndIsCut() throws Exception {
        BoundedBody body = new BoundedBody(10);
        body.onNext(List.of(java.nio.ByteBuffer.allocate(10)));
        body.onNext(List.of(java.nio.ByteBuffer.allocate(1)));
        assertThatThrownBy(() -> body.getBody().toCompletableFuture().get()).hasMessageContaining("more than 10 bytes");
    }

    @Test
    void proxyWithTls() throws Exception {
        TlsSettings ours = new TestAuthority(directory, "ours").issue("api", "EC", "ip:127.0.0.1");
        TlsSettings theirs = new TestAuthority(directory, "theirs").issue("api", "EC", "ip:127.0.0.1");
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        JdkSslContext tls = (JdkSslContext) SslContextBuilder.forServer(
                        ours.certificate().toFile(), ours.key().toFile())
                .sslProvider(SslProvider.JDK)
                .clientAuth(ClientAuth.NONE)
                .build();
        https.setHttpsConfigurator(new HttpsConfigurator(tls.context()));
        Endpoint api = serve(
                https,
                (method, path, body) ->
                        method.equals("GET") ? new String[] {"200", zone("Native")} : new String[] {"204", ""});
        try (PowerDnsApiProvider provider = provider(api, ours.ca())) {
            assertThat(provider.publish(WANTED, LIMIT)).isEqualTo(new PublishOutcome(Result.PUBLISHED, ""));
        }
        requests.clear();
        try (PowerDnsApiProvider provider = provider(api, theirs.ca())) {
            PublishOutcome outcome = provider.publish(WANTED, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.REFUSED);
            assertThat(outcome.detail()).contains("must be issued by ca-file");
        }
        assertThat(requests).as("the key went to nobody").isEmpty();
    }

    @Test
    void allMistakesAreToldAtOnceAndNeverTheKey() {
        Endpoint byName = new Endpoint("ns1.example", 8081);
        assertThatThrownBy(() -> new PowerDnsApiSettings("a..b", byName, "a/b", null, "two words", List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("zone: 'a..b.'")
                .hasMessageContaining("api-server: ns1.example (must be an IPv4 or IPv6 address")
                .hasMessageContaining("api-server-id: 'a/b'")
                .hasMessageContaining("api-key-file: its text (must be one word")
                .hasMessageContaining("authoritative-servers: empty")
                .hasMessageNotContaining("two words");
        assertThat(new PowerDnsApiSettings("db.test", NOBODY, "localhost", null, "geheim", List.of(NOBODY)).toString())
                .contains("db.test.")
                .doesNotContain("geheim");
    }
}
