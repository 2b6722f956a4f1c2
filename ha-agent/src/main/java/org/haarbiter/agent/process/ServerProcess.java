package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process, held so that it can't be mistaken for another that gets its pid later. Threads: any, but
 * {@link #awaitEnd} is for one thread only.
 */
public final class ServerProcess implements AutoCloseable {
    private static final int STAT_BYTES = 1024;
    private static final List<String> PROGRAMS = List.of("mysqld", "mariadbd");
    private static final String BOOT = bootId();
    private static final String LISTENING = "0A";
    private static final int NICEST = 19;
    private static final Logger LOG = LoggerFactory.getLogger(ServerProcess.class);

    private final int pid;
    private final int pidfd;
    private final int statFd;
    private final String instance;
    private final Memory pollFds = new Memory(16);
    private final Memory statMemory = new Memory(STAT_BYTES);
    private final ByteBuffer statText = statMemory.getByteBuffer(0, STAT_BYTES);
    private final ProcStat stat = new ProcStat();
    private volatile @Nullable String end;
    private boolean closed;

    private ServerProcess(int pid, int pidfd, int statFd) throws IOException {
        this.pid = pid;
        this.pidfd = pidfd;
        this.statFd = statFd;
        pollFds.clear();
        pollFds.setInt(0, pidfd);
        pollFds.setShort(4, (short) LibC.POLLIN);
        pollFds.setShort(12, (short) LibC.POLLIN);
        String already = look();
        if (already != null && stat.startTicks() == 0) {
            throw new IOException("process " + pid + ": " + already);
        }
        this.instance = BOOT + "/" + pid + "/" + stat.startTicks();
    }

    /**
     * Takes hold of a process.
     *
     * @throws IOException where there is none, or it is in another pid namespace
     */
    public static ServerProcess of(int pid) throws IOException {
        if (pid <= 0) {
            throw new IOException("the server's process is not visible from here (pid " + pid
                    + "): the agent must run in the same pid namespace as its server");
        }
        int pidfd = -1;
        int statFd = -1;
        try {
            pidfd = (int) LibC.syscall(LibC.SYS_PIDFD_OPEN, pid, 0, 0, 0);
            // The task's own file rather than the process's: that one adds up the times of all threads at each reading.
            statFd = LibC.open("/proc/" + pid + "/task/" + pid + "/stat", LibC.O_RDONLY | LibC.O_CLOEXEC);
            return new ServerProcess(pid, pidfd, statFd);
        } catch (LastErrorException | IOException e) {
            closeFd(statFd);
            closeFd(pidfd);
            throw e instanceof IOException io
                    ? io
                    : new IOException("process " + pid + ": " + LibC.text((LastErrorException) e), e);
        }
    }

    /**
     * The pid of the database server that works in a data directory, also before it listens; -1 where there is none.
     * Servers change into their data directory as the first thing they do.
     *
     * @throws IOException where other users' processes can't be looked at
     */
    public static int pidIn(Path dataDirectory) throws IOException {
        Path wanted = dataDirectory.toRealPath();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (isServer(process) && wanted.equals(workDirectory(process))) {
                    return Integer.parseInt(process.getFileName().toString());
                }
            }
        }
        return -1;
    }

    private static boolean isServer(Path process) {
        String line;
        try {
            line = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // It ended between the listing and the look.
            return false;
        }
        String[] words = line.split("\0", -1);
        // The program may follow a loader and its options.
        for (int i = 0; i < Math.min(words.length, 5); i++) {
            if (PROGRAMS.contains(words[i].substring(words[i].lastIndexOf('/') + 1))) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable Path workDirectory(Path process) throws IOException {
        try {
            return Files.readSymbolicLink(process.resolve("cwd"));
        } catch (java.nio.file.NoSuchFileException e) {
            return null;
        } catch (java.nio.file.AccessDeniedException e) {
            throw new IOException(
                    "the agent may not look at " + process + ": it must run as root or as the server's user", e);
        }
    }

    /** The inodes of its open sockets. */
    Set<Integer> sockets() throws IOException {
        Set<Integer> inodes = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path file : files) {
                String target;
                try {
                    target = Files.readSymbolicLink(file).toString();
                } catch (java.nio.file.NoSuchFileException e) {
                    // Closed between the listing and the look.
                    continue;
                }
                if (target.startsWith("socket:[")) {
                    inodes.add(Integer.parseUnsignedInt(target.substring(8, target.length() - 1)));
                }
            }
        }
        return inodes;
    }

    /**
     * Whether it takes connections at that TCP port, on whatever address.
     *
     * @throws IOException where the agent may not look
     */
    public boolean listensAt(int port) throws IOException {
        Set<Integer> own = sockets();
        String local = String.format(":%04X", port);
        for (String table : List.of("tcp", "tcp6")) {
            Path file = Path.of("/proc/" + pid + "/net/" + table);
            if (!Files.exists(file)) {
                continue;
            }
            for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
                String[] words = line.strip().split("\\s+", -1);
                if (words.length > 9
                        && words[1].endsWith(local)
                        && words[3].equals(LISTENING)
                        && own.contains(Integer.parseUnsignedInt(words[9]))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Its pid. */
    public int pid() {
        return pid;
    }

    /** Names this process for ever, over restarts and boots: boot, pid and start time. */
    public String instance() {
        return instance;
    }

    /** The evidence of its end as last seen, without a look; null while none was seen. */
    public @Nullable String end() {
        return end;
    }

    /** Looks now. Returns the evidence of its end; null while it can run. */
    public synchronized @Nullable String look() {
        if (end != null || closed) {
            return end;
        }
        String found;
        try {
            long length = LibC.pread(statFd, statMemory, STAT_BYTES, 0);
            found = length <= 0
                    ? "/proc has no entry of it any more"
                    : stat.read(statText, (int) length) ? stat.end() : null;
        } catch (LastErrorException e) {
            if (e.getErrorCode() == LibC.EINTR) {
                return null;
            }
            found = "/proc has no entry of it any more (" + LibC.text(e) + ")";
        }
        if (found != null) {
            end = found;
        }
        return found;
    }

    /**
     * Waits for its end, then looks. Returns the evidence; null when it hasn't ended. One thread only.
     *
     * @param millis look after so long in any case
     * @param wakeFd look as soon as there is something to read from it; -1 for nothing
     */
    @Nullable
    String awaitEnd(int millis, int wakeFd) {
        try {
            // The kernel passes over a negative descriptor.
            pollFds.setInt(8, wakeFd);
            if (LibC.poll(pollFds, 2, millis) > 0 && pollFds.getShort(6) != 0) {
                end = "its pidfd reports the end";
                return end;
            }
        } catch (LastErrorException e) {
            if (e.getErrorCode() != LibC.EINTR) {
                throw e;
            }
        }
        return look();
    }

    /**
     * Sends SIGKILL to exactly this process; also works when it is stopped. Does nothing when it has ended.
     *
     * @throws IOException where the agent may not
     */
    public synchronized void kill() throws IOException {
        signal(LibC.SIGKILL);
    }

    /** Checks that {@link #kill} would be allowed. */
    public synchronized void checkKill() throws IOException {
        signal(0);
    }

    private void signal(int number) throws IOException {
        if (closed) {
            return;
        }
        try {
            LibC.syscall(LibC.SYS_PIDFD_SEND_SIGNAL, pidfd, number, 0, 0);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != LibC.ESRCH) {
                throw new IOException(
                        "can't send signal " + number + " to the server (pid " + pid + "): " + LibC.text(e)
                                + "; the agent must run as root or as the server's user",
                        e);
            }
        }
    }

    /**
     * Lets everybody else on this host go before a process that is ending: its last thread keeps a processor busy with freeing its
     * memory, for about 90 ms per resident gigabyte, and the other servers of a host with several need it now.
     */
    public void stepBack() {
        String[] threads = new File("/proc/" + pid + "/task").list();
        for (String thread : threads == null ? new String[0] : threads) {
            try {
                LibC.setpriority(LibC.PRIO_PROCESS, Integer.parseInt(thread), NICEST);
            } catch (LastErrorException e) {
                if (e.getErrorCode() != LibC.ESRCH) {
                    LOG.debug("the server's ending process {} keeps its priority: {}", pid, LibC.text(e));
                    return;
                }
            }
        }
    }

    /** Lets go of it. {@link #end} keeps what was last seen. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            closeFd(statFd);
            closeFd(pidfd);
        }
    }

    private static void closeFd(int fd) {
        if (fd >= 0) {
            LibC.close(fd);
        }
    }

    private static String bootId() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            throw new IllegalStateException("/proc isn't readable: the agent needs Linux with /proc", e);
        }
    }

    @Override
    public String toString() {
        return instance;
    }
}
