package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A site is lost with the leader and the primaries of several groups: all of them switch, in turn. */
@Tag("servers")
class SiteLossIT {
    private static final int GROUPS = 6;

    @Test
    void everyGroupTakesWritesAgain() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-site-");
        System.out.println("evidence is kept in " + work + " if this fails");
        // Two at once: the others have to wait for their turn.
        SiteLoss.Outcome outcome =
                SiteLoss.play(GROUPS, work, "normal", "mass-failure: {switches-at-once-per-site: 2}\n");
        assertThat(outcome.written()).hasSize(GROUPS);
        assertThat(outcome.namesServed()).isPositive();
        assertThat(outcome.said()).anyMatch(said -> said.contains("wait for their turn, by priority"));
        Arena.deleteWorkDirectory(work);
    }
}
