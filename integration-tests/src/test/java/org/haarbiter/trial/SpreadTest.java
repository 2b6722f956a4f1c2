package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void medianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
        assertThat(Spread.of(7).median()).isEqualTo(7);
        assertThat(Spread.of(9, 1, 2).median()).isEqualTo(2);
        assertThat(Spread.of(90, 4, 1, 2).median()).isEqualTo(3);
    }

    @Test
    void p99IsTheWorstOfFewerThanHundredRuns() {
        double[] figures = new double[100];
        for (int i = 0; i < figures.length; i++) {
            figures[i] = i + 1;
        }
        assertThat(Spread.of(figures)).isEqualTo(new Spread(1, 50.5, 99, 100));
        assertThat(Spread.of(1, 2, 90).p99()).isEqualTo(90);
    }
}
