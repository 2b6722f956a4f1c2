package org.haarbiter.master.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ArbiterTest {
    @Test
    void anEntryThatNamesNoGroupMakesNone() {
        Arbiter arbiter = new Arbiter(
                new Limits(
                        200,
                        400,
                        10,
                        100,
                        1000,
                        1000,
                        Policies.of(Policy.LOSSLESS),
                        10_000,
                        WhenArbiterLost.HOLD,
                        Storms.usual(200),
                        Blocking.NONE,
                        10_000),
                Masters.ALONE,
                0);
        arbiter.leaderStarted(1, 0);
        assertThat(arbiter.decide("", 1, 1)).isNull();
        assertThat(arbiter.groups()).isEmpty();
        // One that is looked at, as after a command that was refused, isn't one either while no agent reports it.
        assertThat(arbiter.decide("members", 1, 1)).isNull();
        assertThat(arbiter.groups()).isEmpty();
    }
}
