package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.lab.BindServers;

/**
 * Measures the DNS part of a switch on a real BIND. Run with the module's test class path:
 * {@code java -cp ... org.haarbiter.dns.rfc2136.PublishLatency [first|cold]}; with {@code first}, only a process's first
 * update, and with {@code cold} the same without time to warm up.
 */
final class PublishLatency {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int ROUNDS = 200;

    private PublishLatency() {}

    public static void main(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory("publish-latency");
        try (BindServers bind = new BindServers(directory)) {
            if (arguments.length > 0) {
                first(bind, arguments[0].equals("cold"));
            } else {
                all(bind);
            }
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static Rfc2136Provider provider(BindServers bind) {
        return new Rfc2136Provider(new Rfc2136Settings(
                BindServers.ZONE,
                bind.primary(),
                List.of(bind.primary(), bind.secondary()),
                "k1",
                "hmac-sha256",
                BindServers.SECRET,
                1));
    }

    private static void first(BindServers bind, boolean atOnce) {
        try (Rfc2136Provider provider = provider(bind)) {
            if (!atOnce) {
                BindServers.await("the warming-up", provider::isWarm);
            }
            System.out.printf("first update of the process: %.1f ms%n", publish(provider, wanted("first", 1)) / 1e6);
            System.out.printf("second: %.1f ms%n", publish(provider, wanted("first", 2)) / 1e6);
        }
    }

    private static void all(BindServers bind) {
        try (Rfc2136Provider provider = provider(bind)) {
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
                BindServers.await(
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
                try (Rfc2136Provider fresh = provider(bind)) {
                    BindServers.await("the warming-up", fresh::isWarm);
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
