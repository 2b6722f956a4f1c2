package org.haarbiter.master.core;

import java.util.Objects;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * What was last heard of a member. All times on the master's monotonic clock, in nanoseconds.
 *
 * @param sighting what its agent said
 * @param received the sighting's received position
 * @param applied the sighting's applied position
 * @param arrivedNanos when it came in
 * @param firstNanos when this master first heard of the member
 * @param stateNanos when the present state and instance were first heard
 * @param receivedNanos when the present received position was first heard
 * @param shortNanos since when fewer acknowledge than its server's commits wait for; {@link Long#MAX_VALUE} while enough do
 * @param requiredNanos when it was first heard that its server's commits wait for as many acknowledgements as now
 * @param followsNanos since when it receives from its present source; {@link Long#MAX_VALUE} while it receives from none
 * @param closedNanos since when it was heard to take no writes; {@link Long#MAX_VALUE} while it takes them
 * @param lookedNanos its server was looked at later than this, and the sighting tells of that look, where the sighting's term
 *     is the present one; {@link Long#MIN_VALUE} while that isn't known
 */
public record Heard(
        Sighting sighting,
        Position received,
        Position applied,
        long arrivedNanos,
        long firstNanos,
        long stateNanos,
        long receivedNanos,
        long shortNanos,
        long requiredNanos,
        long followsNanos,
        long closedNanos,
        long lookedNanos) {

    /** What is heard now, after what was heard before. */
    static Heard next(@Nullable Heard before, Sighting sighting, long arrivedNanos, long lookedNanos) {
        PositionKind kind = sighting.positionKind();
        if (before == null) {
            return new Heard(
                    sighting,
                    kind.parse(sighting.received()),
                    kind.parse(sighting.applied()),
                    arrivedNanos,
                    arrivedNanos,
                    arrivedNanos,
                    arrivedNanos,
                    tooFew(sighting) ? arrivedNanos : Long.MAX_VALUE,
                    arrivedNanos,
                    sighting.receiving() ? arrivedNanos : Long.MAX_VALUE,
                    sighting.writable() ? Long.MAX_VALUE : arrivedNanos,
                    lookedNanos);
        }
        Sighting last = before.sighting();
        boolean sameInstance = last.instance().equals(sighting.instance());
        boolean sameState = last.state() == sighting.state() && sameInstance;
        boolean sameRequired = last.acknowledgersRequired() == sighting.acknowledgersRequired() && sameInstance;
        boolean sameSource = sameInstance && Objects.equals(last.source(), sighting.source());
        boolean sameReceived = last.received().equals(sighting.received());
        return new Heard(
                sighting,
                sameReceived ? before.received() : kind.parse(sighting.received()),
                last.applied().equals(sighting.applied()) ? before.applied() : kind.parse(sighting.applied()),
                arrivedNanos,
                before.firstNanos(),
                sameState ? before.stateNanos() : arrivedNanos,
                sameReceived ? before.receivedNanos() : arrivedNanos,
                tooFew(sighting)
                        ? sameInstance ? Math.min(before.shortNanos(), arrivedNanos) : arrivedNanos
                        : Long.MAX_VALUE,
                sameRequired ? before.requiredNanos() : arrivedNanos,
                sighting.receiving()
                        ? sameSource ? Math.min(before.followsNanos(), arrivedNanos) : arrivedNanos
                        : Long.MAX_VALUE,
                sighting.writable() ? Long.MAX_VALUE : Math.min(before.closedNanos(), arrivedNanos),
                lookedNanos);
    }

    private static boolean tooFew(Sighting sighting) {
        return sighting.acknowledgers() < sighting.acknowledgersRequired();
    }

    /** It is the open primary, and somebody else has made its commits wait for fewer acknowledgements than the log says. */
    boolean waitsForFewer(Group group) {
        return sighting.member().equals(group.primary())
                && sighting.instance().equals(group.primaryInstance())
                && sighting.writable()
                && sighting.acknowledgersRequired() < group.acknowledgers();
    }

    /** It receives from its source and applies what it receives. */
    boolean replicates() {
        return sighting.receiving() && sighting.applying();
    }
}
