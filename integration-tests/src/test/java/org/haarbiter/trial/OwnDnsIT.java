package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.lab.DnsQuestion;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The masters answer for the zone themselves, and a real BIND copies it from them: clients that ask BIND follow a failover and lose
 * nothing; every server says the same; readers are sent to the nearest site; endpoints are named while they are healthy; what is set
 * by hand is served, too; without a quorum a master goes on to answer, and one that
 * is started answers nothing until it knows what the others know.
 */
@Tag("servers")
class OwnDnsIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MEMBERS = 3;
    private static final Pattern LEADER_SILENCE = Pattern.compile("leader-silence-millis=(\\d+)");

    @Test
    void clientsFollowASwitchByTheMastersOwnServers() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-own-dns-");
        System.out.println("evidence is kept in " + work + " if this fails");
        ArenaPlan plan = ArenaPlan.of(ArenaPlan.Engine.MARIADB, work, false)
                .withMembers(MEMBERS)
                .withOwnDns();
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            readersAreSentToTheNearestSite(arena);
            FailoverTrial.Result result = FailoverTrial.run(arena, Fault.KILL, FailoverTrial.Client.DNS, 200, 1);
            System.out.println(result);
            assertThat(result.lost()).as("acknowledged writes lost").isZero();
            assertThat(result.twoWritersMillis()).as("time with two writers").isZero();
            String primary = arena.database(result.to()).address().host();
            awaitEverywhere(arena, arena.writeName(), "A", primary);

            Ended set =
                    Hactl.ended(arena, "dns", "set", "mail", "A", "10.0.0.9", "--reason", "the relay", "--ttl", "30");
            assertThat(set.code()).as(set.said()).isZero();
            awaitEverywhere(arena, "mail." + Arena.ZONE, "A", "10.0.0.9");
            assertThat(Hactl.ended(arena, "dns", "set", "orders-rw", "MX", "10 x", "--reason", "no")
                            .said())
                    .contains("type: 'MX' (must be one of");
            Ended diff = Hactl.ended(arena, "dns", "diff");
            assertThat(diff.code()).as(diff.said()).isZero();
            assertThat(Hactl.ended(arena, "dns").out())
                    .contains("kept by embedded ")
                    .contains("mail")
                    .contains("by hand");

            endpointsAreNamedWhileTheyAreHealthy(arena);
            withoutAQuorumTheLastOneAnswers(arena, primary);
        }
        Arena.deleteWorkDirectory(work);
    }

    /** Who asks a master from this machine is near to the south; BIND's copy says the usual, and so do masters to each other. */
    private static void readersAreSentToTheNearestSite(Arena arena) {
        await("readers of the south's replica, or all where there is none there", () -> {
            List<String> usual = sorted(DnsQuestion.ask(arena.dns().address(), arena.readName(), "A"));
            List<String> south = arena.databases().servers().stream()
                    .filter(server -> arena.siteOf(server).equals("south"))
                    .map(server -> server.address().host())
                    .filter(usual::contains)
                    .toList();
            List<String> near = sorted(DnsQuestion.ask(arena.mastersDns().get(0), arena.readName(), "A"));
            return usual.size() == MEMBERS - 1 && near.equals(south.isEmpty() ? usual : south);
        });
        await("every server to be seen to say the usual", () -> {
            Ended diff = diff(arena);
            return diff.code() == 0 && diff.out().contains("no difference");
        });
    }

    private static Ended diff(Arena arena) throws IOException {
        try {
            return Hactl.ended(arena, "dns", "diff");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void endpointsAreNamedWhileTheyAreHealthy(Arena arena) throws Exception {
        int port = FreeEndpoint.at(shop(1)).port();
        TreeMap<String, HttpServer> servers = new TreeMap<>();
        try {
            for (int i = 1; i <= 3; i++) {
                servers.put(shop(i), serve(shop(i), port));
            }
            Path file = Files.writeString(
                    arena.plan().work().resolve("shop.yaml"), """
                    min-healthy: 1
                    check: {kind: http, port: %d, path: /up, expected-body: ok, interval-millis: 300, rise: 2, fall: 2}
                    endpoints: {a: {address: %s}, b: {address: %s, weight: 2}, c: {address: %s}}
                    """.formatted(port, shop(1), shop(2), shop(3)));
            said(arena, "set", "endpoint", "set", "shop", "--file", file.toString(), "--reason", "the shop's front");
            String name = "shop." + Arena.ZONE;
            awaitEverywhere(arena, name, "A", shop(1), shop(2), shop(3));
            Objects.requireNonNull(servers.get(shop(2))).stop(0);
            awaitEverywhere(arena, name, "A", shop(1), shop(3));
            said(arena, "a is drained; 'shop' leads to c", "endpoint", "drain", "shop", "a", "--reason", "new kernel");
            awaitEverywhere(arena, name, "A", shop(3));
            Objects.requireNonNull(servers.get(shop(3))).stop(0);
            awaitShown(arena, "clients are sent to it all the same");
            awaitEverywhere(arena, name, "A", shop(3));
            servers.put(shop(2), serve(shop(2), port));
            awaitEverywhere(arena, name, "A", shop(2));
            said(arena, "leads to a, b", "endpoint", "undrain", "shop", "a", "--reason", "done");
            awaitEverywhere(arena, name, "A", shop(1), shop(2));
            assertThat(Hactl.ended(arena, "log", "shop").out())
                    .contains("b is unhealthy", "no clients are sent to it any more", "new kernel");
            assertThat(Hactl.ended(arena, "dns", "set", "shop", "A", "10.0.0.9", "--reason", "no")
                            .said())
                    .contains("the name 'shop' is that of group 'shop'");

            said(arena, "removed", "endpoint", "remove", "shop", "--reason", "closed");
            awaitEverywhere(arena, name, "A");
            awaitEverywhere(arena, "_ha-epoch." + name, "TXT");
        } finally {
            servers.values().forEach(server -> server.stop(0));
        }
    }

    private static String shop(int number) {
        return "127.78.4." + number;
    }

    private static HttpServer serve(String host, int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 50);
        server.createContext("/up", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes(StandardCharsets.US_ASCII));
            exchange.close();
        });
        server.start();
        return server;
    }

    private static void said(Arena arena, String expected, String... command) throws Exception {
        Ended ended = Hactl.ended(arena, command);
        assertThat(ended.code()).as(ended.said()).isZero();
        assertThat(ended.said()).contains(expected);
    }

    private static void awaitShown(Arena arena, String... words) {
        await("hactl endpoint show shop to say " + List.of(words), () -> {
            try {
                String shown = Hactl.ended(arena, "endpoint", "show", "shop").out();
                return List.of(words).stream().allMatch(shown::contains);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        });
    }

    private static List<String> sorted(List<String> values) {
        return values.stream().sorted().toList();
    }

    private static void withoutAQuorumTheLastOneAnswers(Arena arena, String primary) throws Exception {
        String leader = arena.awaitLeader(LIMIT);
        List<String> names = List.copyOf(arena.masterNames());
        List<String> struck = names.stream()
                .filter(name -> !name.equals(names.get((names.indexOf(leader) + 1) % names.size())))
                .toList();
        String left = names.stream()
                .filter(name -> !struck.contains(name))
                .findFirst()
                .orElseThrow();
        for (String name : struck) {
            arena.master(name).kill9();
            arena.master(name).awaitEnd(LIMIT);
        }
        Endpoint own = arena.mastersDns().get(names.indexOf(left));
        awaitAge(own);
        assertThat(DnsQuestion.ask(own, arena.writeName(), "A")).containsExactly(primary);

        // It comes back alone: what it has on its disk may be old, and nobody can tell it.
        ServerProcess back = arena.master(left);
        back.kill9();
        back.awaitEnd(LIMIT);
        back.start();
        awaitRefusal(own, arena.writeName());
        for (String name : struck) {
            arena.master(name).start();
        }
        awaitEverywhere(arena, arena.writeName(), "A", primary);
    }

    /** The server says itself that it hasn't heard of a leader for a while. */
    private static void awaitAge(Endpoint server) {
        await(server + " tells how old its knowledge is", () -> {
            String age = String.join(" ", DnsQuestion.ask(server, "_ha-state." + Arena.ZONE, "TXT"));
            Matcher millis = LEADER_SILENCE.matcher(age);
            return millis.find() && Long.parseLong(millis.group(1)) > 1_000;
        });
    }

    private static void awaitRefusal(Endpoint server, String name) {
        await(server + " says SERVFAIL", () -> {
            try {
                DnsQuestion.ask(server, name, "A");
                return false;
            } catch (IOException e) {
                return String.valueOf(e.getMessage()).contains("SERVFAIL");
            }
        });
    }

    private static void awaitEverywhere(Arena arena, String name, String type, String... values) {
        List<Endpoint> servers = new ArrayList<>(arena.mastersDns());
        servers.add(arena.dns().address());
        for (Endpoint server : servers) {
            await(
                    server + " says " + List.of(values) + " of " + name,
                    () -> sorted(DnsQuestion.ask(server, name, type)).equals(List.of(values)));
        }
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
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        throw new AssertionError("not within " + LIMIT + ": " + what + " " + last);
    }
}
