package org.haarbiter.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a command sees of the machine it runs on.
 *
 * @param environment the variables
 * @param settingsFiles where settings are looked for, the first that exists counts
 * @param user who runs it, {@code user@host}
 * @param terminal standard input and output are a terminal: ask, and use colours
 * @param in for answers to questions
 * @param out for what was asked for
 * @param err for what went wrong
 */
record Surroundings(
        Map<String, String> environment,
        List<Path> settingsFiles,
        String user,
        boolean terminal,
        BufferedReader in,
        PrintWriter out,
        PrintWriter err) {

    /** Those of this process. */
    static Surroundings ofProcess() {
        Map<String, String> environment = System.getenv();
        String home = System.getProperty("user.home", "/");
        return new Surroundings(
                environment,
                List.of(Path.of(home, ".config", "ha-arbiter", "hactl.yaml"), Path.of("/etc/ha-arbiter/hactl.yaml")),
                Operator.of(environment),
                isTerminal(0) && isTerminal(1),
                new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    }

    /** By the kernel's name of the open file: what the JDK's console says of it changed between versions. */
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }
}
