package org.haarbiter.agent.engine.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * Writes 4 KiB to the server's disk each second and waits until they are on it. A server whose disk is dead or full still
 * answers every read. The write may never return; so it has a thread of its own.
 */
public final class DiskCanary implements AutoCloseable {
    private static final int BYTES = 4096;
    private static final long INTERVAL_NANOS = 1_000_000_000;
    private static final long LEAST_FREE_BYTES = 1 << 20;

    private final Path directory;
    private final Path file;
    private final int diskMillis;
    private final ByteBuffer block = ByteBuffer.allocateDirect(BYTES);
    private final Thread thread;
    private volatile boolean closed;

    /** When the write that is under way began; 0 while there is none. */
    private volatile long beganNanos;

    private volatile boolean worked;
    private volatile @Nullable String refused;
    private volatile @Nullable String unavailable;

    /** What is wrong with the disk. */
    public record Trouble(ServerState state, String detail) {}

    /** Nothing is written before {@link #start}. */
    public DiskCanary(Path directory, int diskMillis) {
        this.directory = directory;
        this.file = directory.resolve(".ha-arbiter-canary");
        this.diskMillis = diskMillis;
        this.thread = new Thread(this::run, "disk-canary");
        thread.setDaemon(true);
    }

    /** Writes from now on. */
    public void start() {
        thread.start();
    }

    /** What is wrong now; null where nothing is. */
    public @Nullable Trouble trouble() {
        long began = beganNanos;
        long millis = began == 0 ? 0 : (System.nanoTime() - began) / 1_000_000;
        if (millis >= diskMillis) {
            return new Trouble(
                    ServerState.HUNG,
                    "the disk of " + directory + " doesn't answer: a write of 4 KiB has taken " + millis
                            + " ms (must be less than " + diskMillis + ")");
        }
        String said = refused;
        return said == null ? null : new Trouble(ServerState.REFUSING, said);
    }

    /** Why the disk can't be watched, as a sentence for an operator; null where it is. */
    public @Nullable String unavailable() {
        return unavailable;
    }

    private void run() {
        FileStore store = null;
        while (!closed) {
            beganNanos = System.nanoTime();
            try {
                write();
                worked = true;
                unavailable = null;
                if (store == null) {
                    // Once: it reads the whole table of mounts.
                    store = Files.getFileStore(directory);
                }
                long free = store.getUsableSpace();
                refused = free >= LEAST_FREE_BYTES
                        ? null
                        : "the disk of " + directory + " is full: " + free + " bytes free (must be at least "
                                + LEAST_FREE_BYTES + "): make room";
            } catch (AccessDeniedException | NoSuchFileException e) {
                unavailable = "watching the disk: not available: the agent can't write " + file + " (" + e
                        + "): run it as root or as the server's user, and check data-directory";
            } catch (IOException e) {
                if (worked) {
                    refused = "the disk of " + directory + " refuses a write of 4 KiB: " + e.getMessage();
                } else {
                    unavailable = "watching the disk: not available: " + file + ": " + e.getMessage();
                }
            }
            beganNanos = 0;
            LockSupport.parkNanos(this, INTERVAL_NANOS);
        }
    }

    /** The file is made anew each time: overwriting an old one needs no room, and would succeed on a full disk. */
    private void write() throws IOException {
        Files.deleteIfExists(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            block.clear();
            while (block.hasRemaining()) {
                channel.write(block);
            }
            channel.force(true);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
