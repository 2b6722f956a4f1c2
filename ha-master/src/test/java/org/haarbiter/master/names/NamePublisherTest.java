package org.haarbiter.master.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.WantedNames.AddressName;
import org.haarbiter.dns.memory.MemoryDns;
import org.haarbiter.dns.memory.MemoryDns.Manner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NamePublisherTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String REFUSAL = "memory db.test. was told to refuse updates";

    private final MemoryDns dns = new MemoryDns("db.test.");
    private final NamePublisher publisher = new NamePublisher(dns, Duration.ofSeconds(1), 50, status -> {});

    @AfterEach
    void close() {
        publisher.close();
    }

    @Test
    void theRegularCheckOfServedNamesFindsAndForgetsAWarning() {
        publisher.want(wanted(1, "10.0.0.1"));
        await("served", () -> served(1));
        assertThat(publisher.warnings()).isEmpty();

        dns.behave(Manner.REFUSES);
        await("warned of", () -> !publisher.warnings().isEmpty());
        assertThat(publisher.warnings()).hasSize(1).containsEntry("orders", List.of(REFUSAL));
        assertThat(served(1)).isTrue();

        dns.behave(Manner.ANSWERS);
        await("forgotten", () -> publisher.warnings().isEmpty());
        assertThat(dns.changes()).isEqualTo(1);
    }

    @Test
    void whatIsNoLongerWantedWarnsOfNothing() {
        publisher.want(wanted(1, "10.0.0.1"));
        await("served", () -> served(1));
        dns.behave(Manner.REFUSES);
        await("warned of", () -> !publisher.warnings().isEmpty());
        publisher.forgetAll();
        assertThat(publisher.warnings()).isEmpty();
    }

    @Test
    void aRefusedUpdateIsTriedUntilItIsTaken() {
        dns.behave(Manner.REFUSES);
        publisher.want(wanted(2, "10.0.0.2"));
        await("refused", () -> publisher.status().containsKey("orders"));
        assertThat(publisher.status().values())
                .singleElement()
                .satisfies(s -> assertThat(s.served()).isFalse())
                .satisfies(s -> assertThat(s.detail()).isEqualTo(REFUSAL));

        dns.behave(Manner.ANSWERS);
        await("served", () -> served(2));
        assertThat(dns.addresses("rw.orders")).containsExactly("10.0.0.2");
    }

    private boolean served(long epoch) {
        var status = publisher.status().get("orders");
        return status != null && status.served() && status.wanted().epoch() == epoch;
    }

    private static WantedNames wanted(long epoch, String address) {
        return new WantedNames(
                "orders", epoch, "_ha-epoch.orders", List.of(new AddressName("rw.orders", List.of(address), 5)));
    }

    private static void await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start)
                    .as("waiting until it is %s", what)
                    .isLessThan(LIMIT.toNanos());
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }
}
