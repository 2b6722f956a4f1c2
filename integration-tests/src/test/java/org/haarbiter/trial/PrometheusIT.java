package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.Servers;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A real Prometheus with what is in conf/prometheus reads masters and agents; a real Alertmanager tells of a failover by chat, and by SMS
 * that nobody leads.
 */
@Tag("servers")
class PrometheusIT {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int MEMBERS = 3;
    private static final Path CONF = Path.of("..", "conf", "prometheus");

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient client = HttpClient.newHttpClient();

    private record Message(String path, JsonNode body) {
        boolean firing(String alert) {
            return body.at("/status").asText().equals("firing")
                    && body.at("/alerts").findValuesAsText("alertname").contains(alert);
        }
    }

    @Test
    void whatWeShipIsRight() throws IOException {
        assertThat(Servers.run("promtool", "check", "rules", file("rules.yml"))).contains("SUCCESS");
        assertThat(Servers.run("promtool", "test", "rules", file("rules_test.yml")))
                .contains("SUCCESS");
        assertThat(Servers.run("promtool", "check", "config", file("prometheus.yml")))
                .contains("SUCCESS");
        assertThat(Servers.run("amtool", "check-config", file("alertmanager.yml")))
                .contains("SUCCESS");
    }

    private static String file(String name) {
        return CONF.resolve(name).toAbsolutePath().toString();
    }

    @Test
    void alertsReachPeople() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-prometheus-");
        System.out.println("evidence is kept in " + work + " if this fails");
        ConcurrentLinkedQueue<Message> messages = new ConcurrentLinkedQueue<>();
        HttpServer webhook = webhook(messages);
        Endpoint prometheus = FreeEndpoint.at("127.0.0.1");
        Endpoint alertmanager = FreeEndpoint.at("127.0.0.1");
        ArenaPlan plan = ArenaPlan.of(ArenaPlan.Engine.MYSQL, work, false).withMembers(MEMBERS);
        try (Arena arena = Arena.open(plan);
                ServerProcess alerting =
                        alertmanager(work, alertmanager, webhook.getAddress().getPort());
                ServerProcess watching = prometheus(work, arena, prometheus, alertmanager)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            SqlServer old = arena.awaitSteady(LIMIT);
            alerting.start();
            watching.start();
            int processes = arena.masterNames().size() + MEMBERS;
            await("all masters and agents are read", () -> value(prometheus, "sum(up)") == processes);
            await(
                    "the group is seen to be open, with two that could take over",
                    () -> value(prometheus, "max(ha_group_writable)") == 1
                            && value(prometheus, "max(ha_group_candidates)") == MEMBERS - 1);
            assertThat(value(prometheus, "max(ha_permission_seconds)")).isBetween(0.01, 1.0);
            await("each rule is evaluated", () -> rulesAreHealthy(prometheus));
            assertThat(firing(prometheus)).doesNotContain("ArbiterGroupSwitched", "ArbiterWithoutLeader");

            long struck = System.nanoTime();
            old.kill9();
            await("the chat tells of the switch", () -> told(messages, "/chat", "ArbiterGroupSwitched"));
            System.out.println("told of the switch " + (System.nanoTime() - struck) / 1_000_000 + " ms after the kill");
            assertThat(messages).noneMatch(message -> message.firing("ArbiterWithoutLeader"));

            struck = System.nanoTime();
            for (String master : arena.masterNames().subList(0, 2)) {
                arena.master(master).kill9();
            }
            await("an SMS says that nobody leads", () -> told(messages, "/sms", "ArbiterWithoutLeader"));
            System.out.println(
                    "told that nobody leads " + (System.nanoTime() - struck) / 1_000_000 + " ms after the kill");
        } finally {
            webhook.stop(0);
        }
        Arena.deleteWorkDirectory(work);
    }

    private static boolean told(ConcurrentLinkedQueue<Message> messages, String path, String alert) {
        return messages.stream().anyMatch(message -> message.path().equals(path) && message.firing(alert));
    }

    private HttpServer webhook(ConcurrentLinkedQueue<Message> messages) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.createContext("/", exchange -> {
            try (exchange) {
                messages.add(new Message(
                        exchange.getRequestURI().getPath(),
                        json.readTree(exchange.getRequestBody().readAllBytes())));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        server.start();
        return server;
    }

    /** The samples, with this machine's addresses and a shorter interval. */
    private static ServerProcess prometheus(Path work, Arena arena, Endpoint address, Endpoint alertmanager)
            throws IOException {
        Path directory = Files.createDirectories(work.resolve("prometheus"));
        Files.copy(CONF.resolve("rules.yml"), directory.resolve("rules.yml"));
        List<Endpoint> masters = arena.masterNames().stream().map(arena::admin).toList();
        List<Endpoint> agents = new ArrayList<>();
        arena.group().servers().forEach(server -> agents.add(arena.metrics(server)));
        String settings = Files.readString(CONF.resolve("prometheus.yml"))
                .replace("interval: 5s", "interval: 1s")
                .replace("[\"10.0.0.30:9093\"]", list(List.of(alertmanager)))
                .replace("[\"10.0.1.11:7301\", \"10.0.2.11:7301\", \"10.0.3.11:7301\"]", list(masters))
                .replace("[\"10.0.1.21:9101\", \"10.0.1.22:9101\", \"10.0.1.23:9101\"]", list(agents));
        assertThat(settings).doesNotContain("10.0.");
        Path file = Files.writeString(directory.resolve("prometheus.yml"), settings);
        return process(
                "prometheus",
                directory,
                "--config.file=" + file.toAbsolutePath(),
                "--storage.tsdb.path=" + directory.resolve("data").toAbsolutePath(),
                "--web.listen-address=" + address);
    }

    private static String list(List<Endpoint> addresses) {
        return addresses.stream().map(a -> "\"" + a + "\"").collect(Collectors.joining(", ", "[", "]"));
    }

    private static ServerProcess alertmanager(Path work, Endpoint address, int webhook) throws IOException {
        Path directory = Files.createDirectories(work.resolve("alertmanager"));
        String settings = Files.readString(CONF.resolve("alertmanager.yml"))
                .replace("https://chat.example.com/hooks/databases", "http://127.0.0.1:" + webhook + "/chat")
                .replace("https://sms.example.com/send?to=databases-on-call", "http://127.0.0.1:" + webhook + "/sms")
                // Nobody takes mail there.
                .replace("mail.example.com:587", "127.0.0.1:1");
        assertThat(settings).doesNotContain("https://");
        Path file = Files.writeString(directory.resolve("alertmanager.yml"), settings);
        return process(
                "prometheus-alertmanager",
                directory,
                "--config.file=" + file.toAbsolutePath(),
                "--storage.path=" + directory.resolve("data").toAbsolutePath(),
                "--web.listen-address=" + address,
                // Alone: it looks for no others.
                "--cluster.listen-address=");
    }

    private static ServerProcess process(String program, Path directory, String... options) {
        List<String> command = new ArrayList<>(List.of(Servers.onPath(program).toString()));
        command.addAll(List.of(options));
        return new ServerProcess(program, Host.here(), command, directory.resolve("log"));
    }

    private JsonNode get(Endpoint prometheus, String path) throws IOException {
        try {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create("http://" + prometheus + path))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException(path + ": " + response.statusCode() + " " + response.body());
            }
            return json.readTree(response.body()).at("/data");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** What an expression is now; NaN where it has no series. */
    private double value(Endpoint prometheus, String expression) throws IOException {
        String query = "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8);
        return get(prometheus, query).at("/result/0/value/1").asDouble(Double.NaN);
    }

    private boolean rulesAreHealthy(Endpoint prometheus) throws IOException {
        List<String> health =
                get(prometheus, "/api/v1/rules").at("/groups/0/rules").findValuesAsText("health");
        return !health.isEmpty() && health.stream().allMatch("ok"::equals);
    }

    private TreeSet<String> firing(Endpoint prometheus) throws IOException {
        TreeSet<String> firing = new TreeSet<>();
        for (JsonNode alert : get(prometheus, "/api/v1/alerts").at("/alerts")) {
            if (alert.at("/state").asText().equals("firing")) {
                firing.add(alert.at("/labels/alertname").asText());
            }
        }
        return firing;
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(String what, Condition condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        String last = "";
        while (System.nanoTime() - end < 0) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (IOException e) {
                last = e.toString();
            }
            LockSupport.parkNanos(50_000_000);
        }
        throw new AssertionError("not within " + LIMIT + ": " + what + " " + last);
    }
}
