package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What systemd itself thinks of the units, where its programs are installed. */
class UnitsTest {
    private static final Pattern EXPOSURE = Pattern.compile("Overall exposure level for \\S+: ([0-9.]+)");

    @BeforeAll
    static void systemdIsInstalled() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(directory -> Files.isExecutable(Path.of(directory, "systemd-analyze"))),
                "no systemd-analyze");
    }

    private static Path unit(String name) {
        return Arena.home().resolve("conf").resolve("systemd").resolve(name);
    }

    @ParameterizedTest
    @CsvSource({"ha-master.service, 2.0", "ha-agent@.service, 2.5"})
    void exposesLittle(String name, double most) throws IOException, InterruptedException {
        Ended judged = Ended.of(new ProcessBuilder(
                "systemd-analyze",
                "security",
                "--no-pager",
                "--offline=true",
                unit(name).toString()));
        Matcher exposure = EXPOSURE.matcher(judged.out());
        assertThat(exposure.find()).as(judged.said()).isTrue();
        assertThat(Double.parseDouble(exposure.group(1))).as(judged.out()).isLessThanOrEqualTo(most);
    }

    /** It exits with 0 whatever it finds. */
    @ParameterizedTest
    @CsvSource({"ha-master.service, ha-master.service", "ha-agent@.service, ha-agent@a.service"})
    void hasNoMistakes(String name, String instance, @TempDir Path directory) throws IOException, InterruptedException {
        Path copy = Files.writeString(
                directory.resolve(instance),
                Files.readString(unit(name))
                        .replaceAll(
                                "/usr/lib/ha-arbiter/[a-z]+/bin",
                                Arena.home().resolve("scripts").toString())
                        .replaceAll("(?m)^Documentation=.*$", ""));
        Ended verified = Ended.of(new ProcessBuilder("systemd-analyze", "verify", "--man=no", copy.toString()));
        // Of other units on this machine it speaks as well.
        assertThat(verified.said().lines().filter(line -> line.contains("ha-master") || line.contains("ha-agent")))
                .isEmpty();
    }
}
