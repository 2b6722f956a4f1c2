package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TurnsTest {
    @Test
    void equalSharesComeOneAfterTheOther() {
        assertThat(Turns.of(List.of(7, 7, 7))).containsExactly(0, 1, 2);
        assertThat(Turns.of(List.of(1))).containsExactly(0);
    }

    @Test
    void nobodyHasManyTurnsInARow() {
        assertThat(Turns.of(List.of(3, 1))).containsExactly(0, 0, 1, 0);
        assertThat(Turns.of(List.of(20, 20, 40))).containsExactly(2, 0, 1, 2);
    }

    @Test
    void eachHasItsShareAndOneTurnAtLeast() {
        Random random = new Random(7);
        for (int trial = 0; trial < 500; trial++) {
            List<Integer> shares = new ArrayList<>();
            for (int each = 1 + random.nextInt(64); each > 0; each--) {
                shares.add(1 + random.nextInt(random.nextBoolean() ? 10 : ZoneContents.MAX_SHARE));
            }
            int[] turns = new int[shares.size()];
            int[] round = Turns.of(shares).toArray();
            for (int turn : round) {
                turns[turn]++;
            }
            double sum = shares.stream().mapToLong(Integer::longValue).sum();
            assertThat(round.length).isLessThanOrEqualTo(200);
            assertThat(Arrays.stream(turns).min().orElse(0)).as("%s", shares).isPositive();
            for (int i = 0; i < turns.length; i++) {
                // At most 64 have a hundredth for less, so the others' parts shrink by a third at the most.
                assertThat((double) turns[i] / round.length)
                        .as("%s of %s", shares.get(i), shares)
                        .isBetween(shares.get(i) / sum * 0.6 - 0.01, shares.get(i) / sum + 0.011);
            }
        }
    }
}
