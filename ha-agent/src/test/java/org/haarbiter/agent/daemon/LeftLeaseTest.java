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
        LeftLease lease = new LeftLease(directory, () -> 7_000_000_000L);
        assertThat(lease.take(LEASE)).isEqualTo(Long.MIN_VALUE);
        lease.leave(LEASE);
        LeftLease next = new LeftLease(directory, () -> 8_000_000_000L);
        assertThat(next.take(LEASE)).isEqualTo(LEASE - 1_000_000_000 - 10_000_000);
        assertThat(next.take(LEASE)).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void theMachinesOwnUptimeRunsOn() throws Exception {
        LeftLease lease = new LeftLease(directory);
        lease.leave(LEASE);
        assertThat(lease.take(LEASE)).isPositive().isLessThan(LEASE);
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
