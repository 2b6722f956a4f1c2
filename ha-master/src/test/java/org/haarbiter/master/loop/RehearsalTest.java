package org.haarbiter.master.loop;

import static org.assertj.core.api.Assertions.assertThat;

import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.WhenArbiterLost;
import org.junit.jupiter.api.Test;

class RehearsalTest {
    @Test
    void everyRehearsedFailoverIsCompleted() {
        Limits limits = new Limits(
                500,
                1_000,
                10,
                100,
                5_000,
                1_000,
                Policies.of(Policy.LOSSLESS),
                10_000,
                WhenArbiterLost.HOLD,
                Storms.usual(500),
                Blocking.USUAL,
                10_000);
        assertThat(new Rehearsal(limits, new StateCodec()).play(3)).isEqualTo(3);
    }
}
