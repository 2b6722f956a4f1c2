package org.haarbiter.agent.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Remembers, over restarts of the agent, the newest epoch that its member was given. For one thread. */
final class EpochFile {
    private final Path file;

    /** Makes the directory where it is missing. */
    EpochFile(Path directory) throws IOException {
        Files.createDirectories(directory);
        this.file = directory.resolve("epoch");
    }

    /** 0 where none was ever given. */
    long read() throws IOException {
        if (!Files.exists(file)) {
            return 0;
        }
        String text = Files.readString(file).strip();
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IOException(
                    file + ": '" + text + "' (must be a number; remove the file if the member is new)", e);
        }
    }

    /** Replaces the file as a whole, so that a crash leaves the old or the new number. */
    void write(long epoch) throws IOException {
        Path fresh = file.resolveSibling("epoch.new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap((epoch + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        // The new name must outlive a crash of the machine, too.
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}
