package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WriteLoadBehaviourTest {

    @Test
    void aRateThatTheClientCannotHoldIsRefusedWithItsRange() {
        assertThatThrownBy(() -> WriteLoad.Behaviour.of(4, 50_000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("writesPerSecond: 50000 (must be 1 to 20000)");
    }

    @Test
    void noConnectionsAreRefused() {
        assertThatThrownBy(() -> WriteLoad.Behaviour.of(0, 100)).hasMessage("connections: 0 (must be 1 to 64)");
    }
}
