package org.haarbiter.dns.zonefile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Tells whoever reads the file that it has changed. One run at a time; any thread. */
final class ReloadCommand {

    private static final int QUOTED_BYTES = 300;

    private final List<String> command;
    private final Duration limit;

    /**
     * Runs nothing yet.
     *
     * @param command program and arguments; empty for nothing to run
     */
    ReloadCommand(List<String> command, Duration limit) {
        this.command = List.copyOf(command);
        this.limit = limit;
    }

    /** Why it didn't end well, as a sentence; null where it did. */
    synchronized @Nullable String run() {
        if (command.isEmpty()) {
            return null;
        }
        String shown = "reload-command '" + String.join(" ", command) + "'";
        Path output = null;
        Process process = null;
        try {
            // Into a file: nobody has to read along, and a child that outlives the command holds nothing up.
            output = Files.createTempFile("ha-arbiter-reload", ".out");
            process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                return shown + " hasn't ended after " + limit.toMillis()
                        + " ms and was killed: see why it hangs, or raise reload-limit-millis";
            }
            return process.exitValue() == 0
                    ? null
                    : shown + " ended with " + process.exitValue() + ": " + beginning(output)
                            + " (run it as ha-master's user to see why)";
        } catch (IOException e) {
            return shown + " can't be run: " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return shown + " was cut short: this process is stopping";
        } finally {
            if (process != null) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            delete(output);
        }
    }

    private static String beginning(Path output) throws IOException {
        try (InputStream in = Files.newInputStream(output)) {
            String text = new String(in.readNBytes(QUOTED_BYTES), StandardCharsets.UTF_8).strip();
            return text.isEmpty() ? "it said nothing" : text.replaceAll("\\s+", " ");
        }
    }

    private static void delete(@Nullable Path output) {
        try {
            if (output != null) {
                Files.deleteIfExists(output);
            }
        } catch (IOException e) {
            output.toFile().deleteOnExit();
        }
    }

    /** Why it couldn't be run, found out without running it; null where nothing speaks against it. */
    @Nullable
    String problem() {
        if (command.isEmpty()) {
            return null;
        }
        String program = command.get(0);
        if (program.indexOf('/') >= 0) {
            return Files.isExecutable(Path.of(program)) ? null : missing(program, "an executable file");
        }
        String path = System.getenv("PATH");
        for (String directory : (path == null ? "" : path).split(":", -1)) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return null;
            }
        }
        return missing(program, "an executable in PATH, " + path);
    }

    private static String missing(String program, String expected) {
        return "reload-command: '" + program + "' (must be " + expected + ")";
    }
}
