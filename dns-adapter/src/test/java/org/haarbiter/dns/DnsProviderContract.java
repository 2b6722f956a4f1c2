package org.haarbiter.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames.AddressName;
import org.junit.jupiter.api.Test;

/** What every provider must do. Each test has a group of its own, so that they may share a zone. */
public abstract class DnsProviderContract {

    protected static final Duration LIMIT = Duration.ofSeconds(10);

    private static final AtomicInteger GROUPS = new AtomicInteger();

    private final String group = "g" + GROUPS.incrementAndGet();

    /** A provider on the zone, as one master has it. */
    protected abstract DnsProvider provider();

    /** Another provider on the same zone, as another master has it. */
    protected abstract DnsProvider another();

    /** The addresses that a client gets from the zone; empty where the name doesn't exist. */
    protected abstract List<String> lookup(String name);

    /** The texts of all TXT records at the epoch name. */
    protected abstract List<String> epochTexts(String epochName);

    /** A number that moves with each change of the zone. */
    protected abstract long changes();

    /** Whether TTLs can be read back. */
    protected boolean knowsTtls() {
        return true;
    }

    /** Whether of two that write at the same time the older epoch is held off. */
    protected boolean comparesAndSets() {
        return true;
    }

    /** A group name that no other test uses. */
    protected String group() {
        return group;
    }

    protected WantedNames wanted(long epoch, String primary, String... replicas) {
        return new WantedNames(
                group,
                epoch,
                epochName(),
                List.of(new AddressName(rw(), List.of(primary), 1), new AddressName(ro(), List.of(replicas), 1)));
    }

    protected String epochName() {
        return "_ha-epoch." + group;
    }

    protected String rw() {
        return group + "-rw";
    }

    protected String ro() {
        return group + "-ro";
    }

    @Test
    void firstUpdateCreatesNamesAndEpoch() {
        published(provider(), wanted(1, "10.0.0.1", "10.0.0.2", "10.0.0.3"));

        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        assertThat(lookup(ro())).containsExactlyInAnyOrder("10.0.0.2", "10.0.0.3");
        assertThat(epochTexts(epochName())).containsExactly("1");
    }

    @Test
    void newerEpochReplacesEverything() {
        published(provider(), wanted(1, "10.0.0.1", "10.0.0.2", "10.0.0.3"));
        published(another(), wanted(2, "10.0.0.2", "10.0.0.3"));

        assertThat(lookup(rw())).containsExactly("10.0.0.2");
        assertThat(lookup(ro())).containsExactly("10.0.0.3");
        assertThat(epochTexts(epochName())).containsExactly("2");
    }

    @Test
    void epochsMayBeSkipped() {
        published(provider(), wanted(3, "10.0.0.1"));
        published(provider(), wanted(1_000_000_007L, "10.0.0.2"));

        assertThat(epochTexts(epochName())).containsExactly("1000000007");
    }

    @Test
    void olderEpochChangesNothing() {
        published(provider(), wanted(4, "10.0.0.4")); // so that the deposed one remembers an epoch
        published(another(), wanted(5, "10.0.0.5", "10.0.0.6"));
        long before = changes();

        for (WantedNames old : List.of(wanted(4, "10.0.0.4", "10.0.0.9"), wanted(1, "10.0.0.1"))) {
            PublishOutcome outcome = provider().publish(old, LIMIT);
            assertThat(outcome.result()).isEqualTo(Result.NEWER_EPOCH);
            assertThat(outcome.detail()).contains("epoch 5").contains("newer than " + old.epoch());
        }

        assertThat(changes()).isEqualTo(before);
        assertThat(lookup(rw())).containsExactly("10.0.0.5");
        assertThat(lookup(ro())).containsExactly("10.0.0.6");
        assertThat(epochTexts(epochName())).containsExactly("5");
    }

    @Test
    void askedTwiceItChangesNothingMore() {
        published(provider(), wanted(2, "10.0.0.1", "10.0.0.2"));
        long before = changes();

        published(provider(), wanted(2, "10.0.0.1", "10.0.0.2"));
        published(another(), wanted(2, "10.0.0.1", "10.0.0.2"));

        assertThat(changes()).isEqualTo(before);
        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        assertThat(epochTexts(epochName())).containsExactly("2");
    }

    @Test
    void sameEpochMayHaveOtherReplicas() {
        published(provider(), wanted(2, "10.0.0.1", "10.0.0.2", "10.0.0.3"));
        published(another(), wanted(2, "10.0.0.1", "10.0.0.3"));

        assertThat(lookup(ro())).containsExactly("10.0.0.3");
        assertThat(epochTexts(epochName())).containsExactly("2");
    }

    @Test
    void nameWithoutAddressesDoesNotExist() {
        published(provider(), wanted(1, "10.0.0.1", "10.0.0.2", "fd00::2"));
        published(provider(), wanted(2, "10.0.0.1"));

        assertThat(lookup(ro())).isEmpty();
        assertThat(provider().readBack(wanted(2, "10.0.0.1"), LIMIT))
                .extracting(ServerReading::state)
                .containsOnly(State.MATCHES);
    }

    @Test
    void bothFamiliesOfAddresses() {
        published(provider(), wanted(1, "fd00::1", "10.0.0.2", "fd00::2"));
        assertThat(lookup(rw())).containsExactly("fd00::1");

        published(provider(), wanted(2, "10.0.0.1", "10.0.0.2"));
        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        assertThat(lookup(ro())).containsExactly("10.0.0.2");
    }

    @Test
    void groupsDoNotMeet() {
        published(provider(), wanted(7, "10.0.0.1"));
        String other = group + "-other";
        published(
                provider(),
                new WantedNames(
                        other, 1, "_ha-epoch." + other, List.of(new AddressName(other, List.of("10.0.1.1"), 1))));

        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        assertThat(lookup(other)).containsExactly("10.0.1.1");
    }

    @Test
    void nameListedTwiceIsRefused() {
        long before = changes();
        AddressName name = new AddressName(rw(), List.of("10.0.0.1"), 1);
        PublishOutcome outcome = provider().publish(new WantedNames(group, 1, epochName(), List.of(name, name)), LIMIT);

        assertThat(outcome.result()).isEqualTo(Result.REFUSED);
        assertThat(outcome.detail()).contains(rw()).contains("listed twice");
        assertThat(changes()).isEqualTo(before);
    }

    @Test
    void readBackNamesWhatDiffers() {
        published(provider(), wanted(1, "10.0.0.1", "10.0.0.2"));

        assertThat(provider().readBack(wanted(1, "10.0.0.1", "10.0.0.2"), LIMIT))
                .isNotEmpty()
                .allSatisfy(reading -> {
                    assertThat(reading.state()).isEqualTo(State.MATCHES);
                    assertThat(reading.detail()).isEmpty();
                });
        differs(wanted(2, "10.0.0.1", "10.0.0.2"), epochName(), "1 (must be 2)");
        differs(wanted(1, "10.0.0.9", "10.0.0.2"), rw(), "10.0.0.1 (must be 10.0.0.9)");
        differs(wanted(1, "10.0.0.1"), ro(), "10.0.0.2 (must be none)");
        differs(wanted(1, "10.0.0.1", "10.0.0.2", "fd00::9"), ro(), "fd00");
        if (knowsTtls()) {
            differs(
                    new WantedNames(group, 1, epochName(), List.of(new AddressName(rw(), List.of("10.0.0.1"), 60))),
                    rw(),
                    "TTL: 1 (must be 60)");
        }
        differs(
                new WantedNames("none", 1, "_ha-epoch.none", List.of(new AddressName("none", List.of("10.0.0.1"), 1))),
                "_ha-epoch.none",
                "none (must be 1)");
    }

    private void differs(WantedNames wanted, String... words) {
        assertThat(provider().readBack(wanted, LIMIT)).isNotEmpty().allSatisfy(reading -> {
            assertThat(reading.state()).isEqualTo(State.DIFFERS);
            assertThat(reading.detail()).contains(words);
        });
    }

    @Test
    void severalGroupsAtOnceEachByItsOwnEpoch() {
        WantedNames stale = ofGroup("stale", 1, "10.0.0.1");
        published(another(), ofGroup("stale", 2, "10.0.0.2"));
        AddressName name = new AddressName(group + "-twice", List.of("10.0.0.1"), 1);
        WantedNames wrong = new WantedNames(group + "-wrong", 1, "_ha-epoch.wrong", List.of(name, name));
        published(provider(), ofGroup("known", 1, "10.0.0.1"));
        List<WantedNames> all = List.of(
                ofGroup("new", 1, "10.0.0.7"),
                stale,
                wrong,
                ofGroup("known", 2, "10.0.0.8"),
                ofGroup("last", 9, "fd00::9"));

        List<PublishOutcome> outcomes = provider().publish(all, LIMIT);

        assertThat(outcomes)
                .extracting(PublishOutcome::result)
                .containsExactly(
                        Result.PUBLISHED, Result.NEWER_EPOCH, Result.REFUSED, Result.PUBLISHED, Result.PUBLISHED);
        assertThat(outcomes.get(1).detail()).contains("epoch 2").contains("newer than 1");
        assertThat(outcomes.get(2).detail()).contains("listed twice");
        assertThat(lookup(group + "-new")).containsExactly("10.0.0.7");
        assertThat(lookup(group + "-stale")).containsExactly("10.0.0.2");
        assertThat(lookup(group + "-known")).containsExactly("10.0.0.8");
        assertThat(lookup(group + "-last")).containsExactly("fd00::9");
        assertThat(provider().readBack(all, LIMIT)).hasSize(all.size());
        assertThat(provider().readBack(all, LIMIT))
                .allSatisfy(readings -> assertThat(readings).isNotEmpty())
                .extracting(readings -> readings.get(0).state())
                .containsExactly(State.MATCHES, State.DIFFERS, State.DIFFERS, State.MATCHES, State.MATCHES);
    }

    /** More than one message can hold, and than one datagram or connection need bear. */
    @Test
    void manyGroupsAtOnce() {
        List<WantedNames> all = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            all.add(ofGroup("many-" + i, 1, "10.4." + i / 250 + "." + i % 250));
        }
        assertThat(provider().publish(all, LIMIT))
                .hasSize(500)
                .extracting(PublishOutcome::result)
                .containsOnly(Result.PUBLISHED);
        assertThat(provider().readBack(all, LIMIT))
                .hasSize(500)
                .allSatisfy(readings ->
                        assertThat(readings).extracting(ServerReading::state).containsOnly(State.MATCHES));
        assertThat(lookup(group + "-many-499")).containsExactly("10.4.1.249");
        assertThat(provider().publish(List.of(), LIMIT)).isEmpty();
        assertThat(provider().readBack(List.of(), LIMIT)).isEmpty();
    }

    private WantedNames ofGroup(String suffix, long epoch, String address) {
        String name = group + "-" + suffix;
        return new WantedNames(name, epoch, "_ha-epoch." + name, List.of(new AddressName(name, List.of(address), 1)));
    }

    /** Masters that don't know of each other publish all epochs in random order: the zone only ever goes forward. */
    @Test
    void racingPublishersNeverGoBack() throws Exception {
        int epochs = 40;
        List<Long> order = new ArrayList<>();
        for (long epoch = 1; epoch <= epochs; epoch++) {
            order.add(epoch);
        }
        long seed = System.nanoTime();
        Collections.shuffle(order, new Random(seed));
        AtomicInteger next = new AtomicInteger();
        CountDownLatch watching = new CountDownLatch(1);
        AtomicBoolean racing = new AtomicBoolean(true);
        ExecutorService threads = Executors.newFixedThreadPool(5);
        List<Future<?>> publishers = new ArrayList<>();
        List<Long> seen = new ArrayList<>();
        List<String> torn = new ArrayList<>();
        try {
            Future<?> watcher = threads.submit(() -> {
                boolean last = false;
                while (!last) {
                    last = !racing.get(); // one more look after the end, so that it always sees something
                    watching.countDown();
                    List<String> texts = epochTexts(epochName());
                    if (texts.size() > 1) {
                        torn.add("several epochs: " + texts);
                    }
                    for (String text : texts) {
                        seen.add(Long.parseLong(text));
                    }
                }
            });
            watching.await();
            for (int i = 0; i < 4; i++) {
                DnsProvider provider = i % 2 == 0 ? provider() : another();
                publishers.add(threads.submit(() -> {
                    for (int at = next.getAndIncrement(); at < epochs; at = next.getAndIncrement()) {
                        long epoch = order.get(at);
                        PublishOutcome outcome = provider.publish(ofEpoch(epoch), LIMIT);
                        assertThat(outcome.result())
                                .as("epoch %d, seed %d: %s", epoch, seed, outcome.detail())
                                .isIn(
                                        Result.PUBLISHED,
                                        Result.NEWER_EPOCH,
                                        comparesAndSets() ? Result.PUBLISHED : Result.UNKNOWN);
                    }
                }));
            }
            for (Future<?> publisher : publishers) {
                publisher.get();
            }
            racing.set(false);
            watcher.get();
        } finally {
            racing.set(false);
            threads.shutdownNow();
        }

        assertThat(torn).as("seed %d", seed).isEmpty();
        assertThat(seen).as("seed %d", seed).isNotEmpty();
        if (comparesAndSets()) {
            assertThat(seen).as("seed %d", seed).isSorted();
        } else {
            published(provider(), ofEpoch(epochs)); // as after the leader's next regular read-back
        }
        assertThat(epochTexts(epochName())).containsExactly(Integer.toString(epochs));
        assertThat(provider().readBack(ofEpoch(epochs), LIMIT))
                .anySatisfy(reading -> assertThat(reading.state()).isEqualTo(State.MATCHES));
    }

    /** All names tell the epoch, so that a mixture of two updates would show. */
    private WantedNames ofEpoch(long epoch) {
        return wanted(epoch, "10.1.0." + epoch, "10.2.0." + epoch, "10.3.0." + epoch);
    }

    protected void published(DnsProvider provider, WantedNames wanted) {
        PublishOutcome outcome = provider.publish(wanted, LIMIT);
        assertThat(outcome.result()).as(outcome.detail()).isEqualTo(Result.PUBLISHED);
        assertThat(outcome.detail()).isEmpty();
    }
}
