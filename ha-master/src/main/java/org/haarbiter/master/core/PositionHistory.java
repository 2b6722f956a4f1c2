package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Position;
import org.jspecify.annotations.Nullable;

/**
 * What a group's primaries were heard to hold, and when, so that it can be said how far behind a replica is in time, by this
 * master's clock alone. Keeps the newest moments all and the older ones thinned out, which makes a far replica look further
 * behind than it is, never closer. Confined to one thread.
 */
final class PositionHistory {
    private static final int LIMIT = 128;

    private record Sample(long nanos, long lookedNanos, Position position) {}

    private final List<Sample> samples = new ArrayList<>();

    /**
     * The primary held this, and nothing more, at this time; times don't fall.
     *
     * @param lookedNanos the look that told of it is known to have begun after this moment
     */
    void add(long nanos, long lookedNanos, Position position) {
        int last = samples.size() - 1;
        if (last >= 0 && samples.get(last).position().equals(position)) {
            samples.set(last, new Sample(nanos, lookedNanos, position));
            return;
        }
        samples.add(new Sample(nanos, lookedNanos, position));
        if (samples.size() > LIMIT) {
            for (int i = LIMIT / 2; i > 0; i -= 2) {
                samples.remove(i);
            }
        }
    }

    /** What the primary was last heard to hold; null where it never was. */
    @Nullable
    Position newest() {
        return samples.isEmpty() ? null : samples.get(samples.size() - 1).position();
    }

    /** When the primary last had nothing that this position lacks; {@link Long#MIN_VALUE} where the history doesn't go back so far. */
    long heldAllNanos(Position position) {
        Sample sample = newestWithin(position);
        return sample == null ? Long.MIN_VALUE : sample.nanos();
    }

    /** All that the primary had at this moment is known to be in the position; {@link Long#MIN_VALUE} for no moment. */
    long heldAllOfLookNanos(Position position) {
        Sample sample = newestWithin(position);
        return sample == null ? Long.MIN_VALUE : sample.lookedNanos();
    }

    private @Nullable Sample newestWithin(Position position) {
        for (int i = samples.size() - 1; i >= 0; i--) {
            if (position.covers(samples.get(i).position())) {
                return samples.get(i);
            }
        }
        return null;
    }
}
