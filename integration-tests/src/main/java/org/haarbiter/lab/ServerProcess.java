package org.haarbiter.lab;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A server as a child process: started, frozen, killed, started again. Its output goes to a log file. Whatever still
 * runs when this JVM ends is killed. The pid is the server's own: the shell in between replaces itself.
 *
 * <p>Threads: any; calls are taken one at a time.
 */
public final class ServerProcess implements AutoCloseable {

    private static final Duration STAND_STILL_LIMIT = Duration.ofSeconds(10);

    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;
    private static final int SIGCONT = 18;
    private static final int SIGSTOP = 19;

    private static final Set<ServerProcess> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        // Loading the native library takes 100 ms and more: now, not between a fault's time stamp and the fault.
        LibC.INSTANCE.kill(Math.toIntExact(ProcessHandle.current().pid()), 0);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(ServerProcess::kill9), "lab-kills-its-servers"));
    }

    /**
     * What a service manager does for the process. It is checked ten times a second.
     *
     * @param restartCode started again when it ends with this
     * @param startRequest started again when this file appears while it doesn't run; the file is deleted
     */
    public record Supervision(int restartCode, Path startRequest) {}

    private static final long SUPERVISION_NANOS = 100_000_000;

    private interface LibC extends Library {
        LibC INSTANCE = Native.load("c", LibC.class);

        int kill(int pid, int signal);
    }

    private final String name;
    private final List<String> command;
    private final Path log;
    private final @Nullable Supervision supervision;
    private final boolean launches;
    private @Nullable Process process;
    /** What the launcher has started; null until it was seen. */
    private @Nullable ProcessHandle launched;

    private boolean closed;

    /**
     * A process that isn't started yet, and that nobody supervises.
     *
     * @param name for messages
     * @param command program and arguments
     * @param log where its output is appended
     */
    public ServerProcess(String name, Host host, List<String> command, Path log) {
        this(name, host, command, log, null);
    }

    /** The same, with somebody who starts it again. */
    public ServerProcess(String name, Host host, List<String> command, Path log, @Nullable Supervision supervision) {
        this(name, host, command, log, supervision, false);
    }

    /**
     * The same for a program that starts the server as its only Java child, and ends right after it: signals and the pid are the
     * server's, from the moment it exists.
     */
    static ServerProcess launcher(String name, Host host, List<String> command, Path log) {
        return new ServerProcess(name, host, command, log, null, true);
    }

    private ServerProcess(
            String name,
            Host host,
            List<String> command,
            Path log,
            @Nullable Supervision supervision,
            boolean launches) {
        this.launches = launches;
        this.name = name;
        this.log = log;
        this.supervision = supervision;
        List<String> whole = new ArrayList<>(host.enter());
        // A core dump of a server of some gigabytes would delay the noticing of its death.
        whole.addAll(List.of("sh", "-c", "ulimit -c 0; exec \"$@\"", "sh"));
        whole.addAll(command);
        this.command = List.copyOf(whole);
    }

    private static final class Supervisor {
        static {
            Thread thread = new Thread(Supervisor::run, "lab-supervises-its-servers");
            thread.setDaemon(true);
            thread.start();
        }

        /** Starts the thread, once. */
        static void present() {}

        private static void run() {
            while (true) {
                RUNNING.forEach(ServerProcess::supervise);
                LockSupport.parkNanos(SUPERVISION_NANOS);
            }
        }
    }

    private synchronized void supervise() {
        Process ended = process;
        if (supervision == null || ended == null || ended.isAlive() || closed) {
            return;
        }
        try {
            if (Files.deleteIfExists(supervision.startRequest()) || ended.exitValue() == supervision.restartCode()) {
                start();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(name + " can't be started again", e);
        }
    }

    /** Starts it; does nothing when it runs. */
    public synchronized void start() throws IOException {
        if (isAlive()) {
            return;
        }
        closed = false;
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        if (supervision != null) {
            // Tells a MySQL server that its parent starts it again.
            builder.environment()
                    .put(
                            "MYSQLD_PARENT_PID",
                            String.valueOf(ProcessHandle.current().pid()));
            Supervisor.present();
            // Asked for while it ran.
            Files.deleteIfExists(supervision.startRequest());
        }
        launched = null;
        process = builder.start();
        RUNNING.add(this);
    }

    /** The pid of the process that was started last. */
    public synchronized long pid() {
        Process own = started();
        if (launches && launched == null && runsJava(own.toHandle())) {
            launched =
                    own.children().filter(ServerProcess::runsJava).findFirst().orElse(null);
        }
        return launched == null ? own.pid() : launched.pid();
    }

    private static boolean runsJava(ProcessHandle process) {
        return process.info().command().filter(path -> path.endsWith("/java")).isPresent();
    }

    /** Whether the process runs; true also while it is frozen, and while the kernel still tears it down. */
    public synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Sends SIGKILL and returns at once: the kernel may take long to free the memory. */
    public void kill9() {
        signal(SIGKILL);
    }

    /** Sends SIGTERM and returns at once. */
    public void terminate() {
        signal(SIGTERM);
    }

    /**
     * Sends SIGSTOP: the process keeps its sockets and does nothing. Returns when all its threads stand still, which is within
     * a millisecond or so: until then one of them may still answer.
     */
    public void freeze() {
        signal(SIGSTOP);
        long deadline = System.nanoTime() + STAND_STILL_LIMIT.toNanos();
        while (isAlive() && !standsStill(pid())) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(
                        name + " (pid " + pid() + ") still runs " + STAND_STILL_LIMIT.toMillis() + " ms after SIGSTOP");
            }
            LockSupport.parkNanos(100_000L);
        }
    }

    private static boolean standsStill(long pid) {
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"), StandardCharsets.ISO_8859_1);
                // The state is the letter behind the name, which stands in parentheses and may hold some itself.
                char state = stat.charAt(stat.lastIndexOf(')') + 2);
                // R and S are running; D waits for a disk and stops before it does anything else.
                if (state == 'R' || state == 'S') {
                    return false;
                }
            }
            return true;
        } catch (IOException | DirectoryIteratorException e) {
            // A thread or the process ended while it was looked at: look again, as long as the caller's limit lets us.
            return false;
        }
    }

    /** Sends SIGCONT. */
    public void thaw() {
        signal(SIGCONT);
    }

    private synchronized void signal(int signal) {
        // The child is reaped only by this JVM's own watcher: while isAlive says yes, the pid is still the child's. A
        // launcher
        // reaps its own just before its end.
        if (isAlive()) {
            int pid = Math.toIntExact(pid());
            if (launched == null || launched.isAlive()) {
                LibC.INSTANCE.kill(pid, signal);
            }
        }
    }

    /** Waits for the end of the process; throws when the limit passes. */
    public void awaitEnd(Duration limit) throws IOException {
        Process ending;
        synchronized (this) {
            ending = process;
        }
        if (ending == null) {
            return;
        }
        try {
            if (!ending.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(
                        name + " (pid " + ending.pid() + ") still runs after " + limit.toMillis() + " ms");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for the end of " + name, e);
        }
    }

    /** What the process that was started last ended with; 128 + N after signal N. Throws while it runs. */
    public synchronized int exitCode() {
        return started().exitValue();
    }

    /** The last lines of the log, for messages. */
    public String lastWords() {
        return tail(log);
    }

    static String tail(Path file) {
        try {
            String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            return text.substring(Math.max(0, text.length() - 2_000));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    private Process started() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    /** Kills it and waits for its end. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            closed = true;
        }
        kill9();
        awaitEnd(Duration.ofSeconds(60));
        RUNNING.remove(this);
    }
}
