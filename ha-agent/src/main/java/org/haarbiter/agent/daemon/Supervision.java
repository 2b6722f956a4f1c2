package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.settings.Timing;
import org.haarbiter.supervisor.Supervisor;
import org.haarbiter.words.Guard;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service manager that an agent runs under: what it is told, and what it would do about an agent that ends or stands still. For
 * the latter systemd itself is asked, which knows the unit as it is in force with all its drop-ins, and whose main process must be this
 * one: a variable that a unit sets would still be there when the hook is not. Any thread.
 */
public final class Supervision {
    private static final Logger LOG = LoggerFactory.getLogger(Supervision.class);

    /** In the unit: {@code Environment=HA_AGENT_UNIT=%n}. */
    static final String UNIT = "HA_AGENT_UNIT";

    /** From the watchdog's verdict until the server is fenced, in ms: a kill, a Java start, a login, a fence, on a busy machine. */
    static final int HOOK_MILLIS = 1_000;

    private static final long ASK_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int ASK_SECONDS = 10;
    private static final int ANSWER_LIMIT = 64 * 1024;

    private final Supervisor supervisor;
    private final String unit;
    private final long pid;
    private final Path settings;
    private final Timing timing;
    private volatile Guard guard = Guard.NONE;

    // Only the asking thread uses it.
    private @Nullable String said;

    private Supervision(Supervisor supervisor, String unit, long pid, Path settings, Timing timing) {
        this.supervisor = supervisor;
        this.unit = unit;
        this.pid = pid;
        this.settings = settings;
        this.timing = timing;
    }

    /** Nobody. */
    public static Supervision none() {
        return new Supervision(Supervisor.none(), "", 0, Path.of(""), Timing.Profile.NORMAL.timing());
    }

    /**
     * Whoever the environment names; begins to ask what it would do, each minute.
     *
     * @param settings the file as it was given to this process: the hook must have been given the same
     */
    static Supervision of(Map<String, String> environment, long pid, Path settings, Timing timing) {
        Supervision supervision = new Supervision(
                Supervisor.of(environment, pid), environment.getOrDefault(UNIT, ""), pid, settings, timing);
        if (supervision.supervisor.present()) {
            Thread thread = new Thread(supervision::keepAsking, "supervision");
            thread.setDaemon(true);
            thread.start();
        }
        return supervision;
    }

    /** Who is told. */
    Supervisor supervisor() {
        return supervisor;
    }

    /** What there is evidence of. */
    Guard guard() {
        return guard;
    }

    private void keepAsking() {
        while (true) {
            String why = ask();
            guard = guard(supervisor.watchdogMillis(), why == null, timing);
            say(why);
            LockSupport.parkNanos(this, ASK_NANOS);
        }
    }

    /** What the watchdog's time and the hook come to. */
    static Guard guard(long watchdogMillis, boolean hook, Timing timing) {
        if (watchdogMillis == 0 || !hook) {
            return new Guard(
                    hook ? Guard.Kind.STOP_HOOK : watchdogMillis > 0 ? Guard.Kind.WATCHDOG : Guard.Kind.NONE, 0);
        }
        long within = watchdogMillis + HOOK_MILLIS;
        Guard.Kind kind = Guard.Kind.LATE;
        if (within <= timing.fenceBudgetMillis()) {
            kind = Guard.Kind.ALWAYS;
        } else if (timing.heartbeatMillis() + within <= timing.leaseMillis()) {
            // Masters count a lease from the last heartbeat, which may be older than the last sign of life.
            kind = Guard.Kind.IN_TIME;
        }
        return new Guard(kind, (int) Math.min(within, Integer.MAX_VALUE));
    }

    private void say(@Nullable String hookMissing) {
        String sentence = sentence(guard, supervisor.watchdogMillis(), hookMissing, timing);
        if (!sentence.equals(said)) {
            said = sentence;
            if (guard.kind().compareTo(Guard.Kind.IN_TIME) >= 0) {
                LOG.info(sentence);
            } else {
                LOG.warn(sentence);
            }
        }
    }

    /** What an agent says at its start of how its server is guarded. */
    static String sentence(Guard guard, long watchdogMillis, @Nullable String hookMissing, Timing timing) {
        String fenced = "if this agent ends or stands still its server is fenced within " + guard.withinMillis()
                + " ms (watchdog " + watchdogMillis + ", hook " + HOOK_MILLIS + ")";
        return switch (guard.kind()) {
            case NONE -> "not guarded: the unit has no WatchdogSec; " + hookMissing;
            case STOP_HOOK -> "not guarded against a standstill of this agent: its unit has no WatchdogSec";
            case WATCHDOG -> "not guarded against the end of this agent: " + hookMissing;
            case LATE ->
                "guarded too late: " + fenced + ", which with the time between heartbeats, " + timing.heartbeatMillis()
                        + " ms, is longer than the permission of " + timing.leaseMillis()
                        + " ms: lower WatchdogSec in the unit, or take a timing profile with a longer lease";
            case IN_TIME ->
                "guarded: " + fenced + ", before its permission of " + timing.leaseMillis()
                        + " ms ends where the masters have answered up to then";
            case ALWAYS -> "guarded: " + fenced + ", which is no longer than fence-budget-millis";
        };
    }

    /** Null where the hook is there; otherwise a sentence. */
    private @Nullable String ask() {
        if (unit.isEmpty()) {
            return "its unit isn't known (must have Environment=" + UNIT + "=%n)";
        }
        Process process = null;
        try {
            process = new ProcessBuilder("systemctl", "show", "--property=MainPID,ExecStopPost", unit)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            // A killed systemctl ends the reading, too.
            Process asked = process;
            process.onExit().orTimeout(ASK_SECONDS, TimeUnit.SECONDS).exceptionally(late -> asked.destroyForcibly());
            String answer = new String(process.getInputStream().readNBytes(ANSWER_LIMIT), StandardCharsets.UTF_8);
            int code = process.waitFor();
            return code == 0
                    ? hookMissing(answer, pid, settings)
                    : "systemctl show " + unit + " ended with " + code + ": " + answer.strip();
        } catch (IOException e) {
            return "systemd can't be asked for " + unit + ": " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            if (process != null) {
                process.destroy();
            }
        }
    }

    /** What speaks against a hook, by what systemctl shows of the unit; null where it is there, and for this agent. */
    static @Nullable String hookMissing(String shown, long pid, Path settings) {
        boolean main = false;
        boolean hook = false;
        for (String line : shown.split("\n", -1)) {
            main |= line.equals("MainPID=" + pid);
            hook |= line.startsWith("ExecStopPost=")
                    && line.contains(" " + StopHook.COMMAND + " ")
                    && line.contains(" " + settings + " ");
        }
        if (!main) {
            return "systemd says that another process is the unit's main one (must be this agent, " + pid + "; does "
                    + UNIT + " name its unit?)";
        }
        return hook ? null : "its unit has no ExecStopPost=... " + StopHook.COMMAND + " --config " + settings;
    }
}
