package org.haarbiter.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The simulator finds the planted bugs but the rarest. Takes minutes, so it runs with the tests on real servers. */
@Tag("servers")
class PlantedBugsIT {

    @Test
    void everyPlantedBugIsFoundWithinItsNumberOfSeeds() throws IOException, InterruptedException {
        assertThat(PlantedBugs.hunt(PlantedBugs.usual()))
                .allSatisfy(found -> assertThat(found.invariant())
                        .as(
                                "what '%s' broke within %s seeds",
                                found.bug().story(), found.bug().seeds())
                        .isNotNull());
    }
}
