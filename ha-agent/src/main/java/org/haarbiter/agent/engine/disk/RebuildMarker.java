package org.haarbiter.agent.engine.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says, over crashes of the agent, its server and their machine, that the server's data isn't whole: a server whose rebuild was
 * interrupted is empty, starts without complaint and looks like a new one. Read by any thread, changed by one.
 */
public final class RebuildMarker {
    private static final Logger LOG = LoggerFactory.getLogger(RebuildMarker.class);

    private final Path directory;
    private final Path file;
    private volatile @Nullable Note note;

    /**
     * What it says.
     *
     * @param donor as an endpoint; a file that can't be read says so here
     * @param before names the last copy that the server had completed before
     */
    public record Note(String donor, String before) {}

    /** Reads what an earlier agent has left. */
    public RebuildMarker(Path stateDirectory) {
        this.directory = stateDirectory;
        this.file = stateDirectory.resolve("rebuilding");
        this.note = read();
    }

    private @Nullable Note read() {
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
            return new Note(lines.isEmpty() ? "?" : lines.get(0), lines.size() < 2 ? "?" : lines.get(1));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            // Somebody may have written it: not knowing counts as there.
            LOG.error("{} can't be read: the server counts as not whole: {}", file, e.toString());
            return new Note("?", "?");
        }
    }

    /** What it says; null where it isn't there. */
    public @Nullable Note note() {
        return note;
    }

    /** Why the server's data can't be trusted, as a sentence for an operator; null where it can. */
    public @Nullable String sentence() {
        Note present = note;
        return present == null
                ? null
                : "its data isn't whole: a rebuild from " + present.donor()
                        + " began and hasn't succeeded yet; where it doesn't go on, ask for a rebuild again (" + file
                        + " says so)";
    }

    /** Returns when it is on the disk. */
    public void write(Endpoint donor, String before) throws IOException {
        Path fresh = file.resolveSibling("rebuilding.new");
        Files.createDirectories(directory);
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer text = ByteBuffer.wrap((donor + "\n" + before + "\n").getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                channel.write(text);
            }
            channel.force(true);
        }
        note = new Note(donor.toString(), before);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        Durable.directory(directory);
    }

    /** The data is whole. */
    public void remove() throws IOException {
        Files.deleteIfExists(file);
        Durable.directory(directory);
        note = null;
    }
}
