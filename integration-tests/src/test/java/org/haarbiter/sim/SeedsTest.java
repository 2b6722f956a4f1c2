package org.haarbiter.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Two thousand histories full of faults in every build; a failure prints the seed and the command that repeats it. */
class SeedsTest {
    private static final int SEEDS = 2_000;

    @Test
    void noHistoryBreaksAnInvariantAndAllMakeProgress() throws InterruptedException {
        assertThat(Simulate.many(1, SEEDS, System.out))
                .as("every one of %s seeds is clean", SEEDS)
                .isTrue();
    }
}
