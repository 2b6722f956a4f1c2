package org.haarbiter.master.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.NativeLibraryLoader;

/**
 * The directory that holds one member's log. It is locked against a second process, and remembers whose it is: the Raft
 * library itself would take a log of another cluster, or of another member, without a word.
 */
final class DataDirectory implements AutoCloseable {
    private static final String IDENTITY = "identity";
    private static final String LOCK = "lock";
    private static final String PROBE = "write-probe";

    private final Path path;
    private final FileChannel lockFile;
    private final FileLock lock;

    private DataDirectory(Path path, FileChannel lockFile, FileLock lock) {
        this.path = path;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Locks and checks the directory, making it if it is missing.
     *
     * @throws RaftStartException when it can't be written, is in use, or belongs to another cluster or member
     */
    static DataDirectory open(RaftSettings settings) throws RaftStartException {
        Path path = settings.dataDirectory().toAbsolutePath();
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new RaftStartException(
                    "raft log: the data directory " + path + " can't be made (" + e
                            + "); make it, writable for this user",
                    e);
        }
        FileChannel lockFile = null;
        try {
            lockFile = FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(lockFile);
            if (lock == null) {
                lockFile.close();
                throw new RaftStartException(
                        "raft log: the data directory " + path
                                + " is in use by another process; stop that one, or give this master its own directory",
                        null);
            }
            DataDirectory directory = new DataDirectory(path, lockFile, lock);
            directory.probe();
            directory.claim(settings);
            return directory;
        } catch (IOException e) {
            RaftStartException failure = new RaftStartException(
                    "raft log: the data directory " + path + " can't be written (" + e
                            + "): the disk is full or read-only, or the files belong to another user; correct that and start again",
                    e);
            closeAfter(failure, lockFile);
            throw failure;
        } catch (RaftStartException e) {
            closeAfter(e, lockFile);
            throw e;
        }
    }

    private static void closeAfter(Exception failure, @Nullable FileChannel lockFile) {
        if (lockFile != null) {
            try {
                lockFile.close();
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // another node in this very process
        }
    }

    Path log() {
        return path.resolve("log");
    }

    Path votes() {
        return path.resolve("votes");
    }

    Path snapshots() {
        return path.resolve("snapshots");
    }

    /**
     * Writes and syncs a small file.
     *
     * @throws IOException when the disk takes no more
     */
    void probe() throws IOException {
        Path file = path.resolve(PROBE);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            // More than one block, so that a full disk is noticed.
            writeAll(channel, ByteBuffer.allocate(64 << 10));
            channel.force(true);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** A sentence on what is wrong with the disk; null when it takes data. */
    @Nullable
    String complaint() {
        try {
            probe();
            return null;
        } catch (IOException e) {
            return "raft log: the disk of " + path + " is full or read-only (" + e
                    + "); free space or mount it writable, and start the master again";
        }
    }

    private void claim(RaftSettings settings) throws IOException, RaftStartException {
        String wanted = "cluster " + settings.clusterId() + "\nmember " + settings.self() + "\n";
        Path file = path.resolve(IDENTITY);
        if (Files.exists(file)) {
            String found = Files.readString(file);
            if (!found.equals(wanted)) {
                throw new RaftStartException(
                        "raft log: the data directory " + path + " belongs to '" + oneLine(found) + "' (must be '"
                                + oneLine(wanted)
                                + "'); correct the settings, or remove this member from the cluster and add it again with an empty directory",
                        null);
            }
            return;
        }
        if (holdsData(log()) || holdsData(votes()) || holdsData(snapshots())) {
            throw new RaftStartException(
                    "raft log: the data directory " + path + " holds a log but no file '" + IDENTITY
                            + "' that says whose; restore that file, or remove this member from the cluster and add it again"
                            + " with an empty directory",
                    null);
        }
        Path draft = path.resolve(IDENTITY + ".new");
        try (FileChannel channel = FileChannel.open(
                draft, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            writeAll(channel, ByteBuffer.wrap(wanted.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static boolean holdsData(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isPresent();
        }
    }

    private static String oneLine(String text) {
        return text.strip().replace('\n', ',');
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Loads the storage engine's native library from a fixed file here. By default each start unpacks it into the
     * temporary directory, and a killed process leaves its 13 MB behind.
     */
    void loadNativeLibrary() throws RaftStartException {
        Path directory = path.resolve("lib");
        try {
            Files.createDirectories(directory);
            NativeLibraryLoader.getInstance().loadLibrary(directory.toString());
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new RaftStartException(
                    "raft log: the storage library can't be unpacked into and loaded from " + directory + " (" + e
                            + "): the disk is full, or mounted noexec; correct that, or name a directory that holds librocksdbjni.so"
                            + " with -Djava.library.path",
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        lock.release();
        lockFile.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
