package org.haarbiter.master.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.core.AuditEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each event stands in the switch log once, whoever moves the file away in between. */
class AuditFileTest {
    private final StateCodec codec = new StateCodec();

    private static List<AuditEvent> events(long last) {
        List<AuditEvent> events = new ArrayList<>();
        for (long index = 1; index <= last; index++) {
            events.add(new AuditEvent(index, 0, "members", 1, "paused", "a person", "it is " + index, new TreeMap<>()));
        }
        return events;
    }

    private void write(Path file, long last) throws IOException {
        try (AuditFile audit = new AuditFile(file, codec)) {
            audit.offer(events(last));
        }
    }

    private List<Long> indexes(Path file) throws IOException {
        List<Long> indexes = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            indexes.add(codec.line(line).index());
        }
        return indexes;
    }

    @Test
    void aRestartedMasterGoesOnBehindTheLastLine(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("switches.jsonl");
        write(file, 3);
        write(file, 5);
        assertThat(indexes(file)).containsExactly(1L, 2L, 3L, 4L, 5L);
    }

    @Test
    void aMasterStartedAfterARotationGoesOnBehindTheRotatedFile(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("switches.jsonl");
        write(file, 3);
        Files.move(file, directory.resolve("switches.jsonl.1"));
        write(file, 3);
        assertThat(file).isEmptyFile();
        write(file, 5);
        assertThat(indexes(file)).containsExactly(4L, 5L);
    }

    @Test
    void aRunningMasterWritesToANewFileAfterARotation(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("switches.jsonl");
        write(file, 3);
        try (AuditFile audit = new AuditFile(file, codec)) {
            Files.move(file, directory.resolve("switches.jsonl.1"));
            audit.offer(events(4));
        }
        assertThat(indexes(file)).containsExactly(4L);
    }
}
