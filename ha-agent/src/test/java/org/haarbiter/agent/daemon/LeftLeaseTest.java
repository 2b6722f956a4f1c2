package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeftLeaseTest {
    private static final long LEASE = 3_000_000_000L;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void whatIsLeftIsTakenOnceAndHasRunOnMeanwhile() throws Exception {
        LeftLease lease = new LeftLease(directory);
        assertThat(lease.take(LEASE)).isEqualTo(Long.MIN_VALUE);
        lease.leave(LEASE);
        long began = System.nanoTime();
        Thread.sleep(50);
        long left = new LeftLease(directory).take(LEASE);
        long passed = System.nanoTime() - began;
        assertThat(left).isLessThanOrEqualTo(LEASE - 40_000_000).isGreaterThan(LEASE - passed - 40_000_000);
        assertThat(lease.take(LEASE)).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void oneThatIsOverOrOfAnotherBootOrUnreadableIsNoPermission() throws Exception {
        LeftLease lease = new LeftLease(directory);
        lease.leave(-1);
        assertThat(lease.take(LEASE)).isNegative();
        lease.leave(LEASE * 1_000);
        assertThat(lease.take(LEASE)).isZero();
        Files.writeString(directory.resolve("permission-left"), "12");
        assertThat(lease.take(LEASE)).isNegative();
        Files.writeString(directory.resolve("permission-left"), "");
        assertThat(lease.take(LEASE)).isZero();
        assertThat(directory).isEmptyDirectory();
    }
}
