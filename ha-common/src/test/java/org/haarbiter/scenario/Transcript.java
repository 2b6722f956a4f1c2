package org.haarbiter.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What a script writes: its inputs as they stand in the file, and under each what the core said to it, indented. */
public final class Transcript {
    private static final Path DIRECTORY = Path.of("src", "test", "resources", "scenarios");

    private final StringBuilder out = new StringBuilder();

    /** The files of the module under test, by name. */
    public static List<Path> files() throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.list(DIRECTORY)) {
            files = found.sorted().toList();
        }
        assertThat(files).as("transcripts in %s", DIRECTORY).isNotEmpty();
        assertThat(files)
                .allMatch(file -> file.toString().endsWith(".txt"), "a transcript (.txt), or it would not be run");
        return files;
    }

    /** All transcripts of the module under test, one after the other. */
    public static String all() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path file : files()) {
            all.append(Files.readString(file));
        }
        return all.toString();
    }

    /**
     * Fails where the file doesn't say what the core says now; with -Dscenarios.rewrite=true writes the file anew instead.
     *
     * @param player takes the file's name and text, returns the text with its outputs derived anew
     */
    public static void check(Path file, BinaryOperator<String> player) throws IOException {
        String written = Files.readString(file);
        String played = player.apply(file.toString(), written);
        if (Boolean.getBoolean("scenarios.rewrite")) {
            Files.writeString(file, played);
            return;
        }
        assertThat(written)
                .as("%s (-Dscenarios.rewrite=true writes it anew)", file)
                .isEqualTo(played);
    }

    /**
     * Gives each input to the script, which answers by {@link #say}.
     *
     * @return the text with its outputs derived anew
     * @throws IllegalArgumentException naming file and line, for a line that isn't understood
     */
    public String play(String file, String text, Consumer<Line> script) {
        if (!text.startsWith("# ")) {
            throw new IllegalArgumentException(file + ":1: must begin with a comment that says what it shows (# ...)");
        }
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            if (line.startsWith(" ")) {
                continue;
            }
            out.append(line).append('\n');
            if (!line.isBlank() && !line.startsWith("#")) {
                script.accept(Line.of(file, number, line));
            }
        }
        return out.toString();
    }

    /** What the core says so many ms after the scenario's beginning. */
    public void say(long millis, String text) {
        out.append("  ").append(millis).append(" ms  ").append(text).append('\n');
    }

    /** How a transcript calls a step or an entry of the log: CandidateChosen is candidate-chosen. */
    public static String kind(Class<?> type) {
        return type.getSimpleName().replaceAll("(?<=[a-z])([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
