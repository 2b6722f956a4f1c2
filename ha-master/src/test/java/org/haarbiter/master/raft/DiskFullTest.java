package org.haarbiter.master.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.haarbiter.master.raft.RaftCluster.LIMIT;
import static org.haarbiter.master.raft.RaftCluster.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.haarbiter.master.raft.RaftCluster.Member;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One member's disk is full or read-only: a small tmpfs, which only root may mount. */
class DiskFullTest {
    @TempDir
    Path root;

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }

    private static void fill(Path file) throws IOException {
        byte[] block = new byte[64 << 10];
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space");
        }
    }

    @Test
    void theMemberStopsAndSaysWhyAndTheOthersGoOn() throws Exception {
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")), "needs root, to mount a tmpfs of its own");
        RaftCluster cluster = RaftCluster.of(3, root, UnaryOperator.identity());
        Path mount = Files.createDirectories(cluster.get(0).settings.dataDirectory());
        try {
            run("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", mount.toString());
        } catch (IOException e) {
            Assumptions.abort("no tmpfs can be mounted here: " + e.getMessage());
        }
        try (cluster) {
            fillTheDiskOf(cluster.get(0), mount, cluster);
        } finally {
            run("umount", mount.toString());
        }
    }

    private static void fillTheDiskOf(Member full, Path mount, RaftCluster cluster) throws Exception {
        // The full one last: the first loads the native library from its directory, which then can't be unmounted.
        for (int i = 2; i >= 0; i--) {
            cluster.get(i).start();
        }
        Member leader = cluster.awaitLeader();
        if (leader != full) {
            leader.node().transferLeadership(full.address()).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            assertThat(cluster.awaitLeader()).isSameAs(full);
        }
        fill(mount.resolve("filler"));
        String large = "x".repeat(100_000);
        for (int i = 0; full.state.fault.get() == null && i < 1000; i++) {
            CompletableFuture<Long> entry = full.propose(large + i);
            await("an answer", entry::isDone);
        }
        await("the fault", () -> full.state.fault.get() != null);
        assertThat(full.state.fault.get())
                .contains("the disk of " + mount + " is full or read-only")
                .contains("free space");
        Member next = cluster.awaitAnyLeaderBut(full);
        next.propose("goes on").get(LIMIT.toSeconds(), TimeUnit.SECONDS);

        full.stop();
        fill(mount.resolve("filler-2")); // the storage gave some blocks back when it was closed
        assertThatThrownBy(full::start)
                .isInstanceOf(RaftStartException.class)
                .hasMessageContaining("is full or read-only");
        full.node = null;
        Files.delete(mount.resolve("filler"));
        Files.delete(mount.resolve("filler-2"));
        full.start();
        cluster.awaitAllHave(next.state.words());
    }
}
