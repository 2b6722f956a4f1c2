package org.haarbiter.master.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.haarbiter.master.core.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every transcript says what the core says; -Dscenarios.rewrite=true writes them anew. */
class ScenariosTest {
    private static final Path DIRECTORY = Path.of("src", "test", "resources", "scenarios");

    static List<Path> transcripts() throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.list(DIRECTORY)) {
            files = found.sorted().toList();
        }
        assertThat(files).as("transcripts in %s", DIRECTORY).isNotEmpty();
        assertThat(files)
                .allMatch(file -> file.toString().endsWith(".txt"), "a transcript (.txt), or it would not be run");
        return files;
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void theTranscriptSaysWhatTheCoreSays(Path file) throws IOException {
        String written = Files.readString(file);
        String played = Script.play(file.toString(), written);
        if (Boolean.getBoolean("scenarios.rewrite")) {
            Files.writeString(file, played);
            return;
        }
        assertThat(written)
                .as("%s (-Dscenarios.rewrite=true writes it anew)", file)
                .isEqualTo(played);
    }

    @Test
    void everyRuleActsAndIsStoppedInSomeTranscript() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path file : transcripts()) {
            all.append(Files.readString(file));
        }
        List<String> missing = new ArrayList<>();
        for (Rule rule : Rule.values()) {
            // A pause only ever holds.
            if (rule != Rule.PAUSED && !all.toString().contains(" " + rule + " acts: ")) {
                missing.add(rule + " acts");
            }
            if (!Pattern.compile(" " + rule + " (holds|passes): ").matcher(all).find()) {
                missing.add(rule + " holds or passes");
            }
        }
        assertThat(missing).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jump 5",
                "wait soon",
                "wait 250",
                "leader m9 1",
                "leader m1 -1",
                "commit",
                "hear db1 state=well",
                "hear db1 colour=red",
                "hear db1 writable",
                "obey db9",
                "leader m1 1 now",
            })
    void aWrongLineIsNamed(String line) {
        assertThatThrownBy(() -> Script.play("file.txt", "# shows an error\n\n" + line + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("file.txt:3: " + line + ": ");
    }
}
