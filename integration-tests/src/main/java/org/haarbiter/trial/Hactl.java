package org.haarbiter.trial;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Runs {@code hactl} as a user would, and lets its output through. */
final class Hactl {
    private Hactl() {}

    /** Returns its exit code. */
    static int run(Arena arena, String... arguments) throws IOException, InterruptedException {
        return prepared(arena, arguments).inheritIO().start().waitFor();
    }

    /** Returns what it printed; throws where it failed. */
    static String output(Arena arena, String... arguments) throws IOException, InterruptedException {
        Process process = prepared(arena, arguments).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(
                    "hactl " + String.join(" ", arguments) + " ended with " + process.exitValue() + ": " + said);
        }
        return said;
    }

    private static ProcessBuilder prepared(Arena arena, String... arguments) {
        List<String> command = new ArrayList<>(arena.clients().enter());
        command.add(Arena.home().resolve("scripts").resolve("hactl").toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("HA_MASTERS", arena.api().addresses());
        return builder;
    }
}
