package org.haarbiter.agent.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.haarbiter.agent.core.Step;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every transcript says what the agent's core says; -Dscenarios.rewrite=true writes them anew. */
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
    void everyRoleStateAndStepIsInSomeTranscript() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path file : transcripts()) {
            all.append(Files.readString(file));
        }
        List<String> missing = new ArrayList<>();
        for (Role role : Role.values()) {
            String word = "\nanswer " + role.name().toLowerCase(Locale.ROOT);
            if (!all.toString().contains(word)) {
                missing.add(word.strip());
            }
        }
        for (ServerState state : ServerState.values()) {
            String word = " " + state.name().toLowerCase(Locale.ROOT);
            if (!all.toString().contains(word)) {
                missing.add(word.strip());
            }
        }
        for (Class<?> step : Step.class.getPermittedSubclasses()) {
            String word = "engine: " + Script.kind(step);
            if (!all.toString().contains(word)) {
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
