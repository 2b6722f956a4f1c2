package org.haarbiter.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TimingTest {
    @Test
    void theProfilesAreWhatTheDocumentsSay() {
        assertThat(read("profile: fast")).isEqualTo(new Timing(100, 500, 1000, 200, 10, 100, 500, 1, 500));
        assertThat(read("")).isEqualTo(new Timing(250, 1500, 3000, 500, 10, 250, 1500, 2, 1000));
        assertThat(read("profile: wide")).isEqualTo(new Timing(1000, 6000, 10_000, 1000, 10, 1000, 6000, 5, 3000));
    }

    @ParameterizedTest
    @EnumSource
    void everyProfileKeepsItsOwnRelations(Timing.Profile profile) {
        assertThat(read("profile: " + profile.name().toLowerCase(java.util.Locale.ROOT)))
                .isEqualTo(profile.timing());
    }

    @Test
    void singleValuesOverrideTheProfile() {
        assertThat(read("profile: fast\nsilence-millis: 600\ndrift-per-mille: 20"))
                .isEqualTo(new Timing(100, 600, 1000, 200, 20, 100, 500, 1, 500));
    }

    @Test
    void relationsAreCheckedAgainstTheResult() {
        assertThatThrownBy(() -> read("heartbeat-millis: 200\nsilence-millis: 400\nlease-millis: 700"))
                .hasMessage("""
                        t:1: fence-budget-millis: 500 (must be less than half of lease-millis = 350)
                        t:2: silence-millis: 400 (must be at least 3 x heartbeat-millis = 600)
                        t:3: lease-millis: 700 (must be at least 4 x heartbeat-millis = 800)""");
        assertThatThrownBy(
                        () -> read("profile: fast\nlease-millis: 800\nfence-budget-millis: 399\nheartbeat-millis: 150"))
                .hasMessageContaining(
                        "t:2: lease-millis: 800 (must be at least fence-budget-millis + 3 x heartbeat-millis"
                                + " = 849)");
    }

    @Test
    void aLeaseIsWaitedOutWithTheDriftAllowanceRoundedUp() {
        assertThat(Timing.Profile.FAST.timing().leaseWithDriftMillis()).isEqualTo(1010);
        assertThat(read("lease-millis: 3001").leaseWithDriftMillis()).isEqualTo(3001 + 31);
    }

    private static Timing read(String yaml) {
        return SettingsReader.text("t", yaml).read(Timing::read);
    }
}
