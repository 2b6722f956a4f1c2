package org.haarbiter.agent.engine.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RebuildMarkerTest {
    private static final Endpoint DONOR = new Endpoint("10.0.1.22", 3306);

    @TempDir
    Path directory;

    @Test
    void itIsThereForTheNextAgentUntilItIsRemoved() throws Exception {
        Path state = directory.resolve("state");
        RebuildMarker marker = new RebuildMarker(state);
        assertThat(marker.note()).isNull();
        assertThat(marker.sentence()).isNull();
        marker.write(DONOR, "2026-01-02 03:04:05.678");
        for (RebuildMarker one : new RebuildMarker[] {marker, new RebuildMarker(state)}) {
            assertThat(one.note()).isEqualTo(new RebuildMarker.Note("10.0.1.22:3306", "2026-01-02 03:04:05.678"));
            assertThat(one.sentence()).contains("isn't whole", "10.0.1.22:3306", "rebuilding");
        }
        marker.remove();
        assertThat(marker.note()).isNull();
        assertThat(new RebuildMarker(state).note()).isNull();
    }

    @Test
    void whatCantBeReadCountsAsThere() throws Exception {
        Files.createDirectories(directory.resolve("rebuilding"));
        assertThat(new RebuildMarker(directory).sentence()).contains("isn't whole");
    }
}
