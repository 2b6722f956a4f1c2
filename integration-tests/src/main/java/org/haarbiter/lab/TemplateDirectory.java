package org.haarbiter.lab;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A data directory with the lab's accounts in it, made once for each version of a server and each text of the accounts,
 * then copied for every server: a copy takes a tenth of the time.
 */
final class TemplateDirectory {

    /** One thread of this JVM at a time; the file lock below keeps out other JVMs only. */
    private static final Object ONE_AT_A_TIME = new Object();

    /** Fills an empty directory. */
    interface Initialiser {
        void fill(Path empty) throws IOException;
    }

    private TemplateDirectory() {}

    /** Copies the template to {@code target}, which must not exist; makes the template first when it isn't there. */
    static void copyTo(Path target, String kind, String version, String accounts, Initialiser initialiser)
            throws IOException {
        Path templates = Servers.directory().resolve("templates");
        Files.createDirectories(templates);
        Path template = templates.resolve(kind + "-" + version + "-" + digest(accounts));
        synchronized (ONE_AT_A_TIME) {
            if (!Files.isDirectory(template)) {
                make(templates, template, initialiser);
            }
        }
        Commands.run(List.of("cp", "-a", "--reflink=auto", template.toString(), target.toString()), "");
    }

    private static void make(Path templates, Path template, Initialiser initialiser) throws IOException {
        Path lockFile = templates.resolve("lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (!lock.isValid()) {
                throw new IOException(lockFile + " couldn't be locked");
            }
            if (Files.isDirectory(template)) {
                return;
            }
            Path making = Files.createTempDirectory(templates, "making-");
            try {
                Path data = making.resolve("data");
                initialiser.fill(data);
                Files.move(data, template, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Commands.run(List.of("rm", "-rf", making.toString()), "");
            }
        }
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
