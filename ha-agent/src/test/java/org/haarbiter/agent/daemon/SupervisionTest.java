package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Guard;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What counts as evidence of a guard, and what an agent says of it. */
class SupervisionTest {
    private static final Timing NORMAL = Timing.Profile.NORMAL.timing();
    private static final Path SETTINGS = Path.of("/etc/ha-arbiter/agent-a.yaml");
    private static final String HOOK = "ExecStopPost={ path=/usr/lib/ha-arbiter/agent/bin/ha-agent ; argv[]="
            + "/usr/lib/ha-arbiter/agent/bin/ha-agent fence-after-stop --config /etc/ha-arbiter/agent-a.yaml ;"
            + " ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n";

    @Test
    void theHookMustBeInForceForThisProcessAndTheseSettings() {
        assertThat(Supervision.hookMissing("MainPID=12\n" + HOOK, 12, SETTINGS)).isNull();
        assertThat(Supervision.hookMissing("MainPID=12\n" + HOOK, 1, SETTINGS))
                .contains("another process is the unit's main one");
        assertThat(Supervision.hookMissing("MainPID=0\n", 12, SETTINGS)).contains("another process");
        assertThat(Supervision.hookMissing("MainPID=12\nExecStopPost=\n", 12, SETTINGS))
                .isEqualTo("its unit has no ExecStopPost=... fence-after-stop --config /etc/ha-arbiter/agent-a.yaml");
        assertThat(Supervision.hookMissing("MainPID=12\n" + HOOK.replace("agent-a", "agent-b"), 12, SETTINGS))
                .contains("has no ExecStopPost");
        assertThat(Supervision.hookMissing("MainPID=12\n" + HOOK.replace("fence-after-stop", "--check"), 12, SETTINGS))
                .contains("has no ExecStopPost");
    }

    @Test
    void whatIsMissingOrTooSlowIsSaid() {
        Timing fast = Timing.Profile.FAST.timing();
        assertThat(said(1_000, null, NORMAL))
                .isEqualTo(
                        "guarded: if this agent ends or stands still its server is fenced within 2000 ms (watchdog 1000,"
                                + " hook 1000), before its permission of 3000 ms ends where the masters have answered up to then");
        assertThat(said(250, null, fast))
                .startsWith("guarded too late: ")
                .contains("within 1250 ms", "100 ms, is longer than the permission of 1000 ms: lower WatchdogSec");
        assertThat(said(500, null, new Timing(250, 1500, 4000, 1800, 10, 250, 1500, 2, 1000)))
                .endsWith("within 1500 ms (watchdog 500, hook 1000), which is no longer than fence-budget-millis");
        assertThat(said(1_000, "its unit has no hook", NORMAL))
                .isEqualTo("not guarded against the end of this agent: its unit has no hook");
        assertThat(said(0, null, NORMAL))
                .isEqualTo("not guarded against a standstill of this agent: its unit has no WatchdogSec");
        assertThat(said(0, "its unit has no hook", NORMAL))
                .isEqualTo("not guarded: the unit has no WatchdogSec; its unit has no hook");
    }

    private static String said(long watchdogMillis, @Nullable String hookMissing, Timing timing) {
        return Supervision.sentence(
                Supervision.guard(watchdogMillis, hookMissing == null, timing), watchdogMillis, hookMissing, timing);
    }

    @Test
    void guardsAreOrderedAndTheBoundariesCount() {
        assertThat(Supervision.guard(1_750, true, NORMAL)).isEqualTo(new Guard(Guard.Kind.IN_TIME, 2_750));
        assertThat(Supervision.guard(1_751, true, NORMAL)).isEqualTo(new Guard(Guard.Kind.LATE, 2_751));
        assertThat(Supervision.guard(0, true, NORMAL)).isEqualTo(new Guard(Guard.Kind.STOP_HOOK, 0));
        assertThat(Supervision.guard(1_000, false, NORMAL)).isEqualTo(new Guard(Guard.Kind.WATCHDOG, 0));
        assertThat(Supervision.guard(0, false, NORMAL)).isEqualTo(Guard.NONE);
    }

    @Test
    void onlySuccessIsACleanStop() {
        assertThat(StopHook.clean(Map.of())).isNull();
        assertThat(StopHook.clean(Map.of("SERVICE_RESULT", ""))).isNull();
        assertThat(StopHook.clean(Map.of("SERVICE_RESULT", "success"))).isTrue();
        for (String result : new String[] {"protocol", "timeout", "exit-code", "signal", "watchdog", "oom-kill", "x"}) {
            assertThat(StopHook.clean(Map.of("SERVICE_RESULT", result)))
                    .as(result)
                    .isFalse();
        }
    }
}
