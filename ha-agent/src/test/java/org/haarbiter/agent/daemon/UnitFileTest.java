package org.haarbiter.agent.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Guard;
import org.junit.jupiter.api.Test;

/** The unit in conf/systemd is one that guards, by the agent's own reckoning. */
class UnitFileTest {
    private static final Path UNIT = Path.of("..", "conf", "systemd", "ha-agent@.service");

    private static Map<String, String> unit() throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String line : Files.readAllLines(UNIT)) {
            int equals = line.indexOf('=');
            if (!line.startsWith("#") && equals > 0) {
                settings.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return settings;
    }

    @Test
    void itsWatchdogFitsTheProfilesThatItNames() throws IOException {
        String seconds = unit().getOrDefault("WatchdogSec", "");
        assertThat(seconds).matches("[0-9]+s");
        long millis = Long.parseLong(seconds.substring(0, seconds.length() - 1)) * 1_000;

        assertThat(Supervision.guard(millis, true, Timing.Profile.NORMAL.timing())
                        .kind())
                .isEqualTo(Guard.Kind.IN_TIME);
        assertThat(Supervision.guard(millis, true, Timing.Profile.WIDE.timing()).kind())
                .isEqualTo(Guard.Kind.IN_TIME);
        assertThat(Supervision.guard(millis, true, Timing.Profile.FAST.timing()).kind())
                .isEqualTo(Guard.Kind.LATE);
    }

    @Test
    void itsHookIsOneThatTheAgentRecognises() throws IOException {
        Map<String, String> unit = unit();
        String start = unit.getOrDefault("ExecStart", "");
        String settings = start.substring(start.indexOf("--config ") + "--config ".length());

        // As systemctl shows it.
        String shown =
                "MainPID=1\nExecStopPost={ path=/x ; argv[]=" + unit.get("ExecStopPost") + " ; ignore_errors=no }";
        assertThat(Supervision.hookMissing(shown, 1, Path.of(settings))).isNull();
        assertThat(unit)
                .containsEntry("Type", "notify")
                .containsEntry("NotifyAccess", "main")
                .containsEntry("Environment", Supervision.UNIT + "=%n")
                .containsEntry("WatchdogSignal", "SIGKILL")
                .containsEntry("SuccessExitStatus", "143")
                .containsEntry("Restart", "always")
                .containsEntry("StartLimitIntervalSec", "0");
    }
}
