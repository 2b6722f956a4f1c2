package org.haarbiter.trial;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Locale;

/** What a bench says of one figure that it measured in each run. All in milliseconds. */
record Spread(
        @JsonProperty("min") double min,
        @JsonProperty("median") double median,
        @JsonProperty("p99") double p99,
        @JsonProperty("max") double max) {

    /** @param figures one or more, in any order */
    static Spread of(double... figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        // The smallest figure that 99 of 100 runs don't exceed.
        int rank = (int) Math.ceil(0.99 * sorted.length);
        return new Spread(sorted[0], median, sorted[rank - 1], sorted[sorted.length - 1]);
    }

    /** One line; benches align their figures by giving all their labels the same width. */
    void print(String label) {
        System.out.printf(
                Locale.ROOT, "%s min %8.1f  median %8.1f  p99 %8.1f  max %8.1f ms%n", label, min, median, p99, max);
    }
}
