package org.haarbiter.master.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.haarbiter.master.core.Rule;
import org.haarbiter.scenario.Transcript;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every transcript says what the core says; -Dscenarios.rewrite=true writes them anew. */
class ScenariosTest {
    static List<Path> transcripts() throws IOException {
        return Transcript.files();
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void theTranscriptSaysWhatTheCoreSays(Path file) throws IOException {
        Transcript.check(file, Script::play);
    }

    @Test
    void everyRuleActsAndIsStoppedInSomeTranscript() throws IOException {
        String all = Transcript.all();
        List<String> missing = new ArrayList<>();
        for (Rule rule : Rule.values()) {
            // A pause only ever holds.
            if (rule != Rule.PAUSED && !all.contains(" " + rule + " acts: ")) {
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
