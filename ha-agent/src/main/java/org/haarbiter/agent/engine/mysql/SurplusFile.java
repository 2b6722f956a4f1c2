package org.haarbiter.agent.engine.mysql;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.disk.Durable;
import org.jspecify.annotations.Nullable;

/** Takes transactions out of binary logs and keeps them in a file. The file appears whole or not at all. */
final class SurplusFile {
    private static final String AIM = "saving the surplus transactions";
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    /** The state before a binary log's first transaction stands in one of its first events. */
    private static final String[] HEAD = {"--stop-position=1024"};

    private static final int LONGEST_SIGN = 200;

    private final Tools tools;
    private final Contents contents;

    /** Which transactions, and how they look in what the program prints. */
    interface Contents {
        /** The program that reads binary logs. */
        String program();

        /** What makes it print exactly these transactions, with rows. */
        List<String> options();

        /** Names them: the same for the same transactions. */
        String key();

        /** What the log's first lines say of the transactions before it; null where they don't. */
        @Nullable
        String before(List<String> lines);

        /** None of these transactions is before a log that says this. */
        boolean noneIn(String before);

        /** The GTID of the transaction that begins with this line; null for any other line. */
        @Nullable
        String gtid(String line);

        /** The line of history that a GTID belongs to. */
        String domain(String gtid);

        /** Checks that these are all there are, and says which they are. */
        String positions(Found found) throws EngineException;
    }

    /** What a file holds: how many transactions, and the first and the last GTID of each domain. */
    static final class Found {
        private long transactions;
        private final Map<String, String> first = new TreeMap<>();
        private final Map<String, String> last = new TreeMap<>();

        long transactions() {
            return transactions;
        }

        Map<String, String> first() {
            return first;
        }

        Map<String, String> last() {
            return last;
        }

        void add(String domain, String gtid) {
            transactions++;
            first.putIfAbsent(domain, gtid);
            last.put(domain, gtid);
        }
    }

    SurplusFile(Tools tools, Contents contents) {
        this.tools = tools;
        this.contents = contents;
    }

    /**
     * Finds the file or makes it.
     *
     * @param serverId for its name
     * @param logs the server's binary logs, oldest first
     */
    Surplus keep(String serverId, List<Path> logs, Path directory, long deadlineNanos) throws EngineException {
        Path file = directory.resolve("surplus-" + serverId + "-" + digest(contents.key()) + ".sql");
        Path part = directory.resolve(file.getFileName() + ".part");
        try {
            if (!Files.exists(file)) {
                Files.createDirectories(directory, OWNER_DIRECTORY);
                Files.deleteIfExists(part);
                Files.createFile(part, OWNER_FILE);
                write(serverId, logs, part, deadlineNanos);
                contents.positions(read(part));
                Durable.file(part);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
                Durable.directory(directory);
            }
            Found found = read(file);
            return new Surplus(file, contents.positions(found), found.transactions(), Files.size(file));
        } catch (IOException e) {
            throw new EngineException(AIM + " in " + directory + ": " + e, e);
        } finally {
            Tools.discard(part);
        }
    }

    private void write(String serverId, List<Path> logs, Path part, long deadlineNanos)
            throws EngineException, IOException {
        Path program = tools.find(contents.program());
        Files.writeString(
                part,
                "# Transactions of server " + serverId + " that the primary didn't have: " + contents.key() + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.APPEND);
        List<String> command = new ArrayList<>();
        command.add(program.toString());
        command.addAll(contents.options());
        for (Path log : needed(program, logs, deadlineNanos)) {
            command.add(log.toString());
        }
        Tools.run(AIM, command, part, deadlineNanos);
    }

    /** The last logs, back to one before which none of the transactions can be; all, where none says so. */
    private List<Path> needed(Path program, List<Path> logs, long deadlineNanos) throws EngineException, IOException {
        for (int i = logs.size() - 1; i > 0; i--) {
            Path output = Tools.temporary("log");
            try {
                List<String> command = new ArrayList<>(List.of(program.toString()));
                command.addAll(List.of(HEAD));
                command.add(logs.get(i).toString());
                Tools.run(AIM + ": looking at " + logs.get(i), command, output, deadlineNanos);
                String before = contents.before(Files.readAllLines(output, StandardCharsets.ISO_8859_1));
                if (before != null && contents.noneIn(before)) {
                    return logs.subList(i, logs.size());
                }
            } finally {
                Tools.discard(output);
            }
        }
        return logs;
    }

    /** Lines may be as long as a row: only their beginnings are held. */
    private Found read(Path file) throws IOException {
        Found found = new Found();
        StringBuilder sign = new StringBuilder(LONGEST_SIGN);
        byte[] chunk = new byte[1 << 16];
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                for (int i = 0; i < count; i++) {
                    if (chunk[i] == '\n') {
                        take(sign, found);
                    } else if (sign.length() < LONGEST_SIGN) {
                        sign.append((char) (chunk[i] & 0xff));
                    }
                }
            }
        }
        take(sign, found);
        return found;
    }

    private void take(StringBuilder sign, Found found) {
        // What a transaction begins with begins with one of these: most lines do with neither.
        if (!sign.isEmpty() && (sign.charAt(0) == '#' || sign.charAt(0) == 'S')) {
            String gtid = contents.gtid(sign.toString());
            if (gtid != null) {
                found.add(contents.domain(gtid), gtid);
            }
        }
        sign.setLength(0);
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
