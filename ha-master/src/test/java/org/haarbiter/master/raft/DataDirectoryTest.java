package org.haarbiter.master.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
    private static final Endpoint SELF = new Endpoint("127.77.0.1", 7000);

    @TempDir
    Path path;

    private RaftSettings settings(String cluster, Endpoint self) {
        return RaftSettings.of(cluster, self, List.of(), path);
    }

    @Test
    void theSameMemberOpensItAgain() throws Exception {
        DataDirectory.open(settings("one", SELF)).close();
        try (DataDirectory again = DataDirectory.open(settings("one", SELF))) {
            assertThat(again.complaint()).isNull();
        }
    }

    @Test
    void twoAtOnceAreRefused() throws Exception {
        try (DataDirectory first = DataDirectory.open(settings("one", SELF))) {
            assertThat(first.complaint()).isNull();
            assertThatThrownBy(() -> DataDirectory.open(settings("one", SELF)))
                    .isInstanceOf(RaftStartException.class)
                    .hasMessageContaining("in use by another process");
        }
    }

    @Test
    void anotherClusterOrMemberIsRefused() throws Exception {
        DataDirectory.open(settings("one", SELF)).close();
        assertThatThrownBy(() -> DataDirectory.open(settings("two", SELF)))
                .isInstanceOf(RaftStartException.class)
                .hasMessageContaining("belongs to 'cluster one,member 127.77.0.1:7000'")
                .hasMessageContaining("must be 'cluster two");
        assertThatThrownBy(() -> DataDirectory.open(settings("one", new Endpoint("127.77.0.1", 7001))))
                .isInstanceOf(RaftStartException.class)
                .hasMessageContaining("127.77.0.1:7001");
    }

    @Test
    void aLogWithoutAnIdentityIsRefused() throws Exception {
        Files.createDirectories(path.resolve("log"));
        Files.writeString(path.resolve("log").resolve("CURRENT"), "x");
        assertThatThrownBy(() -> DataDirectory.open(settings("one", SELF)))
                .isInstanceOf(RaftStartException.class)
                .hasMessageContaining("no file 'identity'");
    }

    @Test
    void aPlaceThatCantBeWrittenIsRefused() throws Exception {
        Path file = Files.createFile(path.resolve("a-file"));
        assertThatThrownBy(() -> DataDirectory.open(RaftSettings.of("one", SELF, List.of(), file.resolve("below"))))
                .isInstanceOf(RaftStartException.class)
                .hasMessageContaining("can't be made");
    }

    @Test
    void aSnapshotReadsBackAndDamageIsSeen() throws Exception {
        Path file = path.resolve("state");
        byte[] state = "the state".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        SnapshotFile.write(file, state);
        assertThat(SnapshotFile.read(file)).isEqualTo(state);
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < bytes.length; i++) {
            byte[] damaged = bytes.clone();
            damaged[i] ^= 1;
            Files.write(file, damaged);
            assertThatThrownBy(() -> SnapshotFile.read(file)).isInstanceOf(IOException.class);
        }
        Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 1));
        assertThatThrownBy(() -> SnapshotFile.read(file)).isInstanceOf(IOException.class);
    }

    @Test
    void settingsNameAllMistakesAtOnce() {
        assertThatThrownBy(() -> RaftSettings.of("no spaces", SELF, List.of(new Endpoint("127.77.0.2", 1)), path)
                        .withElection(100, 10))
                .hasMessageContaining("cluster id: 'no spaces'")
                .hasMessageContaining("must contain this node");
        assertThatThrownBy(() -> settings("one", SELF).withElection(100, 10))
                .hasMessageContaining("election-timeout-millis: 100 (must be 300 to 60000)")
                .hasMessageContaining("max-election-delay-millis: 10");
        RaftSettings normal = settings("one", SELF);
        assertThat(normal.electionTimeoutMillis()).isEqualTo(500);
        assertThat(normal.maxElectionDelayMillis()).isEqualTo(300);
        assertThat(normal.connectTimeoutMillis()).isEqualTo(50);
        assertThat(normal.snapshotIntervalSeconds()).isEqualTo(600);
        assertThat(normal.snapshotEveryEntries()).isEqualTo(1000);
    }
}
