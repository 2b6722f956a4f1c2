package org.haarbiter.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.haarbiter.link.PortLimits.Reason;
import org.junit.jupiter.api.Test;

class PortLimitsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    @Test
    void anAddressHasItsOwnMeasureAndGetsItBackWithTime() {
        RequestRate rate = new RequestRate(3, 10);
        for (int i = 0; i < 3; i++) {
            assertThat(rate.take("a", SECOND)).isTrue();
        }
        assertThat(rate.take("a", SECOND)).isFalse();
        assertThat(rate.take("b", SECOND)).as("another address").isTrue();
        assertThat(rate.take("a", SECOND + SECOND / 20)).as("half of one").isFalse();
        assertThat(rate.take("a", SECOND + SECOND / 10)).isTrue();
        assertThat(rate.take("a", SECOND + SECOND / 10)).isFalse();
        assertThat(rate.take("a", 100 * SECOND)).isTrue();
        assertThat(rate.take("a", 50 * SECOND))
                .as("a clock read a little earlier")
                .isTrue();
        assertThat(rate.take("a", 100 * SECOND)).isTrue();
        assertThat(rate.take("a", 100 * SECOND)).as("never more than at once").isFalse();
    }

    @Test
    void connectionsAreCountedInAllAndByAddress() {
        PortLimits limits = new PortLimits("test", 3, 2);
        assertThat(limits.opened("a", 0)).isTrue();
        assertThat(limits.opened("a", 0)).isTrue();
        assertThat(limits.opened("a", 0)).as("a third of a").isFalse();
        assertThat(limits.opened("b", 0)).isTrue();
        assertThat(limits.opened("c", 0)).as("a fourth in all").isFalse();
        assertThat(limits.connections()).isEqualTo(3);
        limits.closed("a");
        assertThat(limits.opened("c", 0)).isTrue();
        limits.refused(Reason.RATE, "a", "too fast", 0);
        assertThat(limits.refused())
                .containsEntry("connections", 2L)
                .containsEntry("rate", 1L)
                .containsEntry("protocol", 0L);
    }
}
