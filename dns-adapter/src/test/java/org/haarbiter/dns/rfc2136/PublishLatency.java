package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.BindServers;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.KnotServers;
import org.haarbiter.dns.lab.PowerDnsServers;
import org.haarbiter.words.Endpoint;

/**
 * Measures the DNS part of a switch on a real server. Run with the module's test class path:
 * {@code java -cp ... org.haarbiter.dns.rfc2136.PublishLatency bind|knot|powerdns [first|cold|storm]}; with {@code first}, only a
 * process's first update, with {@code cold} the same without time to warm up, and with {@code storm} 1,000 names at once.
 */
final class PublishLatency {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int ROUNDS = 200;
    private static final Duration STORM_LIMIT = Duration.ofSeconds(20);
    private static final int STORMS = 10;
    private static final int WARM_UP_STORMS = 10;

    private PublishLatency() {}

    public static void main(String[] arguments) throws IOException {
        String what = arguments.length > 1 ? arguments[1] : "all";
        Path directory = Files.createTempDirectory("publish-latency");
        try (DnsServers servers = servers(arguments.length > 0 ? arguments[0] : "bind", directory)) {
            switch (what) {
                case "all" -> all(servers);
                case "first" -> first(servers, false);
                case "cold" -> first(servers, true);
                case "storm" -> storm(servers);
                default -> throw new IllegalArgumentException(what + " (must be first, cold, storm or nothing)");
            }
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static DnsServers servers(String kind, Path directory) throws IOException {
        return switch (kind) {
            case "bind" -> new BindServers(directory);
            case "knot" -> new KnotServers(directory);
            case "powerdns" -> new PowerDnsServers(directory);
            default -> throw new IllegalArgumentException(kind + " (must be bind, knot or powerdns)");
        };
    }

    /** 500 groups with two names each, whose epochs are remembered, as in a leader that has led for a while. */
    private static void storm(DnsServers servers) {
        try (Rfc2136Provider provider = provider(servers)) {
            long[] taken = new long[STORMS];
            long[] seen = new long[STORMS];
            long[] shown = new long[STORMS];
            for (int round = -WARM_UP_STORMS; round < STORMS; round++) {
                int epoch = round + WARM_UP_STORMS + 1;
                List<WantedNames> all = IntStream.range(0, 500)
                        .mapToObj(i -> pair("g" + i, epoch))
                        .toList();
                long started = System.nanoTime();
                CompletableFuture<Long> visible = CompletableFuture.supplyAsync(() -> {
                    WantedNames last = all.get(all.size() - 1);
                    for (Endpoint server : List.of(servers.primary(), servers.secondary())) {
                        DnsServers.await(
                                "the last name",
                                () -> DnsServers.texts(server, last.epochName())
                                        .equals(List.of(Integer.toString(epoch))));
                    }
                    return System.nanoTime() - started;
                });
                List<PublishOutcome> outcomes = provider.publish(all, STORM_LIMIT);
                long took = System.nanoTime() - started;
                assertThat(outcomes).extracting(PublishOutcome::result).containsOnly(Result.PUBLISHED);
                long seenAfter = visible.join();
                DnsServers.await(
                        "both servers",
                        () -> provider.readBack(all, STORM_LIMIT).stream()
                                .flatMap(List::stream)
                                .allMatch(reading -> reading.state() == ServerReading.State.MATCHES));
                if (round >= 0) {
                    taken[round] = took;
                    seen[round] = seenAfter;
                    shown[round] = System.nanoTime() - started;
                }
            }
            print("1,000 names: update answered", taken);
            print("1,000 names: the last one seen on the primary and the secondary", seen);
            print("1,000 names: read-back of all on both begun after that and done", shown);
        }
    }

    private static WantedNames pair(String group, int epoch) {
        String address = "10." + (1 + epoch % 3) + ".0.1";
        return new WantedNames(
                group,
                epoch,
                "_ha-epoch." + group,
                List.of(
                        new AddressName(group + "-rw", List.of(address), 1),
                        new AddressName(group + "-ro", List.of(address), 1)));
    }

    private static Rfc2136Provider provider(DnsServers servers) {
        return new Rfc2136Provider(new Rfc2136Settings(
                DnsServers.ZONE,
                servers.primary(),
                List.of(servers.primary(), servers.secondary()),
                "k1",
                "hmac-sha256",
                DnsServers.SECRET,
                1));
    }

    private static void first(DnsServers servers, boolean atOnce) {
        try (Rfc2136Provider provider = provider(servers)) {
            if (!atOnce) {
                DnsServers.await("the warming-up", provider::isWarm);
            }
            System.out.printf("first update of the process: %.1f ms%n", publish(provider, wanted("first", 1)) / 1e6);
            System.out.printf("second: %.1f ms%n", publish(provider, wanted("first", 2)) / 1e6);
        }
    }

    private static void all(DnsServers servers) {
        try (Rfc2136Provider provider = provider(servers)) {
            for (int epoch = 1; epoch <= 50; epoch++) {
                publish(provider, wanted("warm", epoch));
            }
            long[] known = new long[ROUNDS];
            long[] shown = new long[ROUNDS];
            long[] look = new long[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                WantedNames wanted = wanted("orders", i + 1);
                long started = System.nanoTime();
                known[i] = publish(provider, wanted);
                DnsServers.await(
                        "both servers",
                        () -> provider.readBack(wanted, LIMIT).stream()
                                .allMatch(reading -> reading.state() == ServerReading.State.MATCHES));
                shown[i] = System.nanoTime() - started;
                long asked = System.nanoTime();
                provider.readBack(wanted, LIMIT);
                look[i] = System.nanoTime() - asked;
            }
            long[] unknown = new long[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                // Each time written by the other one first, so that what is remembered is out of date.
                try (Rfc2136Provider fresh = provider(servers)) {
                    DnsServers.await("the warming-up", fresh::isWarm);
                    unknown[i] = publish(fresh, wanted("orders", ROUNDS + i + 1));
                }
            }
            print("publish, epoch remembered", known);
            print("publish, epoch read first", unknown);
            print("publish until the read-back of both servers matches", shown);
            print("read-back of both servers alone", look);
        }
    }

    private static long publish(Rfc2136Provider provider, WantedNames wanted) {
        long started = System.nanoTime();
        var outcome = provider.publish(wanted, LIMIT);
        long took = System.nanoTime() - started;
        assertThat(outcome.result()).as(outcome.detail()).isEqualTo(Result.PUBLISHED);
        return took;
    }

    private static WantedNames wanted(String group, int epoch) {
        return new WantedNames(
                group,
                epoch,
                "_ha-epoch." + group,
                List.of(
                        new AddressName(group + "-rw", List.of("10.0.0." + (1 + epoch % 3)), 1),
                        new AddressName(
                                group + "-ro",
                                List.of("10.0.0." + (1 + (epoch + 1) % 3), "10.0.0." + (1 + (epoch + 2) % 3)),
                                1)));
    }

    private static void print(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf(
                "%s (n=%d): p50 %.1f ms, p90 %.1f, p99 %.1f, longest %.1f%n",
                what,
                nanos.length,
                nanos[nanos.length / 2] / 1e6,
                nanos[nanos.length * 9 / 10] / 1e6,
                nanos[nanos.length * 99 / 100] / 1e6,
                nanos[nanos.length - 1] / 1e6);
    }
}
