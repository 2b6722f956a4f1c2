package org.haarbiter.agent.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerProcessTest {
    private static final long LIMIT_NANOS = 10_000_000_000L;

    @Test
    void theWatchTellsOnceOfAKilledProcess() throws Exception {
        Process child = new ProcessBuilder("sleep", "600").start();
        BlockingQueue<String> deaths = new ArrayBlockingQueue<>(10);
        try (ProcessWatch watch = new ProcessWatch(2, (instance, evidence) -> deaths.add(instance + ": " + evidence))) {
            ServerProcess process = ServerProcess.of((int) child.pid());
            watch.watch(process);
            watch.recheck();
            assertThat(process.look()).isNull();
            process.checkKill();
            assertThat(process.look()).isNull();
            assertThat(deaths).isEmpty();
            process.kill();
            String death = deaths.poll(10, TimeUnit.SECONDS);
            assertThat(death).startsWith(process.instance() + ": server process " + child.pid() + " ends: ");
            watch.recheck();
            child.waitFor();
            watch.recheck();
            assertThat(deaths).isEmpty();
            assertThat(process.look()).isNotNull();
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void aStoppedProcessIsNoDeadOneAndCanBeKilled() throws Exception {
        Process child = new ProcessBuilder("sh", "-c", "kill -STOP $$").start();
        try (ServerProcess process = ServerProcess.of((int) child.pid())) {
            long deadline = System.nanoTime() + LIMIT_NANOS;
            while (!Files.readString(Path.of("/proc/" + child.pid() + "/stat")).contains(") T ")) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
            assertThat(process.look()).isNull();
            process.kill();
            while (process.look() == null) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void aProcessStepsBackBehindAllOthers() throws Exception {
        Process child = new ProcessBuilder("sleep", "600").start();
        try (ServerProcess process = ServerProcess.of((int) child.pid())) {
            process.stepBack();
            String stat = Files.readString(Path.of("/proc/" + child.pid() + "/stat"));
            // The 19th field of proc(5); the second may hold blanks.
            assertThat(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16])
                    .isEqualTo("19");
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void aProcessThatIsGoneCantBeTakenHoldOf() throws Exception {
        Process child = new ProcessBuilder("true").start();
        child.waitFor();
        assertThatThrownBy(() -> ServerProcess.of((int) child.pid())).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> ServerProcess.of(0)).hasMessageContaining("pid namespace");
    }

    @Test
    void aServerIsFoundByItsDataDirectoryBeforeItListens(@TempDir Path directory) throws Exception {
        Path program = directory.resolve("mysqld");
        Files.createSymbolicLink(program, Path.of("/bin/sleep").toRealPath());
        assertThat(ServerProcess.pidIn(directory)).isEqualTo(-1);
        Process other =
                new ProcessBuilder("sleep", "600").directory(directory.toFile()).start();
        Process server = new ProcessBuilder(program.toString(), "600")
                .directory(directory.toFile())
                .start();
        try {
            long deadline = System.nanoTime() + LIMIT_NANOS;
            while (ServerProcess.pidIn(directory) != server.pid()) {
                assertThat(System.nanoTime()).isLessThan(deadline);
            }
        } finally {
            other.destroyForcibly();
            server.destroyForcibly();
        }
    }

    @Test
    void aUnixSocketTellsWhoListensAndKeepsItsDeadline(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("sock");
        assertThatThrownBy(() -> UnixSocket.connect(path)).isInstanceOf(java.nio.file.NoSuchFileException.class);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            try (UnixSocket socket = UnixSocket.connect(path)) {
                assertThat(socket.peerPid())
                        .isEqualTo((int) ProcessHandle.current().pid());
                byte[] bytes = new byte[10];
                long start = System.nanoTime();
                assertThat(socket.read(bytes, 0, 10, start + 20_000_000)).isZero();
                assertThat(System.nanoTime() - start).isBetween(19_000_000L, LIMIT_NANOS);
                try (var accepted = listener.accept()) {
                    accepted.write(java.nio.ByteBuffer.wrap(new byte[] {7}));
                    assertThat(socket.read(bytes, 0, 10, System.nanoTime() + LIMIT_NANOS))
                            .isEqualTo(1);
                    assertThat(bytes[0]).isEqualTo((byte) 7);
                }
                assertThatThrownBy(() -> socket.read(bytes, 0, 10, System.nanoTime() + LIMIT_NANOS))
                        .isInstanceOf(java.io.EOFException.class);
            }
        }
        assertThatThrownBy(() -> UnixSocket.connect(path)).isInstanceOf(java.net.ConnectException.class);
    }

    @Test
    void connectionsOfTheServersPortAndAddressAreResetAndNoOthers() throws Exception {
        InetAddress mine = InetAddress.getByName("127.66.1.1");
        InetAddress others = InetAddress.getByName("127.66.1.2");
        try (ServerSocket server = new ServerSocket(0, 50, mine);
                ServerSocket other = new ServerSocket(server.getLocalPort(), 50, others);
                ConnectionReset reset = new ConnectionReset(new Endpoint("127.66.1.1", server.getLocalPort()))) {
            Assumptions.assumeTrue(reset.unavailable() == null, String.valueOf(reset.unavailable()));
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(new Socket(mine, server.getLocalPort()));
                server.accept();
            }
            Socket bystander = new Socket(others, server.getLocalPort());
            Socket bystanderAtServer = other.accept();
            assertThat(reset.count()).isEqualTo(20);
            assertThat(reset.reset(false)).isEqualTo(20);
            for (Socket client : clients) {
                client.setSoTimeout(10_000);
                assertThatThrownBy(() -> client.getInputStream().read()).hasMessageContaining("reset");
            }
            bystanderAtServer.getOutputStream().write(5);
            assertThat(bystander.getInputStream().read()).isEqualTo(5);
            assertThat(reset.count()).isZero();

            // Without the listeners a new client still gets through; with them it is refused.
            try (Socket late = new Socket()) {
                late.connect(new InetSocketAddress(mine, server.getLocalPort()), 10_000);
                assertThat(reset.reset(true)).isEqualTo(2);
            }
            assertThatThrownBy(() -> new Socket(mine, server.getLocalPort()))
                    .isInstanceOf(java.net.ConnectException.class);
            bystander.close();
        }
    }

    @Test
    void aServerOnAllAddressesHasItsConnectionsResetOnAll() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, Inet4Address.getByName("0.0.0.0"));
                ConnectionReset reset = new ConnectionReset(new Endpoint("127.66.1.1", server.getLocalPort()))) {
            Assumptions.assumeTrue(reset.unavailable() == null, String.valueOf(reset.unavailable()));
            try (Socket one = new Socket("127.66.1.1", server.getLocalPort());
                    Socket two = new Socket("127.66.1.9", server.getLocalPort())) {
                assertThat(reset.count()).isEqualTo(2);
                assertThat(one.isConnected() && two.isConnected()).isTrue();
            }
        }
    }

    @Test
    void anUnknownHostMakesResettingUnavailableWithASentence() {
        try (ConnectionReset reset = new ConnectionReset(new Endpoint("no-such-host.invalid", 3306))) {
            assertThat(reset.unavailable()).contains("not available", "no-such-host.invalid");
            assertThat(reset.reset(true)).isEqualTo(-1);
        }
    }

    @Test
    void deathOfALargeProcessIsNoticedBeforeItsMemoryIsFreed() throws Exception {
        String touch = "import mmap,sys,time\nm=mmap.mmap(-1,300*1024*1024)\n"
                + "for i in range(0,len(m),4096): m[i]=1\nprint('up',flush=True)\ntime.sleep(600)";
        Process child;
        try {
            child = new ProcessBuilder("python3", "-c", touch).start();
        } catch (IOException e) {
            Assumptions.abort("no python3 here");
            return;
        }
        BlockingQueue<Long> deaths = new ArrayBlockingQueue<>(10);
        try (BufferedReader up = child.inputReader();
                ProcessWatch watch = new ProcessWatch(1, (instance, evidence) -> deaths.add(System.nanoTime()))) {
            assertThat(up.readLine()).isEqualTo("up");
            ServerProcess process = ServerProcess.of((int) child.pid());
            watch.watch(process);
            long killed = System.nanoTime();
            process.kill();
            Long noticed = deaths.poll(10, TimeUnit.SECONDS);
            assertThat(noticed).isNotNull();
            assertThat(up.read()).isEqualTo(-1);
            long ended = System.nanoTime();
            System.out.printf(
                    "300 MB process: noticed after %d us (%s), its pipe ended after %d us%n",
                    (noticed - killed) / 1_000, process.end(), (ended - killed) / 1_000);
            assertThat(noticed).isLessThanOrEqualTo(ended);
        } finally {
            child.destroyForcibly();
        }
    }
}
