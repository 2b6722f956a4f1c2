package org.haarbiter.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.loop.MasterLoop;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.settings.Timing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three real masters check three real web servers. */
class EndpointsTest {
    private static final List<String> MASTERS = List.of("m1", "m2", "m3");

    @TempDir
    Path directory;

    private final TreeMap<String, HttpServer> servers = new TreeMap<>();
    private MemoryArbiter arbiter;
    private int port;

    @BeforeEach
    void start() throws Exception {
        port = FreeEndpoint.at(address("a")).port();
        for (String endpoint : List.of("a", "b", "c")) {
            serve(endpoint);
        }
        arbiter = new MemoryArbiter(directory, new Timing(100, 1_500, 3_000, 500, 10, 250, 1_500, 2, 1_000), 3);
        arbiter.startMasters();
        arbiter.await("a leader", () -> arbiter.leader() != null);
        Command.Outcome set = command(new Command.SetEndpoints(group(), "ann", "the shop's front"));
        assertThat(set.entry()).as(set.sentence()).isNotNull();
    }

    @AfterEach
    void stop() {
        arbiter.close();
        servers.values().forEach(server -> server.stop(0));
        assertThat(arbiter.faults).isEmpty();
    }

    /** Each has an address of its own, and all the same port. */
    private static String address(String endpoint) {
        return "127.78.3." + (endpoint.charAt(0) - 'a' + 1);
    }

    private void serve(String endpoint) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(address(endpoint), port), 50);
        server.createContext("/up", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes(StandardCharsets.US_ASCII));
            exchange.close();
        });
        server.start();
        servers.put(endpoint, server);
    }

    private void kill(String endpoint) {
        Objects.requireNonNull(servers.remove(endpoint)).stop(0);
    }

    private EndpointGroup group() {
        TreeMap<String, CheckedEndpoint> endpoints = new TreeMap<>();
        servers.keySet()
                .forEach(endpoint -> endpoints.put(
                        endpoint,
                        new CheckedEndpoint(
                                address(endpoint),
                                "",
                                1,
                                0,
                                0,
                                new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null))));
        return new EndpointGroup(
                "shop",
                5,
                EndpointGroup.Mode.ALL,
                1,
                new EndpointCheck(EndpointCheck.Kind.HTTP, port, "/up", "", 200, "ok", false, 500, 400, 2, 2),
                new TreeMap<>(),
                0,
                0,
                endpoints);
    }

    private Command.Outcome command(Command command) throws Exception {
        String leader = Objects.requireNonNull(arbiter.leader(), "no leader");
        MasterLoop.Judged judged =
                arbiter.master(leader).loop().command(command).get(30, TimeUnit.SECONDS);
        return judged.outcome();
    }

    private EndpointGroup shop(String master) {
        return arbiter.master(master).loop().state().endpoints().getOrDefault("shop", group());
    }

    private void awaitServed(List<String> masters, String... endpoints) {
        arbiter.await(
                "clients to be sent to " + List.of(endpoints) + " by the log of each of " + masters,
                () -> masters.stream()
                        .allMatch(master -> shop(master).served().equals(new TreeSet<>(List.of(endpoints)))));
    }

    private void awaitHealth(String endpoint, CheckedEndpoint.Health health) {
        arbiter.await(endpoint + " to be " + health, () -> {
            String leader = arbiter.leader();
            CheckedEndpoint found =
                    leader == null ? null : shop(leader).endpoints().get(endpoint);
            return found != null && found.state().health() == health;
        });
    }

    @Test
    void theNameFollowsWhatMostMastersFindUnderOneLeaderAfterTheOther() throws Exception {
        for (String endpoint : List.of("a", "b", "c")) {
            awaitHealth(endpoint, CheckedEndpoint.Health.HEALTHY);
        }
        awaitServed(MASTERS, "a", "b", "c");

        kill("b");
        awaitServed(MASTERS, "a", "c");
        assertThat(Objects.requireNonNull(shop("m1").endpoints().get("b"))
                        .state()
                        .why())
                .contains("Connection refused");

        String leader = Objects.requireNonNull(arbiter.leader());
        arbiter.stopMaster(leader);
        List<String> left = MASTERS.stream().filter(m -> !m.equals(leader)).toList();
        kill("c");
        awaitServed(left, "a");
        AuditEvent line = lastLine(left.get(0));
        assertThat(line.kind()).isEqualTo("endpoints-judged");
        assertThat(line.text()).contains("c is unhealthy").contains("no clients are sent to it any more");

        kill("a");
        awaitHealth("a", CheckedEndpoint.Health.UNHEALTHY);
        awaitServed(left, "a");

        serve("b");
        awaitServed(left, "b");
    }

    @Test
    void withoutAMajorityOfMastersNobodyIsMoved() throws Exception {
        awaitHealth("a", CheckedEndpoint.Health.HEALTHY);
        arbiter.stopMaster("m2");
        arbiter.stopMaster("m3");
        kill("a");
        arbiter.await("m1 not to lead any more", () -> arbiter.leader() == null);
        assertThat(shop("m1").served()).contains("a");
        arbiter.startMaster("m2");
        awaitServed(List.of("m1", "m2"), "b", "c");
    }

    @Test
    void aDrainedEndpointLeavesAtOnceOnEveryMaster() throws Exception {
        for (String endpoint : List.of("a", "b", "c")) {
            awaitHealth(endpoint, CheckedEndpoint.Health.HEALTHY);
        }
        command(new Command.OrderEndpoint("shop", "a", Command.EndpointAct.DRAIN, "ann", "new kernel"));
        awaitServed(MASTERS, "b", "c");
        command(new Command.OrderEndpoint("shop", "a", Command.EndpointAct.UNDRAIN, "ann", "done"));
        awaitServed(MASTERS, "a", "b", "c");
    }

    private AuditEvent lastLine(String master) {
        List<AuditEvent> lines = arbiter.master(master).loop().state().recent();
        return lines.get(lines.size() - 1);
    }
}
