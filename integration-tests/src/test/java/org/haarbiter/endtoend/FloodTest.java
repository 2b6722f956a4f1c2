package org.haarbiter.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.settings.Timing;
import org.haarbiter.wire.LinkWriter;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever reaches the leader's ports and floods them, for some seconds and on loopback, costs no primary its permission. */
class FloodTest {
    private static final int LEASE_MILLIS = 3_000;
    private static final long FLOOD_NANOS = TimeUnit.SECONDS.toNanos(6);
    private static final int KEPT_OPEN = 40;

    private interface Knock {
        void on(Endpoint port) throws IOException;
    }

    @Test
    void aFloodOnEachPortDoesNotCostThePrimaryItsPermission(@TempDir Path directory) throws Exception {
        ExecutorService flood = Executors.newCachedThreadPool();
        try (MemoryArbiter arbiter =
                new MemoryArbiter(directory, new Timing(100, 1_500, LEASE_MILLIS, 500, 10, 250, 1_500, 2, 1_000), 3)) {
            arbiter.startMasters();
            arbiter.startAgents("a", "b", "c", "d");
            assertThat(arbiter.awaitPrimary()).isEqualTo("a");
            String leader = arbiter.leader();
            var ports = arbiter.addresses(leader);
            long end = System.nanoTime() + FLOOD_NANOS;
            List.<Runnable>of(
                            () -> again(end, ports.agents(), FloodTest::garbage),
                            () -> again(end, ports.agents(), port -> pour(end, port, ping())),
                            () -> again(end, ports.raft(), FloodTest::garbage),
                            () -> keepOpen(end, ports.raft()),
                            () -> keepOpen(end, ports.admin()),
                            () -> again(end, ports.admin(), FloodTest::ask),
                            () -> again(end, ports.admin(), FloodTest::ask),
                            () -> again(
                                    end,
                                    ports.sentinel(),
                                    port -> pour(end, port, "PING\r\n".getBytes(StandardCharsets.US_ASCII))))
                    .forEach(flood::execute);
            long longest = longestSilence(arbiter.server("a"), end);
            flood.shutdown();
            assertThat(flood.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            System.out.println(
                    "flood: longest time without an acknowledged write " + longest / 1_000_000 + " ms; refused: "
                            + "agents " + arbiter.refused(leader, "agents", "protocol") + " protocol, "
                            + arbiter.refused(leader, "agents", "rate") + " rate; raft "
                            + arbiter.refused(leader, "raft", "connections") + " connections, "
                            + arbiter.refused(leader, "raft", "protocol") + " protocol; admin "
                            + arbiter.refused(leader, "admin", "rate") + " rate; sentinel "
                            + arbiter.refused(leader, "sentinel", "rate") + " rate");
            assertThat(TimeUnit.NANOSECONDS.toMillis(longest))
                    .as("longest time without an acknowledged write, in ms")
                    .isLessThan(LEASE_MILLIS);
            assertThat(arbiter.awaitPrimary()).isEqualTo("a");
            assertThat(arbiter.group().epoch()).as("no switch was made").isEqualTo(1);
            assertThat(arbiter.refused(leader, "agents", "protocol")).isPositive();
            assertThat(arbiter.refused(leader, "agents", "rate")).isPositive();
            assertThat(arbiter.refused(leader, "raft", "protocol")).isPositive();
            assertThat(arbiter.refused(leader, "raft", "connections")).isPositive();
            assertThat(arbiter.refused(leader, "admin", "rate")).isPositive();
            assertThat(arbiter.refused(leader, "sentinel", "rate")).isPositive();
            assertThat(arbiter.faults).isEmpty();
        } finally {
            flood.shutdownNow();
        }
    }

    /** Writes until the end; the longest time from one acknowledged write to the next, in ns. */
    private static long longestSilence(MemoryServer server, long end) throws InterruptedException {
        long last = System.nanoTime();
        long longest = 0;
        for (int i = 0; System.nanoTime() < end; i++) {
            if (server.write("flood-" + i, 200)) {
                long now = System.nanoTime();
                longest = Math.max(longest, now - last);
                last = now;
            }
        }
        return Math.max(longest, System.nanoTime() - last);
    }

    private static void again(long end, Endpoint port, Knock knock) {
        while (System.nanoTime() < end && !Thread.interrupted()) {
            try {
                knock.on(port);
            } catch (IOException e) {
                // Turned away, which is what is expected here: the next one comes at once.
                Thread.onSpinWait();
            }
        }
    }

    private static void garbage(Endpoint port) throws IOException {
        try (Socket socket = new Socket(port.host(), port.port())) {
            socket.getOutputStream().write(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1});
            socket.setSoTimeout(1_000);
            drain(socket.getInputStream());
        }
    }

    private static void ask(Endpoint port) throws IOException {
        try (Socket socket = new Socket(port.host(), port.port())) {
            socket.getOutputStream()
                    .write("GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(1_000);
            drain(socket.getInputStream());
        }
    }

    private static void drain(InputStream in) throws IOException {
        byte[] buffer = new byte[8_192];
        while (in.read(buffer) >= 0) {
            Thread.onSpinWait();
        }
    }

    /** The same thing as fast as it is taken, without a look at the answers. */
    private static void pour(long end, Endpoint port, byte[] what) throws IOException {
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        for (int i = 0; i < 100; i++) {
            many.write(what);
        }
        try (Socket socket = new Socket(port.host(), port.port())) {
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            while (System.nanoTime() < end) {
                out.write(many.toByteArray());
                in.skipNBytes(in.available());
            }
        }
    }

    private static byte[] ping() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LinkWriter.ping().writeDelimitedTo(out);
        return out.toByteArray();
    }

    /** Connections on which half a line comes, and no more. */
    private static void keepOpen(long end, Endpoint port) {
        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < KEPT_OPEN; i++) {
                Socket socket = new Socket(port.host(), port.port());
                open.add(socket);
                socket.getOutputStream().write('G');
            }
            while (System.nanoTime() < end) {
                java.util.concurrent.locks.LockSupport.parkNanos(100_000_000);
            }
        } catch (IOException e) {
            // Turned away: those that are open stay.
            Thread.onSpinWait();
        } finally {
            for (Socket socket : open) {
                try {
                    socket.close();
                } catch (IOException e) {
                    Thread.onSpinWait();
                }
            }
        }
    }
}
