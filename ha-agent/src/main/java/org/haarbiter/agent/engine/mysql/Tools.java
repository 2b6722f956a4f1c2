package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.haarbiter.agent.engine.EngineException;
import org.jspecify.annotations.Nullable;

/**
 * The programs that come with the server, run as processes of their own: at the lowest priority, because the agent's own may be
 * above that of the database.
 */
final class Tools {
    private static final List<String> NICE = List.of("nice", "-n", "39");
    private static final long VERSION_NANOS = 10_000_000_000L;
    private static final int LAST_WORDS = 600;

    private final @Nullable Path directory;
    private final boolean mariadb;

    Tools(@Nullable Path directory, boolean mariadb) {
        this.directory = directory;
        this.mariadb = mariadb;
    }

    /**
     * Where the program is. MariaDB installs links by MySQL's names: for MySQL those are passed over.
     *
     * @throws EngineException where it is nowhere, with the setting that says where
     */
    Path find(String name) throws EngineException {
        List<String> refused = new ArrayList<>();
        for (Path candidate : candidates(name)) {
            if (!Files.isExecutable(candidate)) {
                continue;
            }
            if (mariadb) {
                return candidate;
            }
            String said = version(candidate);
            if (!said.toLowerCase(Locale.ROOT).contains("mariadb")) {
                return candidate;
            }
            refused.add(candidate + " says '" + said + "'");
        }
        throw new EngineException("there is no " + name + " of " + (mariadb ? "MariaDB" : "MySQL") + " in "
                + (directory == null ? "PATH" : directory + " or PATH")
                + (refused.isEmpty() ? "" : " (" + String.join("; ", refused) + ")")
                + ": install it beside the agent, or say in server.tools-directory where it is");
    }

    private List<Path> candidates(String name) {
        List<Path> found = new ArrayList<>();
        if (directory != null) {
            found.add(directory.resolve(name));
        }
        String path = System.getenv("PATH");
        for (String part : path == null ? new String[0] : path.split(":", -1)) {
            if (!part.isEmpty()) {
                found.add(Path.of(part, name));
            }
        }
        return found;
    }

    private static String version(Path program) throws EngineException {
        Path output = temporary("version");
        try {
            Process process = new ProcessBuilder(program.toString(), "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            await(process, program.getFileName() + " --version", System.nanoTime() + VERSION_NANOS);
            return Files.readString(output, StandardCharsets.ISO_8859_1).strip();
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        } finally {
            discard(output);
        }
    }

    /** A command line at the lowest priority. */
    static List<String> gently(List<String> command) {
        List<String> whole = new ArrayList<>(NICE);
        whole.addAll(command);
        return whole;
    }

    /**
     * Runs it to its end, with its output appended to a file.
     *
     * @throws EngineException with its last words where it fails, and where the time runs out
     */
    static void run(String aim, List<String> command, Path output, long deadlineNanos) throws EngineException {
        Path complaints = temporary("complaints");
        String name = String.valueOf(Path.of(command.get(0)).getFileName());
        try {
            Process process = new ProcessBuilder(gently(command))
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                    .redirectError(complaints.toFile())
                    .start();
            int code = await(process, aim + ": " + name, deadlineNanos);
            if (code != 0) {
                throw new EngineException(aim + ": " + name + " ended with " + code + ": " + lastWords(complaints));
            }
        } catch (IOException e) {
            throw new EngineException(aim + ": " + name + ": " + e.getMessage(), e);
        } finally {
            discard(complaints);
        }
    }

    /**
     * Runs a command of the settings by the shell, at the agent's own priority.
     *
     * @throws EngineException as {@link #run}
     */
    static void shell(String aim, String command, long deadlineNanos) throws EngineException {
        Path output = temporary("command");
        try {
            Process process = new ProcessBuilder("/bin/sh", "-c", command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            int code = await(process, aim + ": '" + command + "'", deadlineNanos);
            if (code != 0) {
                throw new EngineException(aim + ": '" + command + "' ended with " + code + ": " + lastWords(output));
            }
        } catch (IOException e) {
            throw new EngineException(aim + ": '" + command + "': " + e.getMessage(), e);
        } finally {
            discard(output);
        }
    }

    /** Its exit code; a process that doesn't end in time is killed, and that is an exception. */
    static int await(Process process, String what, long deadlineNanos) throws EngineException {
        try {
            if (process.waitFor(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                return process.exitValue();
            }
            process.destroyForcibly();
            throw new EngineException(what + " didn't end in time");
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new EngineException(what + ": the agent is being stopped", e);
        }
    }

    static Path temporary(String what) throws EngineException {
        try {
            return Files.createTempFile("ha-agent-" + what + "-", ".txt");
        } catch (IOException e) {
            throw new EngineException("no temporary file can be made: " + e.getMessage(), e);
        }
    }

    /** The end of what it wrote, on one line. */
    static String lastWords(Path file) throws IOException {
        try (RandomAccessFile text = new RandomAccessFile(file.toFile(), "r")) {
            long from = Math.max(0, text.length() - LAST_WORDS);
            byte[] end = new byte[(int) (text.length() - from)];
            text.seek(from);
            text.readFully(end);
            return new String(end, StandardCharsets.UTF_8).strip().replaceAll("\\s*\\n\\s*", "; ");
        }
    }

    /** A file of the agent's own that isn't needed any more; one that stays harms nobody. */
    static void discard(Path file) {
        if (file.toFile().exists() && !file.toFile().delete()) {
            file.toFile().deleteOnExit();
        }
    }
}
