package org.haarbiter.master.loop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;
import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * Plays failovers of an imaginary group through an arbiter of its own, so that the first real one doesn't pay for loading
 * and compiling the code on its way: that was seen to take hundreds of milliseconds. Touches nothing outside itself.
 */
public final class Rehearsal {
    private static final long STEP_NANOS = 1_000_000;
    private static final String SOURCE = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-";

    private final Limits limits;
    private final StateCodec codec;
    private ClusterState state = ClusterState.empty();
    private long now;
    private long sequence;
    private long index;

    /** With the limits that the real arbiter has. */
    public Rehearsal(Limits limits, StateCodec codec) {
        this.limits = limits;
        this.codec = codec;
    }

    /**
     * Plays so many failovers; 50 take about half a second.
     *
     * @return how many switches were completed; fewer than asked for means that the rules don't do what they should
     */
    public int play(int rounds) {
        int completed = 0;
        for (int round = 0; round < rounds; round++) {
            completed += failover() ? 1 : 0;
        }
        return completed;
    }

    private boolean failover() {
        state = ClusterState.empty();
        Arbiter arbiter = new Arbiter(limits, Masters.ALONE, now);
        arbiter.leaderStarted(1, now);
        // In small steps: an arbiter that is asked too rarely takes itself to have been suspended.
        long step = limits.silenceMillis() * 1_000_000L / 4;
        for (long waited = 0; waited <= limits.adoptMillis() * 1_000_000L + 2 * step; waited += step) {
            hear(arbiter, "a", 1, ServerState.RUNNING, null, 0, 0, 0);
            hear(arbiter, "b", 2, ServerState.RUNNING, endpoint(1), 0, 0, 0);
            hear(arbiter, "c", 3, ServerState.RUNNING, endpoint(1), 0, 0, 0);
            decide(arbiter);
            now += step;
        }
        return state.group("rehearsal") != null && switchOver(arbiter);
    }

    private boolean switchOver(Arbiter arbiter) {
        hear(arbiter, "a", 1, ServerState.RUNNING, null, 1, 0, 0);
        decide(arbiter);
        hear(arbiter, "a", 1, ServerState.DEAD, null, 0, 0, 0);
        hear(arbiter, "b", 2, ServerState.RUNNING, endpoint(1), 0, 0, 0);
        hear(arbiter, "c", 3, ServerState.RUNNING, endpoint(1), 0, 0, 0);
        decide(arbiter);
        hear(arbiter, "b", 2, ServerState.RUNNING, endpoint(1), 0, 2, 0);
        hear(arbiter, "c", 3, ServerState.RUNNING, endpoint(1), 0, 2, 0);
        decide(arbiter);
        hear(arbiter, "b", 2, ServerState.RUNNING, null, 2, 0, 0);
        decide(arbiter);
        arbiter.namesServed("rehearsal", 2, Collections.emptySortedSet(), now);
        decide(arbiter);
        return state.recent().stream().anyMatch(e -> e.kind().equals("switch-completed") && e.epoch() == 2);
    }

    private void decide(Arbiter arbiter) {
        now += STEP_NANOS;
        Entry entry = arbiter.decide("rehearsal", now, 0);
        if (entry == null) {
            return;
        }
        try {
            state = codec.entry(codec.entry(entry)).applyTo(state, ++index);
            codec.state(codec.state(state));
            codec.line(codec.line(state.recent().get(state.recent().size() - 1)));
        } catch (IOException e) {
            throw new UncheckedIOException("what this master writes it can't read", e);
        }
        arbiter.applied(state, now);
        arbiter.proposalEnded("rehearsal");
        for (String member : List.of("a", "b", "c")) {
            arbiter.goal("rehearsal", member);
        }
    }

    private static Endpoint endpoint(int last) {
        return new Endpoint("192.0.2." + last, 3306);
    }

    private void hear(
            Arbiter arbiter,
            String member,
            int number,
            ServerState serverState,
            @Nullable Endpoint source,
            long openEpoch,
            long sealedEpoch,
            long fencedEpoch) {
        String position = SOURCE + (100 + index);
        arbiter.heard(
                new Heartbeat(
                        number,
                        ++sequence,
                        new Sighting(
                                "rehearsal",
                                member,
                                "here",
                                "memory",
                                PositionKind.MYSQL_GTID,
                                endpoint(number),
                                serverState,
                                "",
                                "boot/" + number,
                                "id-" + number,
                                "1",
                                openEpoch > 0,
                                source,
                                source != null,
                                true,
                                position,
                                position,
                                0,
                                0,
                                1,
                                1,
                                sealedEpoch,
                                fencedEpoch,
                                openEpoch,
                                2,
                                1,
                                0,
                                true,
                                100,
                                Peering.NONE,
                                false,
                                "",
                                Guard.NONE,
                                null,
                                List.of())),
                now);
    }
}
