package org.haarbiter.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RiseAndFallTest {
    private final RiseAndFall counts = new RiseAndFall(2, 3);

    /** One letter a check: y success, n failure; what is known after each, ? for nothing. */
    private String after(String checks) {
        StringBuilder known = new StringBuilder();
        for (int i = 0; i < checks.length(); i++) {
            counts.count(checks.charAt(i) == 'y');
            known.append(counts.healthy() == null ? '?' : counts.healthy() ? 'Y' : 'N');
        }
        return known.toString();
    }

    @Test
    void nothingIsKnownBeforeTheFirstCheckWhichDecidesAlone() {
        assertThat(counts.healthy()).isNull();
        assertThat(after("n")).isEqualTo("N");
    }

    @Test
    void severalInARowAreNeededToFallAndToRise() {
        assertThat(after("ynnnyy")).isEqualTo("YYYNNY");
    }

    @Test
    void oneThatFlapsStaysAsItWas() {
        assertThat(after("ynnynnynnyn")).isEqualTo("YYYYYYYYYYY");
        assertThat(counts.against()).isEqualTo(1);
        assertThat(after("nn")).isEqualTo("YN");
        assertThat(after("ynynyn")).isEqualTo("NNNNNN");
    }
}
