package org.haarbiter.trial;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Runs {@code hactl} as a user would, and lets its output through. */
final class Hactl {
    private Hactl() {}

    /** Returns its exit code. */
    static int run(Arena arena, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(arena.clients().enter());
        command.add(Arena.home().resolve("scripts").resolve("hactl").toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put("HA_MASTERS", arena.api().addresses());
        return builder.start().waitFor();
    }
}
