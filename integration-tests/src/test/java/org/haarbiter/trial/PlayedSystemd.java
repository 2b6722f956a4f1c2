package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.supervisor.NotifyListener;
import org.jspecify.annotations.Nullable;

/**
 * Does for one agent what systemd would do by {@code conf/systemd/ha-agent@.service}, since tests run where systemd isn't the first
 * process: the commands, the watchdog and the restart are read from that file. What it leaves out are users, capabilities and
 * everything else that keeps a process in. Its own thread watches; the methods are for one other thread.
 */
final class PlayedSystemd implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int KILLED = 128;
    private static final int SIGKILL = 9;

    /** What it saw or did, and when by {@link System#nanoTime}. */
    record Event(String what, long nanos) {}

    private final Map<String, String> unit = new TreeMap<>();
    private final String unitName;
    private final Path settings;
    private final Path directory;
    private final NotifyListener listener;
    private final Thread watcher;
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    // Under the lock.
    private @Nullable Process main;
    private boolean ready;
    private boolean stopping;
    private long fedNanos;
    private long longestGapNanos;
    private int feeds;

    /**
     * Starts nothing yet.
     *
     * @param settings of the agent
     * @param directory for its socket and logs
     */
    PlayedSystemd(String name, Path settings, Path directory) throws IOException {
        this.unitName = "ha-agent@" + name + ".service";
        this.settings = settings.toAbsolutePath();
        this.directory = Files.createDirectories(directory);
        for (String line : Files.readAllLines(
                Arena.home().resolve("conf").resolve("systemd").resolve("ha-agent@.service"))) {
            int equals = line.indexOf('=');
            if (!line.startsWith("#") && equals > 0) {
                unit.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        writeSystemctl();
        this.listener = new NotifyListener(directory.resolve("notify").toString());
        this.watcher = new Thread(this::watch, "played-systemd");
        watcher.setDaemon(true);
        watcher.start();
    }

    /** What the agent asks systemd for, answered as systemctl does. */
    private void writeSystemctl() throws IOException {
        Path program = Files.createDirectories(directory.resolve("bin")).resolve("systemctl");
        Files.writeString(program, """
                #!/bin/sh
                [ "$*" = "show --property=MainPID,ExecStopPost %s" ] || exit 1
                echo "MainPID=$(cat '%s')"
                echo "ExecStopPost={ path=%s ; argv[]=%s ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; status=0/0 }"
                """.formatted(
                        unitName,
                        directory.resolve("pid"),
                        command("ExecStopPost").get(0),
                        String.join(" ", command("ExecStopPost"))));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String setting(String key) {
        String value = unit.get(key);
        if (value == null) {
            throw new IllegalStateException("the unit has no " + key);
        }
        return value;
    }

    private List<String> command(String key) {
        return List.of(setting(key)
                .replace("/usr/lib/ha-arbiter/agent/bin/ha-agent", Arena.launcher("ha-agent"))
                .replace("/etc/ha-arbiter/agent-%i.yaml", settings.toString())
                .split(" "));
    }

    private long millis(String key) {
        String value = setting(key);
        return value.endsWith("ms")
                ? Long.parseLong(value.substring(0, value.length() - 2))
                : Long.parseLong(value.substring(0, value.length() - 1)) * 1_000;
    }

    /** The watchdog's time. */
    Duration watchdog() {
        return Duration.ofMillis(millis("WatchdogSec"));
    }

    /** {@code systemctl start}: returns once the agent has said that it is ready. */
    void start() throws IOException {
        launch();
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!readyNow()) {
            if (System.nanoTime() - end > 0) {
                throw new IOException(unitName + " isn't ready after " + LIMIT.toSeconds() + " s: see " + directory);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private synchronized boolean readyNow() {
        return ready;
    }

    private synchronized void launch() throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "WATCHDOG_PID=$$ exec \"$@\"", "sh"));
        command.addAll(command("ExecStart"));
        ProcessBuilder builder = builder(command);
        Map<String, String> environment = builder.environment();
        environment.put("NOTIFY_SOCKET", directory.resolve("notify").toString());
        environment.put("WATCHDOG_USEC", Long.toString(TimeUnit.MILLISECONDS.toMicros(millis("WatchdogSec"))));
        ready = false;
        stopping = false;
        main = builder.start();
        Files.writeString(directory.resolve("pid"), main.pid() + "\n");
        event("started");
    }

    private ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()));
        String[] variable = setting("Environment").replace("%n", unitName).split("=", 2);
        builder.environment().put(variable[0], variable[1]);
        builder.environment().merge("PATH", directory.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
        return builder;
    }

    private void watch() {
        while (!closed) {
            List<String> lines = listener.next(Duration.ofMillis(5));
            long now = System.nanoTime();
            try {
                heard(lines, now);
                judge(now);
            } catch (IOException e) {
                event("failed: " + e);
                return;
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private synchronized void heard(List<String> lines, long now) {
        if (lines.contains("READY=1")) {
            ready = true;
            // systemd's watchdog begins to count with this.
            fedNanos = now;
            event("ready");
        }
        if (lines.contains("WATCHDOG=1")) {
            if (ready && feeds > 0) {
                longestGapNanos = Math.max(longestGapNanos, now - fedNanos);
            }
            fedNanos = now;
            feeds++;
        }
    }

    private void judge(long now) throws IOException, InterruptedException {
        Process running;
        boolean late;
        synchronized (this) {
            running = main;
            late = ready && !stopping && now - fedNanos > TimeUnit.MILLISECONDS.toNanos(millis("WatchdogSec"));
        }
        if (running == null) {
            return;
        }
        if (late && running.isAlive()) {
            event("watchdog");
            signal(running, setting("WatchdogSignal").substring(3));
            running.waitFor();
            ended(running, "watchdog");
        } else if (!running.isAlive()) {
            boolean success =
                    running.exitValue() == 0 || setting("SuccessExitStatus").equals("" + running.exitValue());
            ended(running, success ? "success" : running.exitValue() == KILLED + SIGKILL ? "signal" : "exit-code");
        }
    }

    private static void signal(Process process, String name) throws IOException, InterruptedException {
        int code = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException("kill -" + name + " " + process.pid() + " ended with " + code);
        }
    }

    private void ended(Process process, String result) throws IOException, InterruptedException {
        event("ended");
        boolean killed = process.exitValue() == KILLED + SIGKILL;
        ProcessBuilder hook = builder(command("ExecStopPost"));
        hook.environment().put("SERVICE_RESULT", result);
        hook.environment().put("EXIT_CODE", killed ? "killed" : "exited");
        hook.environment().put("EXIT_STATUS", killed ? "KILL" : Integer.toString(process.exitValue()));
        int code = hook.start().waitFor();
        event("hook " + result + " " + code);
        boolean again;
        synchronized (this) {
            main = null;
            ready = false;
            feeds = 0;
            again = !stopping && setting("Restart").equals("always");
        }
        if (again) {
            TimeUnit.MILLISECONDS.sleep(millis("RestartSec"));
            launch();
        }
    }

    private void event(String what) {
        events.add(new Event(what, System.nanoTime()));
    }

    /** {@code systemctl stop}: returns once the agent has ended and the hook has run. */
    void stop() {
        Process running;
        synchronized (this) {
            running = main;
            stopping = true;
        }
        if (running != null) {
            running.destroy();
            await("hook success 0");
        }
    }

    /** SIGSTOP: returns the moment before it was sent. */
    long freeze() throws IOException, InterruptedException {
        Process running;
        synchronized (this) {
            running = main;
            longestGapNanos = 0;
        }
        if (running == null) {
            throw new IllegalStateException(unitName + " doesn't run");
        }
        long now = System.nanoTime();
        signal(running, "STOP");
        return now;
    }

    /** How often the watchdog was fed since the last start. */
    synchronized int feeds() {
        return feeds;
    }

    /** The longest time between two feeds, in ms. */
    synchronized long longestGapMillis() {
        return longestGapNanos / 1_000_000;
    }

    /** Waits for the next event of this kind, from those that were not awaited before. */
    Event await(String what) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() - end < 0) {
            while (!events.isEmpty()) {
                Event first = events.remove(0);
                if (first.what().equals(what)) {
                    return first;
                }
                System.out.println(unitName + ": " + first.what());
            }
            LockSupport.parkNanos(2_000_000);
        }
        throw new IllegalStateException(
                unitName + ": no '" + what + "' within " + LIMIT.toSeconds() + " s: see " + directory);
    }

    @Override
    public void close() throws IOException {
        closed = true;
        watcher.interrupt();
        try {
            watcher.join(LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Process running;
        synchronized (this) {
            running = main;
        }
        if (running != null) {
            running.destroyForcibly();
        }
        listener.close();
    }
}
