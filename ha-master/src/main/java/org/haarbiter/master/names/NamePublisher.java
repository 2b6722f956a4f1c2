package org.haarbiter.master.names;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
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
 *
 * <p>What comes up while a thread is free goes at once. What comes up while all are under way goes together with the next that is
 * free, so that a storm of switches costs the DNS servers a few messages and nobody waits for company. A server that doesn't answer
 * holds up read-backs only: one thread is kept for updates.
 */
public final class NamePublisher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NamePublisher.class);
    private static final int THREADS = 4;

    /** As many as a read-back of all gets through in the usual limit. */
    private static final int MOST_TOGETHER = 500;

    private static final long FIRST_RETRY_MILLIS = 20;
    private static final long LAST_RETRY_MILLIS = 2_000;

    /** A read-back that differs is mostly a secondary that is on its way; each eighth in a row has the update sent again. */
    private static final int READS_FOR_AN_UPDATE = 8;

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

    /** What is done for a group next; the first is the most urgent. */
    private enum Step {
        UPDATE,
        /** Until every server shows an update. */
        READ,
        /** Of names that were served when last seen. */
        CHECK
    }

    private enum Place {
        RESTS,
        /** For a retry. */
        WAITS,
        DUE,
        UNDER_WAY
    }

    /** Guarded by the lock on all of them. */
    private static final class Work {
        final String group;
        WantedNames wanted;
        Place place = Place.RESTS;

        /** Of the newest wait; an older one that ends means nothing. */
        int wait;

        int failures;
        List<String> warnings = List.of();
        boolean published;

        @Nullable
        NamesStatus status;

        Work(WantedNames wanted) {
            this.group = wanted.group();
            this.wanted = wanted;
        }
    }

    /** What was wanted of a group as a thread began with it. */
    private record Attempt(Work work, WantedNames wanted) {}

    /** Attempts at one step; none means that nothing is due. */
    private record Batch(Step step, List<Attempt> attempts) {
        List<WantedNames> wanted() {
            return attempts.stream().map(Attempt::wanted).toList();
        }
    }

    private final DnsProvider provider;
    private final Duration limit;
    private final Listener listener;
    private final ExecutorService workers;
    private final ScheduledExecutorService timer;
    private final ExecutorService checker;
    private final TreeMap<String, Work> works = new TreeMap<>();

    /** By step, in order; each work stands in one of them once at most. Guarded by {@code works}, as is what follows. */
    private final EnumMap<Step, ArrayDeque<Work>> due = new EnumMap<>(Step.class);

    private final EnumMap<Step, Integer> busy = new EnumMap<>(Step.class);
    private int idle = THREADS;

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
            if (work.place != Place.UNDER_WAY) {
                put(work, Step.UPDATE);
            }
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
            for (Work work : works.values()) {
                if (group.isEmpty() || group.equals(work.group)) {
                    work.published = false;
                    work.failures = 0;
                    if (work.place != Place.UNDER_WAY) {
                        put(work, Step.UPDATE);
                    }
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

    /** This group's names are nobody's business any more: it was removed, and they are gone. */
    public void forget(String group) {
        synchronized (works) {
            Work work = works.remove(group);
            if (work != null && work.place == Place.DUE) {
                due.values().forEach(line -> line.remove(work));
            }
        }
    }

    /** Nothing is wanted any more: this master doesn't lead. */
    public void forgetAll() {
        synchronized (works) {
            works.clear();
            due.values().forEach(ArrayDeque::clear);
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

    /** With the lock: out of where it stands, into the line for this step. */
    private void put(Work work, Step step) {
        if (work.place == Place.DUE) {
            due.values().forEach(line -> line.remove(work));
        }
        work.place = Place.DUE;
        work.wait++;
        line(step).add(work);
        if (idle > 0) {
            idle--;
            workers.execute(this::work);
        }
    }

    private ArrayDeque<Work> line(Step step) {
        return due.computeIfAbsent(step, s -> new ArrayDeque<>());
    }

    private int busy(Step step) {
        return busy.getOrDefault(step, 0);
    }

    /** With the lock: into the line after a while. */
    private void wait(Work work, long millis) {
        work.place = Place.WAITS;
        int wait = ++work.wait;
        timer.schedule(
                () -> {
                    synchronized (works) {
                        if (works.get(work.group) == work && work.wait == wait) {
                            put(work, work.published ? Step.READ : Step.UPDATE);
                        }
                    }
                },
                millis,
                TimeUnit.MILLISECONDS);
    }

    private void work() {
        for (Batch batch = next(); !batch.attempts().isEmpty(); batch = next()) {
            if (batch.step() == Step.UPDATE) {
                update(batch);
            } else {
                readBack(batch);
            }
            synchronized (works) {
                busy.merge(batch.step(), -1, Integer::sum);
            }
        }
    }

    /** The most urgent of what is due and allowed. Where there is nothing the thread counts as idle, and ends. */
    private Batch next() {
        synchronized (works) {
            for (Step step : Step.values()) {
                List<Attempt> attempts = new ArrayList<>();
                while (allowed(step) && !line(step).isEmpty() && attempts.size() < MOST_TOGETHER) {
                    Work work = line(step).remove();
                    work.place = Place.UNDER_WAY;
                    attempts.add(new Attempt(work, work.wanted));
                }
                if (!attempts.isEmpty()) {
                    busy.merge(step, 1, Integer::sum);
                    return new Batch(step, attempts);
                }
            }
            idle++;
            return new Batch(Step.UPDATE, List.of());
        }
    }

    /** Whatever isn't allowed is taken up by the thread that is busy with its like, once it is done. */
    private boolean allowed(Step step) {
        return switch (step) {
            case UPDATE -> true;
            case READ -> busy(Step.READ) + busy(Step.CHECK) < THREADS - 1;
            case CHECK -> busy(Step.READ) + busy(Step.CHECK) < THREADS - 1 && busy(Step.CHECK) == 0;
        };
    }

    private void update(Batch batch) {
        List<PublishOutcome> outcomes;
        try {
            outcomes = provider.publish(batch.wanted(), limit);
        } catch (RuntimeException e) {
            fault(batch, e);
            return;
        }
        for (int i = 0; i < outcomes.size(); i++) {
            Attempt attempt = batch.attempts().get(i);
            PublishOutcome outcome = outcomes.get(i);
            if (outcome.result() == PublishOutcome.Result.PUBLISHED) {
                published(attempt);
            } else {
                finish(
                        attempt,
                        Step.UPDATE,
                        new NamesStatus(attempt.wanted(), false, outcome.detail(), List.of()),
                        false,
                        outcome.result() != PublishOutcome.Result.NEWER_EPOCH);
            }
        }
    }

    private void published(Attempt attempt) {
        Work work = attempt.work();
        synchronized (works) {
            if (works.get(work.group) == work) {
                work.published = work.wanted.equals(attempt.wanted());
                put(work, work.published ? Step.READ : Step.UPDATE);
            }
        }
    }

    private void readBack(Batch batch) {
        List<List<ServerReading>> all;
        try {
            all = provider.readBack(batch.wanted(), limit);
        } catch (RuntimeException e) {
            fault(batch, e);
            return;
        }
        for (int i = 0; i < all.size(); i++) {
            Attempt attempt = batch.attempts().get(i);
            List<ServerReading> readings = all.get(i);
            boolean differs = readings.stream().anyMatch(r -> r.state() == ServerReading.State.DIFFERS);
            finish(attempt, batch.step(), read(attempt.wanted(), readings), !differs || !eighth(attempt.work()), true);
        }
    }

    private void fault(Batch batch, RuntimeException fault) {
        LOG.error(
                "names of {} group(s) can't be published or read back",
                batch.attempts().size(),
                fault);
        for (Attempt attempt : batch.attempts()) {
            String sentence = "a fault in the DNS provider: " + fault;
            finish(
                    attempt,
                    batch.step(),
                    new NamesStatus(attempt.wanted(), false, sentence, List.of()),
                    batch.step() != Step.UPDATE,
                    true);
        }
    }

    private boolean eighth(Work work) {
        synchronized (works) {
            return work.failures % READS_FOR_AN_UPDATE == READS_FOR_AN_UPDATE - 1;
        }
    }

    private void finish(Attempt attempt, Step step, NamesStatus status, boolean published, boolean goesOn) {
        Work work = attempt.work();
        boolean tell;
        synchronized (works) {
            if (works.get(work.group) != work) {
                return;
            }
            tell = !status.equals(work.status);
            work.status = status;
            work.place = Place.RESTS;
            if (!work.wanted.equals(attempt.wanted())) {
                put(work, Step.UPDATE);
            } else {
                work.published = published;
                if (status.served()) {
                    work.failures = 0;
                } else if (goesOn) {
                    work.failures++;
                    wait(work, Math.min(LAST_RETRY_MILLIS, FIRST_RETRY_MILLIS << Math.min(10, work.failures - 1)));
                }
            }
        }
        if (tell) {
            if (!status.served()) {
                LOG.warn(
                        "names of group {} at epoch {} aren't served everywhere: {}",
                        work.group,
                        status.wanted().epoch(),
                        status.detail());
            }
            try {
                listener.changed(status);
            } catch (RuntimeException e) {
                LOG.error("nobody was told how it stands with the names of group {}", work.group, e);
            }
        }
        if (step == Step.CHECK && status.served()) {
            checker.execute(() -> check(work, attempt.wanted()));
        }
    }

    /** On a thread of its own, after a regular read-back of served names: it must not delay a switch's update. */
    private void check(Work work, WantedNames wanted) {
        synchronized (works) {
            if (works.get(work.group) != work || !work.wanted.equals(wanted)) {
                return;
            }
        }
        List<String> warnings;
        try {
            warnings = provider.warnings(wanted, limit);
        } catch (RuntimeException e) {
            LOG.error("the DNS of group {} can't be checked", work.group, e);
            warnings = List.of("the check of its DNS failed: " + e);
        }
        synchronized (works) {
            if (!warnings.equals(work.warnings)) {
                warnings.forEach(warning -> LOG.warn("names of group {}: {}", work.group, warning));
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
            for (Work work : works.values()) {
                if (work.place == Place.RESTS && work.status != null && work.status.served()) {
                    put(work, Step.CHECK);
                }
            }
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
