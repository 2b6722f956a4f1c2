package org.haarbiter.lab;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import org.haarbiter.lab.WriteHistory.Acknowledgement;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Judges what the clients of one group saw, all of them together, wherever they were. Times are {@link System#nanoTime()} of
 * one machine, so what ended on one client before something began on another happened before it, and only such an order
 * is used: nothing that merely looks odd for a slow thread counts against the group.
 */
public final class HistoryCheck {

    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * The numbers that one client writes.
     *
     * @param first the smallest
     * @param end above the largest
     */
    public record Writer(long first, long end) {

        /** Whether the number is one of these. */
        public boolean wrote(long id) {
            return id >= first && id < end;
        }
    }

    /**
     * One answered read.
     *
     * @param server the server that the connection was to
     * @param newest the largest number found of each writer, in the writers' order; 0 for none
     * @param sentNanos just before the query was sent
     * @param answeredNanos just after the rows were read
     */
    public record Read(Endpoint server, List<Long> newest, long sentNanos, long answeredNanos) {
        /** Copies the list. */
        public Read {
            newest = List.copyOf(newest);
        }
    }

    /**
     * A write that was acknowledged by a server whose time as primary was over, as an earlier acknowledgement proves.
     *
     * @param write sent after {@code before} had been read
     * @param before the first acknowledgement by a later primary; null where {@code write}'s server never was primary
     */
    public record SecondWriter(
            Acknowledgement write, @Nullable Acknowledgement before) {

        /** How long after the later primary's first acknowledgement it was; 0 where there is none. */
        public double millis() {
            Acknowledgement first = before;
            return first == null ? 0 : (write.ackedNanos() - first.ackedNanos()) / NANOS_PER_MILLI;
        }
    }

    /**
     * A read that didn't find what somebody had seen before it began.
     *
     * @param wanted the largest number of that writer that was acknowledged, or read, before
     * @param found what it found of that writer
     * @param staleMillis for how long something newer than {@code found} had been seen when the read began
     */
    public record ReadBack(Read read, long wanted, long found, double staleMillis) {}

    /**
     * What came of it.
     *
     * @param acknowledged writes in all
     * @param lost acknowledged numbers that the last primary lacks
     * @param lostMillis how long before their server's last acknowledgement, before another server's next, the oldest of these
     *     was acknowledged; 0 where none is lost
     */
    public record Verdict(
            int acknowledged,
            SortedSet<Long> lost,
            double lostMillis,
            List<SecondWriter> secondWriters,
            List<ReadBack> readsBack) {
        /** Copies the collections. */
        public Verdict {
            lost = Collections.unmodifiableSortedSet(new TreeSet<>(lost));
            secondWriters = List.copyOf(secondWriters);
            readsBack = List.copyOf(readsBack);
        }

        /** How long after its time a former primary still acknowledged, at most; 0 where none did. */
        public double twoWritersMillis() {
            return secondWriters.stream()
                    .mapToDouble(SecondWriter::millis)
                    .max()
                    .orElse(0);
        }

        /** From the first of these writes to the last: for how long two took writes at once; 0 where none did. */
        public double overlapMillis() {
            if (secondWriters.isEmpty()) {
                return 0;
            }
            long origin = secondWriters.get(0).write().sentNanos();
            long first = 0;
            long last = 0;
            for (SecondWriter one : secondWriters) {
                first = Math.min(first, one.write().sentNanos() - origin);
                last = Math.max(last, one.write().ackedNanos() - origin);
            }
            return (last - first) / NANOS_PER_MILLI;
        }

        /** How old the oldest of the reads that went back was. */
        public double stalestMillis() {
            return readsBack.stream().mapToDouble(ReadBack::staleMillis).max().orElse(0);
        }
    }

    private HistoryCheck() {}

    /**
     * Judges.
     *
     * @param primaries who was primary, one after another, as the epochs went; the same may come twice
     * @param acknowledgements of all clients, in any order
     * @param writers whose numbers these are
     * @param reads of all clients, in any order
     * @param present the numbers that the last primary holds
     * @param lossless whether no write may be lost: else a later read needn't find what is
     */
    public static Verdict judge(
            List<Endpoint> primaries,
            List<Acknowledgement> acknowledgements,
            List<Writer> writers,
            List<Read> reads,
            Set<Long> present,
            boolean lossless) {
        SortedSet<Long> lost = acknowledgements.stream()
                .map(Acknowledgement::id)
                .filter(id -> !present.contains(id))
                .collect(Collectors.toCollection(TreeSet::new));
        return new Verdict(
                acknowledgements.size(),
                lost,
                reachMillis(acknowledgements, lost),
                secondWriters(primaries, acknowledgements),
                readsBack(acknowledgements, writers, reads, id -> lossless || present.contains(id)));
    }

    /** For how long the server of a lost write still acknowledged others after it, until another server did; of all, the longest. */
    private static double reachMillis(List<Acknowledgement> acknowledgements, Set<Long> lost) {
        List<Acknowledgement> sorted = new WriteHistory(acknowledgements).acknowledgements();
        double longest = 0;
        Acknowledgement last = null;
        for (int i = sorted.size() - 1; i >= 0; i--) {
            Acknowledgement one = sorted.get(i);
            if (last == null || !last.server().equals(one.server())) {
                last = one;
            }
            if (lost.contains(one.id())) {
                longest = Math.max(longest, (last.ackedNanos() - one.ackedNanos()) / NANOS_PER_MILLI);
            }
        }
        return longest;
    }

    /**
     * Gives each write the earliest time as primary that its server can have acknowledged it in: not before that of any write
     * that was acknowledged before this one was sent. Where there is none left, the server wrote out of its time. The
     * earliest leaves the most room to all later ones, so a history that has an explanation is given one.
     */
    private static List<SecondWriter> secondWriters(List<Endpoint> primaries, List<Acknowledgement> acknowledgements) {
        List<Acknowledgement> sent = new ArrayList<>(acknowledgements);
        // By difference, here and below: nanoTime may pass through its largest value.
        sent.sort((a, b) -> Long.signum(a.sentNanos() - b.sentNanos()));
        record Placed(Acknowledgement write, int turn) {}
        PriorityQueue<Placed> underWay = new PriorityQueue<>(
                (a, b) -> Long.signum(a.write().ackedNanos() - b.write().ackedNanos()));
        Acknowledgement[] firstOfTurn = new Acknowledgement[primaries.size()];
        int turn = 0;
        List<SecondWriter> found = new ArrayList<>();
        for (Acknowledgement write : sent) {
            Placed ended = underWay.peek();
            while (ended != null && ended.write().ackedNanos() - write.sentNanos() < 0) {
                underWay.poll();
                turn = Math.max(turn, ended.turn());
                if (firstOfTurn[ended.turn()] == null) {
                    firstOfTurn[ended.turn()] = ended.write();
                }
                ended = underWay.peek();
            }
            int own = turn;
            while (own < primaries.size() && !primaries.get(own).equals(write.server())) {
                own++;
            }
            if (own < primaries.size()) {
                underWay.add(new Placed(write, own));
            } else {
                int over = primaries.lastIndexOf(write.server());
                found.add(new SecondWriter(write, over < 0 ? null : firstAfter(firstOfTurn, over)));
            }
        }
        return found;
    }

    private static @Nullable Acknowledgement firstAfter(@Nullable Acknowledgement[] firstOfTurn, int turn) {
        return Arrays.stream(firstOfTurn, turn + 1, firstOfTurn.length)
                .filter(a -> a != null)
                .min((a, b) -> Long.signum(a.ackedNanos() - b.ackedNanos()))
                .orElse(null);
    }

    /** That so much of a writer had been seen by that time. */
    private record Seen(long id, long nanos) {}

    private static List<ReadBack> readsBack(
            List<Acknowledgement> acknowledgements, List<Writer> writers, List<Read> reads, LongPredicate lasting) {
        List<ReadBack> found = new ArrayList<>();
        for (int i = 0; i < writers.size(); i++) {
            Writer writer = writers.get(i);
            List<Seen> all = new ArrayList<>();
            for (Acknowledgement one : acknowledgements) {
                if (writer.wrote(one.id()) && lasting.test(one.id())) {
                    all.add(new Seen(one.id(), one.ackedNanos()));
                }
            }
            for (Read read : reads) {
                if (lasting.test(read.newest().get(i))) {
                    all.add(new Seen(read.newest().get(i), read.answeredNanos()));
                }
            }
            List<Seen> records = records(all);
            for (Read read : reads) {
                long newest = read.newest().get(i);
                Seen wanted = lastBefore(records, read.sentNanos());
                if (wanted != null && wanted.id() > newest) {
                    Seen firstMissed = records.stream()
                            .filter(seen -> seen.id() > newest)
                            .findFirst()
                            .orElse(wanted);
                    found.add(new ReadBack(
                            read, wanted.id(), newest, (read.sentNanos() - firstMissed.nanos()) / NANOS_PER_MILLI));
                }
            }
        }
        return found;
    }

    /** Only those that were larger than everything before them, in the order of time. */
    private static List<Seen> records(List<Seen> all) {
        all.sort(((Comparator<Seen>) (a, b) -> Long.signum(a.nanos() - b.nanos())).thenComparingLong(Seen::id));
        List<Seen> records = new ArrayList<>();
        long largest = 0;
        for (Seen seen : all) {
            if (seen.id() > largest) {
                largest = seen.id();
                records.add(seen);
            }
        }
        return records;
    }

    private static @Nullable Seen lastBefore(List<Seen> records, long nanos) {
        int from = 0;
        int to = records.size();
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (records.get(middle).nanos() - nanos < 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from == 0 ? null : records.get(from - 1);
    }
}
