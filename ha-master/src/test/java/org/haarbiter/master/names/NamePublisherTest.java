package org.haarbiter.master.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.ServerReading;
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

    /** A zone whose updates or read-backs a test can hold, and which counts how many groups came together. */
    private static final class HeldDns implements DnsProvider {
        private final MemoryDns dns = new MemoryDns("db.test.");
        final Semaphore updates = new Semaphore(0);
        final Semaphore reads = new Semaphore(0);
        final List<Integer> updated = new CopyOnWriteArrayList<>();
        final AtomicInteger reading = new AtomicInteger();

        @Override
        public String name() {
            return "held";
        }

        @Override
        public PublishOutcome publish(WantedNames wanted, Duration limit) {
            throw new AssertionError("groups come as lists");
        }

        @Override
        public List<PublishOutcome> publish(List<WantedNames> wanted, Duration limit) {
            updated.add(wanted.size());
            updates.acquireUninterruptibly();
            return dns.publish(wanted, limit);
        }

        @Override
        public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
            throw new AssertionError("groups come as lists");
        }

        @Override
        public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
            reading.incrementAndGet();
            reads.acquireUninterruptibly();
            return dns.readBack(wanted, limit);
        }

        @Override
        public void close() {}
    }

    @Test
    void whatComesUpWhileAllThreadsAreUnderWayGoesTogether() {
        HeldDns held = new HeldDns();
        try (NamePublisher crowded = new NamePublisher(held, Duration.ofSeconds(1), 60_000, status -> {})) {
            for (int i = 0; i < 4; i++) {
                int before = i;
                crowded.want(wanted("first-" + i, 1, "10.0.0.1"));
                await("under way without company", () -> held.updated.size() == before + 1);
            }
            for (int i = 0; i < 100; i++) {
                crowded.want(wanted("then-" + i, 1, "10.0.0.1"));
            }
            held.reads.release(1_000);
            held.updates.release(1_000);
            await(
                    "all served",
                    () -> crowded.status().size() == 104
                            && crowded.status().values().stream().allMatch(NamePublisher.NamesStatus::served));
            assertThat(held.updated).containsExactly(1, 1, 1, 1, 100);
        }
    }

    @Test
    void updatesDontWaitForReadBacksThatHang() {
        HeldDns held = new HeldDns();
        held.updates.release(1_000);
        try (NamePublisher hanging = new NamePublisher(held, Duration.ofSeconds(1), 60_000, status -> {})) {
            for (int i = 0; i < 3; i++) {
                int before = i;
                hanging.want(wanted("hanging-" + i, 1, "10.0.0.1"));
                await("read-back under way", () -> held.reading.get() == before + 1);
            }
            hanging.want(wanted("orders", 1, "10.0.0.1"));
            await("updated", () -> !held.dns.addresses("rw.orders").isEmpty());
            assertThat(held.reading).hasValue(3);
            hanging.want(wanted("orders", 2, "10.0.0.2"));
            await("updated again", () -> held.dns.addresses("rw.orders").equals(List.of("10.0.0.2")));
            held.reads.release(1_000);
            await(
                    "served",
                    () -> hanging.status().size() == 4
                            && hanging.status().values().stream().allMatch(NamePublisher.NamesStatus::served));
        }
    }

    @Test
    void aNewWishDoesntWaitForTheRetryOfTheOldOne() {
        HeldDns held = new HeldDns();
        held.updates.release(1_000);
        held.reads.release(1_000);
        held.dns.behave(Manner.REFUSES);
        try (NamePublisher refused = new NamePublisher(held, Duration.ofSeconds(1), 60_000, status -> {})) {
            refused.want(wanted("orders", 1, "10.0.0.1"));
            await("refused for the eighth time: the ninth is 2 s away", () -> held.updated.size() == 8);
            long began = System.nanoTime();
            held.dns.behave(Manner.ANSWERS);
            refused.want(wanted("orders", 2, "10.0.0.2"));
            await("updated", () -> held.dns.addresses("rw.orders").equals(List.of("10.0.0.2")));
            assertThat(System.nanoTime() - began).isLessThan(TimeUnit.MILLISECONDS.toNanos(1_900));
        }
    }

    private boolean served(long epoch) {
        var status = publisher.status().get("orders");
        return status != null && status.served() && status.wanted().epoch() == epoch;
    }

    private static WantedNames wanted(long epoch, String address) {
        return wanted("orders", epoch, address);
    }

    private static WantedNames wanted(String group, long epoch, String address) {
        return new WantedNames(
                group, epoch, "_ha-epoch." + group, List.of(new AddressName("rw." + group, List.of(address), 5)));
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
