package org.haarbiter.lab;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.haarbiter.words.Endpoint;

/**
 * What a client saw acknowledged, in the order in which it saw it. All times are {@link System#nanoTime()} of one JVM.
 */
public final class WriteHistory {

    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * One acknowledged write.
     *
     * @param id what was written
     * @param server the server that the connection was to
     * @param connectedNanos when that connection began to be opened
     * @param sentNanos just before the statement was sent
     * @param ackedNanos just after the OK was read
     */
    public record Acknowledgement(long id, Endpoint server, long connectedNanos, long sentNanos, long ackedNanos) {}

    /**
     * What a fault did to the client. Milliseconds are counted from the fault.
     *
     * @param lastOldMillis the last acknowledgement by the old server; negative when it was before the fault
     * @param firstNewMillis the first acknowledgement by any other server, on any connection
     * @param newServer that server
     * @param firstFreshMillis the first acknowledgement by another server on a connection that began to be opened after the
     *     fault
     */
    public record Outage(double lastOldMillis, double firstNewMillis, Endpoint newServer, double firstFreshMillis) {

        /** How long no server acknowledged anything; negative when two did at once. */
        public double silenceMillis() {
            return firstNewMillis - lastOldMillis;
        }
    }

    private final List<Acknowledgement> acknowledgements;

    /** A history of these acknowledgements, in any order. */
    public WriteHistory(List<Acknowledgement> acknowledgements) {
        List<Acknowledgement> sorted = new ArrayList<>(acknowledgements);
        // Compared by difference: nanoTime may pass through its largest value.
        sorted.sort((a, b) -> Long.signum(a.ackedNanos() - b.ackedNanos()));
        this.acknowledgements = List.copyOf(sorted);
    }

    /** All, by the time of acknowledgement. */
    public List<Acknowledgement> acknowledgements() {
        return acknowledgements;
    }

    /** The acknowledged ids, smallest first. */
    public List<Long> ids() {
        return acknowledgements.stream()
                .map(Acknowledgement::id)
                .sorted(Comparator.naturalOrder())
                .toList();
    }

    /** The part that was acknowledged from one moment to another, both included. */
    public WriteHistory between(long fromNanos, long toNanos) {
        return new WriteHistory(acknowledgements.stream()
                .filter(a -> a.ackedNanos() - fromNanos >= 0 && toNanos - a.ackedNanos() >= 0)
                .toList());
    }

    /**
     * The outage that a fault of the server {@code old} made; empty until another server acknowledged a write on a
     * connection opened after the fault.
     */
    public Optional<Outage> outage(long faultNanos, Endpoint old) {
        double lastOld = Double.NEGATIVE_INFINITY;
        Acknowledgement firstNew = null;
        Acknowledgement firstFresh = null;
        for (Acknowledgement a : acknowledgements) {
            if (a.server().equals(old)) {
                // A server that comes back later as primary again is not part of this outage.
                if (firstFresh == null) {
                    lastOld = millis(faultNanos, a.ackedNanos());
                }
            } else if (a.ackedNanos() - faultNanos >= 0) {
                if (firstNew == null) {
                    firstNew = a;
                }
                if (firstFresh == null && a.connectedNanos() - faultNanos >= 0) {
                    firstFresh = a;
                }
            }
        }
        if (firstNew == null || firstFresh == null) {
            return Optional.empty();
        }
        return Optional.of(new Outage(
                lastOld,
                millis(faultNanos, firstNew.ackedNanos()),
                firstNew.server(),
                millis(faultNanos, firstFresh.ackedNanos())));
    }

    /** The longest time without any acknowledgement between the first and the last of this history; 0 for fewer than two. */
    public double longestSilenceMillis() {
        double longest = 0;
        for (int i = 1; i < acknowledgements.size(); i++) {
            longest = Math.max(
                    longest,
                    millis(
                            acknowledgements.get(i - 1).ackedNanos(),
                            acknowledgements.get(i).ackedNanos()));
        }
        return longest;
    }

    /**
     * How long two servers acknowledged writes at the same time: from the first acknowledgement by a second server to the
     * last by the one that was first in this history; 0 when they don't overlap. Give it the part of one switch
     * ({@link #between}). The times are those of the client's threads, so a thread that was kept waiting for a processor
     * can make it look too long, never too short.
     */
    public double twoWritersMillis() {
        return overlapMillis(false);
    }

    /**
     * The same, but counting only writes that the first server acknowledged and that were sent after the second server's first
     * acknowledgement had been read. Anything above 0 proves that two servers took writes at once.
     */
    public double provenTwoWritersMillis() {
        return overlapMillis(true);
    }

    private double overlapMillis(boolean proven) {
        Acknowledgement firstNew = null;
        double overlap = 0;
        for (Acknowledgement a : acknowledgements) {
            boolean byOld = a.server().equals(acknowledgements.get(0).server());
            if (firstNew == null && !byOld) {
                firstNew = a;
            } else if (firstNew != null && byOld && (!proven || a.sentNanos() - firstNew.ackedNanos() > 0)) {
                overlap = Math.max(overlap, millis(firstNew.ackedNanos(), a.ackedNanos()));
            }
        }
        return overlap;
    }

    private static double millis(long fromNanos, long toNanos) {
        return (toNanos - fromNanos) / NANOS_PER_MILLI;
    }
}
