package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What {@code hactl} said when a test ran it, and its exit code. */
record Result(int code, String out, String err) {

    /**
     * Runs it as {@code alice@desk}.
     *
     * @param directory where its settings file would be
     * @param typed what she types
     * @param terminal whether she sits at a terminal
     */
    static Result of(
            Path directory, Map<String, String> environment, String typed, boolean terminal, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Hactl.run(
                new Surroundings(
                        environment,
                        List.of(directory.resolve("hactl.yaml")),
                        "alice@desk",
                        terminal,
                        new BufferedReader(new StringReader(typed)),
                        new PrintWriter(out),
                        new PrintWriter(err)),
                arguments);
        return new Result(code, out.toString(), err.toString());
    }

    JsonNode json() throws IOException {
        assertThat(out.lines()).hasSize(1);
        return new ObjectMapper().readTree(out);
    }
}
