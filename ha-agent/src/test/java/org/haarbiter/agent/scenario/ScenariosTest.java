package org.haarbiter.agent.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.haarbiter.agent.core.Step;
import org.haarbiter.scenario.Transcript;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every transcript says what the agent's core says; -Dscenarios.rewrite=true writes them anew. */
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
    void everyRoleStateAndStepIsInSomeTranscript() throws IOException {
        String all = Transcript.all();
        List<String> missing = new ArrayList<>();
        for (Role role : Role.values()) {
            String word = "\nanswer " + role.name().toLowerCase(Locale.ROOT);
            if (!all.contains(word)) {
                missing.add(word.strip());
            }
        }
        for (ServerState state : ServerState.values()) {
            String word = " " + state.name().toLowerCase(Locale.ROOT);
            if (!all.contains(word)) {
                missing.add(word.strip());
            }
        }
        for (Class<?> step : Step.class.getPermittedSubclasses()) {
            String word = "engine: " + Transcript.kind(step);
            if (!all.contains(word)) {
                missing.add(word);
            }
        }
        assertThat(missing).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jump 5",
                "wait soon",
                "look state=well",
                "look colour=red",
                "look writable",
                "answer king",
                "answer primary crown=1",
                "done",
                "done fence",
                "failed fence",
                "died",
                "agent colour=red",
            })
    void aWrongLineIsNamed(String line) {
        assertThatThrownBy(() -> Script.play("file.txt", "# shows an error\n\n" + line + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("file.txt:3: " + line + ": ");
    }
}
