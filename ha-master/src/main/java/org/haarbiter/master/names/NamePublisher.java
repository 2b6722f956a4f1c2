package org.haarbiter.master.names;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings each group's names to what is wanted, and keeps at it until every authoritative server shows it. Never delays a
 * decision: it has threads of its own. Only a leader wants anything.
 */
public final class NamePublisher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NamePublisher.class);
    private static final int THREADS = 4;
    private static final long FIRST_RETRY_MILLIS = 20;
    private static final long LAST_RETRY_MILLIS = 2_000;

    /** How it stands with one group. */
    public record NamesStatus(WantedNames wanted, boolean served, String detail, List<ServerReading> readings) {
        /** Copies the readings. */
        public NamesStatus {
            readings = List.copyOf(readings);
        }

        /** The names that must not exist and that no server shows; none while not all of them serve what is wanted. */
        public SortedSet<String> gone() {
            TreeSet<String> gone = new TreeSet<>();
            for (WantedNames.AddressName name : wanted.names()) {
                if (served && name.addresses().isEmpty()) {
                    gone.add(name.name());
                }
            }
            return gone;
        }
    }

    /** Told, on one of the publisher's threads, whenever a group's status changes. */
    @FunctionalInterface
    public interface Listener {
        /** The status is new. */
        void changed(NamesStatus status);
    }

    private static final class Work {
        WantedNames wanted;
        boolean running;
        int failures;
        boolean checkDue;
        List<String> warnings = List.of();
        boolean published;

        @Nullable
        NamesStatus status;

        Work(WantedNames wanted) {
            this.wanted = wanted;
        }
    }

    private final DnsProvider provider;
    private final Duration limit;
    private final Listener listener;
    private final ExecutorService workers;
    private final ScheduledExecutorService timer;
    private final ExecutorService checker;
    private final TreeMap<String, Work> works = new TreeMap<>();

    /**
     * Wants nothing yet.
     *
     * @param limit for each update and each read-back
     * @param verifyMillis how often names that are served are read back again
     */
    public NamePublisher(DnsProvider provider, Duration limit, long verifyMillis, Listener listener) {
        this.provider = provider;
        this.limit = limit;
        this.listener = listener;
        this.workers = Executors.newFixedThreadPool(THREADS, task -> daemon(task, "names"));
        this.timer = Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "names-timer"));
        this.checker = Executors.newSingleThreadExecutor(task -> daemon(task, "names-checker"));
        timer.scheduleWithFixedDelay(this::verifyAll, verifyMillis, verifyMillis, TimeUnit.MILLISECONDS);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** What shall be served from now on. Returns at once; the same wish again changes nothing. */
    public void want(WantedNames wanted) {
        synchronized (works) {
            Work work = works.get(wanted.group());
            if (work == null) {
                work = new Work(wanted);
                works.put(wanted.group(), work);
            } else if (work.wanted.equals(wanted)) {
                return;
            }
            work.wanted = wanted;
            work.failures = 0;
            work.published = false;
            start(wanted.group(), work, 0);
        }
    }

    /**
     * Sends a group's names again, whatever the servers showed last, and reads them back.
     *
     * @param group empty for all
     * @return how many groups' names go out
     */
    public int repair(String group) {
        int sent = 0;
        synchronized (works) {
            for (var each : works.entrySet()) {
                if (group.isEmpty() || group.equals(each.getKey())) {
                    Work work = each.getValue();
                    work.published = false;
                    work.failures = 0;
                    start(each.getKey(), work, 0);
                    sent++;
                }
            }
        }
        return sent;
    }

    /**
     * Asks all servers now what they say.
     *
     * @param group empty for all
     * @return completes when the statuses are of after this call
     */
    public CompletableFuture<Void> readNow(String group) {
        return CompletableFuture.runAsync(
                () -> {
                    Map<Work, WantedNames> asked = wantedNow(group);
                    var read = provider.readBack(List.copyOf(asked.values()), limit)
                            .iterator();
                    asked.forEach((work, wanted) -> {
                        NamesStatus status = read(wanted, read.next());
                        synchronized (works) {
                            if (works.get(wanted.group()) == work && work.wanted.equals(wanted)) {
                                work.status = status;
                            }
                        }
                    });
                },
                checker);
    }

    private Map<Work, WantedNames> wantedNow(String group) {
        Map<Work, WantedNames> wanted = new LinkedHashMap<>();
        synchronized (works) {
            works.forEach((name, work) -> {
                if (group.isEmpty() || group.equals(name)) {
                    wanted.put(work, work.wanted);
                }
            });
        }
        return wanted;
    }

    private static NamesStatus read(WantedNames wanted, List<ServerReading> readings) {
        boolean served =
                !readings.isEmpty() && readings.stream().allMatch(r -> r.state() == ServerReading.State.MATCHES);
        return new NamesStatus(wanted, served, served ? "" : firstProblem(readings), readings);
    }

    /** Nothing is wanted any more: this master doesn't lead. */
    public void forgetAll() {
        synchronized (works) {
            works.clear();
        }
    }

    /** What keeps the zone, for people. */
    public String provider() {
        return provider.name();
    }

    /** How it stands with each group. */
    public SortedMap<String, NamesStatus> status() {
        TreeMap<String, NamesStatus> all = new TreeMap<>();
        synchronized (works) {
            works.forEach((group, work) -> {
                if (work.status != null) {
                    all.put(group, work.status);
                }
            });
        }
        return all;
    }

    /** By authoritative server, of how many groups it was last seen not to show the names as they should be. */
    public SortedMap<String, Integer> behindByServer() {
        TreeMap<String, Integer> behind = new TreeMap<>();
        for (NamesStatus status : status().values()) {
            for (ServerReading reading : status.readings()) {
                behind.merge(reading.server(), reading.state() == ServerReading.State.MATCHES ? 0 : 1, Integer::sum);
            }
        }
        return behind;
    }

    /** By group, what the newest regular check found that will stand in the way later; only groups with something. */
    public SortedMap<String, List<String>> warnings() {
        TreeMap<String, List<String>> all = new TreeMap<>();
        synchronized (works) {
            works.forEach((group, work) -> {
                if (!work.warnings.isEmpty()) {
                    all.put(group, work.warnings);
                }
            });
        }
        return all;
    }

    private void start(String group, Work work, long delayMillis) {
        if (work.running) {
            return;
        }
        work.running = true;
        if (delayMillis == 0) {
            workers.execute(() -> attempt(group, work));
        } else {
            timer.schedule(() -> workers.execute(() -> attempt(group, work)), delayMillis, TimeUnit.MILLISECONDS);
        }
    }

    private void attempt(String group, Work work) {
        WantedNames wanted;
        boolean published;
        boolean checkDue;
        synchronized (works) {
            if (works.get(group) != work) {
                return;
            }
            wanted = work.wanted;
            published = work.published;
            checkDue = work.checkDue;
            work.checkDue = false;
        }
        NamesStatus status;
        boolean givenUp = false;
        try {
            PublishOutcome outcome = published
                    ? new PublishOutcome(PublishOutcome.Result.PUBLISHED, "")
                    : provider.publish(wanted, limit);
            if (outcome.result() == PublishOutcome.Result.PUBLISHED) {
                published = true;
                List<ServerReading> readings = provider.readBack(wanted, limit);
                status = read(wanted, readings);
                boolean served = status.served();
                // A server that stays different may have lost the update: send it again.
                published = served
                        || readings.stream().noneMatch(r -> r.state() == ServerReading.State.DIFFERS)
                        || work.failures % 8 != 7;
            } else {
                givenUp = outcome.result() == PublishOutcome.Result.NEWER_EPOCH;
                status = new NamesStatus(wanted, false, outcome.detail(), List.of());
            }
        } catch (RuntimeException e) {
            LOG.error("names of group {} can't be published", group, e);
            status = new NamesStatus(wanted, false, "a fault in the DNS provider: " + e, List.of());
        }
        boolean tell;
        synchronized (works) {
            work.running = false;
            if (works.get(group) != work) {
                return;
            }
            tell = !status.equals(work.status);
            work.status = status;
            if (!work.wanted.equals(wanted)) {
                start(group, work, 0);
            } else {
                work.published = published;
                if (status.served()) {
                    work.failures = 0;
                } else if (!givenUp) {
                    work.failures++;
                    start(
                            group,
                            work,
                            Math.min(LAST_RETRY_MILLIS, FIRST_RETRY_MILLIS << Math.min(10, work.failures - 1)));
                }
            }
        }
        if (tell) {
            if (!status.served()) {
                LOG.warn(
                        "names of group {} at epoch {} aren't served everywhere: {}",
                        group,
                        wanted.epoch(),
                        status.detail());
            }
            listener.changed(status);
        }
        if (checkDue && status.served()) {
            checker.execute(() -> check(group, work, wanted));
        }
    }

    /** On a thread of its own, after a regular read-back of served names: it must not delay a switch's update. */
    private void check(String group, Work work, WantedNames wanted) {
        synchronized (works) {
            if (works.get(group) != work || !work.wanted.equals(wanted)) {
                return;
            }
        }
        List<String> warnings;
        try {
            warnings = provider.warnings(wanted, limit);
        } catch (RuntimeException e) {
            LOG.error("the DNS of group {} can't be checked", group, e);
            warnings = List.of("the check of its DNS failed: " + e);
        }
        synchronized (works) {
            if (!warnings.equals(work.warnings)) {
                warnings.forEach(warning -> LOG.warn("names of group {}: {}", group, warning));
            }
            work.warnings = warnings;
        }
    }

    private static String firstProblem(List<ServerReading> readings) {
        for (ServerReading reading : readings) {
            if (reading.state() != ServerReading.State.MATCHES) {
                return reading.server() + ": " + reading.detail();
            }
        }
        return "no authoritative server is configured";
    }

    /** Somebody may have changed the zone by hand, or a secondary may have fallen behind. */
    private void verifyAll() {
        synchronized (works) {
            works.forEach((group, work) -> {
                if (work.status != null && work.status.served()) {
                    work.checkDue = true;
                    start(group, work, 0);
                }
            });
        }
    }

    /** Ends the threads; the zone stays as it is. */
    @Override
    public void close() {
        timer.shutdownNow();
        workers.shutdownNow();
        checker.shutdownNow();
    }
}
