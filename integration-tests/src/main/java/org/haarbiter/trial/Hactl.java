package org.haarbiter.trial;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Runs {@code hactl} as a user would. */
final class Hactl {
    private Hactl() {}

    /** Lets its output through; returns its exit code. */
    static int run(Arena arena, String... arguments) throws IOException, InterruptedException {
        return prepared(arena, arguments).inheritIO().start().waitFor();
    }

    /** Keeps its output. */
    static Ended ended(Arena arena, String... arguments) throws IOException, InterruptedException {
        return Ended.of(prepared(arena, arguments));
    }

    /** As {@link #ended}, by a person whom hactl finds behind a sudo. */
    static Ended endedAs(String person, Arena arena, String... arguments) throws IOException, InterruptedException {
        ProcessBuilder command = prepared(arena, arguments);
        command.environment().put("SUDO_USER", person);
        return Ended.of(command);
    }

    private static ProcessBuilder prepared(Arena arena, String... arguments) {
        List<String> command = new ArrayList<>(arena.clients().enter());
        command.add(Arena.launcher("hactl"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("HA_MASTERS", arena.api().addresses());
        return builder;
    }
}
