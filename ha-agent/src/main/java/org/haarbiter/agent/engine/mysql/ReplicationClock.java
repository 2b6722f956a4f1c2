package org.haarbiter.agent.engine.mysql;

import java.util.ArrayDeque;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.jspecify.annotations.Nullable;

/**
 * Tells how long ago the source was heard, and how far applying is behind receiving, by this machine's monotonic clock
 * alone: the servers' time stamps are wall time of several machines. Confined to one thread, but for {@link #heardMillis}.
 */
final class ReplicationClock {
    private static final int SAMPLES = 512;

    private record Sample(long nanos, Position received) {}

    private final ArrayDeque<Sample> unapplied = new ArrayDeque<>();
    private @Nullable Endpoint source;
    private String inputs = "";

    /** Commits waited for acknowledgements when it was looked at last, and since when none of them has gone through. */
    private boolean waits;

    private long waitingNanos;
    private long acknowledged;

    /** When the source was heard last; null where it never was. */
    private volatile @Nullable Long heardNanos;

    /** The server was looked at. Of a source that was first seen now nothing has been heard yet. */
    void saw(Replication replication, Position applied, long nowNanos) {
        boolean stuck = waits && replication.waiting() > 0 && replication.acknowledged() == acknowledged;
        if (!stuck) {
            waitingNanos = nowNanos;
        }
        waits = replication.waiting() > 0;
        acknowledged = replication.acknowledged();
        Endpoint present = replication.source();
        String marks = replication.inputs() + " " + replication.received();
        if (present == null || !present.equals(source)) {
            heardNanos = null;
        } else if (!marks.equals(inputs)) {
            heardNanos = nowNanos;
        }
        source = present;
        inputs = marks;
        Sample first = unapplied.peekFirst();
        while (first != null && applied.covers(first.received())) {
            unapplied.removeFirst();
            first = unapplied.peekFirst();
        }
        Sample newest = unapplied.peekLast();
        if (!applied.covers(replication.received())
                && (newest == null || !newest.received().equals(replication.received()))
                && unapplied.size() < SAMPLES) {
            unapplied.addLast(new Sample(nowNanos, replication.received()));
        }
    }

    /** How long ago the source was heard, in ms; -1 where it never was. */
    long heardMillis(long nowNanos) {
        Long last = heardNanos;
        return last == null ? -1 : (nowNanos - last) / 1_000_000;
    }

    /** For how long commits have waited for acknowledgements without one going through, in ms; 0 while none waits. */
    long waitingMillis(long nowNanos) {
        return waits ? (nowNanos - waitingNanos) / 1_000_000 : 0;
    }

    /** For how long the oldest transaction that isn't applied yet has been here, in ms; 0 where all are applied. */
    long lagMillis(long nowNanos) {
        Sample first = unapplied.peekFirst();
        return first == null ? 0 : (nowNanos - first.nanos()) / 1_000_000;
    }
}
