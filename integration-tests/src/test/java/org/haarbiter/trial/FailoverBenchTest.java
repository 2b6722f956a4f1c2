package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailoverBenchTest {
    @Test
    void medianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
        assertThat(FailoverBench.median(new double[] {7})).isEqualTo(7);
        assertThat(FailoverBench.median(new double[] {1, 2, 9})).isEqualTo(2);
        assertThat(FailoverBench.median(new double[] {1, 2, 4, 90})).isEqualTo(3);
    }

    @Test
    void p99IsTheWorstOfFewerThanHundredRuns() {
        double[] figures = new double[100];
        for (int i = 0; i < figures.length; i++) {
            figures[i] = i + 1;
        }
        assertThat(FailoverBench.quantile(figures, 0.99)).isEqualTo(99);
        assertThat(FailoverBench.quantile(new double[] {1, 2, 90}, 0.99)).isEqualTo(90);
    }
}
