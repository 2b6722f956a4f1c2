package org.haarbiter.dns.zonefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;

/**
 * A file with a block of the arbiter's in it, between two lines that say so; what stands outside of it stays, line for line. Each
 * change is a new file in the place of the old one. Thread-safe.
 */
final class NamesFile {

    private static final long MOST_BYTES = 64L << 20;
    private static final long LOOK_NANOS = 2_000_000;
    private static final Set<PosixFilePermission> READABLE_BY_ALL = PosixFilePermissions.fromString("rw-r--r--");

    /** A process's locks on a file don't keep its own threads apart. One entry a file that the settings name. */
    private static final ConcurrentHashMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final Path given;
    private final Format format;
    private final Name zone;
    private final @Nullable String soa;
    private final Clock clock;
    private final String begin;
    private final String end;

    NamesFile(ZoneFileSettings settings, Name zone, Clock clock) {
        this.given = settings.file().toAbsolutePath();
        this.format = settings.format();
        this.zone = zone;
        this.soa = settings.soa();
        this.clock = clock;
        String mark = format == Format.ZONE ? ";" : "#";
        this.begin = mark + " BEGIN HA Arbiter " + zone;
        this.end = mark + " END HA Arbiter " + zone;
    }

    /** The whole file. */
    private record Content(List<String> before, List<String> block, List<String> after) {}

    /** What is done with the names while nobody else writes: true where they are to be written. */
    interface Change {
        boolean apply(Names names);
    }

    /** The names as they are now; none where there is no file, or no block in it. */
    Names read() throws IOException {
        return Names.parse(format, zone, content(file()).block());
    }

    /**
     * Reads, changes and writes, alone among all processes that use this file with this class.
     *
     * @return whether it was written
     */
    boolean change(Change change, long deadlineNanos) throws IOException {
        Path file = file();
        ReentrantLock threads = THREADS.computeIfAbsent(file, path -> new ReentrantLock());
        try {
            if (!threads.tryLock(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                throw new IOException("another thread of this process is still writing it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("this process is stopping", e);
        }
        try (FileChannel channel =
                        FileChannel.open(beside(file, "lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel, deadlineNanos)) {
            Content content = content(file);
            Names names = Names.parse(format, zone, content.block());
            boolean changed = change.apply(names);
            if (changed && lock.isValid()) {
                write(file, content, names);
            }
            return changed;
        } finally {
            threads.unlock();
        }
    }

    private static FileLock lock(FileChannel channel, long deadlineNanos) throws IOException {
        while (true) {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
            if (deadlineNanos - System.nanoTime() <= 0) {
                throw new IOException("another process is still writing it");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Where it really stands: a rename in the place of a link would leave the file that it leads to as it is. */
    private Path file() throws IOException {
        if (Files.exists(given)) {
            return given.toRealPath();
        }
        return directory(given).toRealPath().resolve(given.getFileName());
    }

    /** Begins with a dot: programs that read all files of a directory leave it out. */
    private static Path beside(Path file, String what) {
        return file.resolveSibling("." + file.getFileName() + "." + what);
    }

    private Content content(Path file) throws IOException {
        List<String> lines;
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IOException("it has " + Files.size(file) + " bytes (must have at most " + MOST_BYTES + ")");
            }
            // Each byte is a character here, so that lines that aren't ours are written as they were read.
            lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            lines = List.of();
        }
        int from = find(lines, begin);
        int to = find(lines, end);
        if (from < 0 && to < 0) {
            return new Content(lines, List.of(), List.of());
        }
        if (from < 0 || to < from) {
            throw new IOException("it must have one line '" + begin + "' and after it one line '" + end
                    + "'. Correct that, or remove both and what is between them: the next update writes it anew");
        }
        return new Content(lines.subList(0, from), lines.subList(from + 1, to), lines.subList(to + 1, lines.size()));
    }

    private static int find(List<String> lines, String mark) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).equals(mark) || lines.get(i).startsWith(mark + " ")) {
                return i;
            }
        }
        return -1;
    }

    private void write(Path file, Content content, Names names) throws IOException {
        List<String> lines = new ArrayList<>(content.before());
        lines.add(begin + " (written by the masters; changes by hand in here are lost)");
        lines.addAll(names.lines(soa, clock));
        lines.add(end);
        lines.addAll(content.after());
        Path fresh = beside(file, "new");
        try {
            Files.deleteIfExists(fresh); // of a process that died here
            try (FileChannel channel =
                    FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                likeBefore(file, fresh);
                ByteBuffer bytes =
                        ByteBuffer.wrap((String.join("\n", lines) + "\n").getBytes(StandardCharsets.ISO_8859_1));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
        try (FileChannel directory = FileChannel.open(directory(file), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static Path directory(Path file) {
        Path directory = file.getParent();
        if (directory == null) {
            throw new IllegalStateException(file + " is absolute");
        }
        return directory;
    }

    /** Who could read the old file can read the new one. */
    private static void likeBefore(Path file, Path fresh) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(fresh, PosixFileAttributeView.class);
        if (!Files.exists(file)) {
            // Not by the umask: the DNS server that reads it runs as somebody else.
            view.setPermissions(READABLE_BY_ALL);
            return;
        }
        PosixFileAttributes before = Files.readAttributes(file, PosixFileAttributes.class);
        PosixFileAttributes now = view.readAttributes();
        try {
            if (!now.group().equals(before.group())) {
                view.setGroup(before.group());
            }
            if (!now.owner().equals(before.owner())) {
                view.setOwner(before.owner());
            }
        } catch (IOException e) {
            throw new IOException(
                    "it belongs to " + before.owner().getName() + ":"
                            + before.group().getName()
                            + ", and this process, " + now.owner().getName()
                            + ", can't make another file that does (chown it to "
                            + now.owner().getName()
                            + ", and let ha-master's user be a member of its group)",
                    e);
        }
        view.setPermissions(before.permissions());
    }

    /** A sentence for whoever can't be asked what an exception is called. */
    String words(IOException e) {
        if (e instanceof AccessDeniedException) {
            return given + ": permission denied for " + e.getMessage()
                    + " (ha-master's user must be able to write the file and its directory)";
        }
        if (e instanceof NoSuchFileException) {
            return given + ": its directory doesn't exist (make it, writable for ha-master's user)";
        }
        return given + ": " + e.getMessage();
    }

    /** Why it couldn't be written, found out without writing it; null where nothing speaks against it. */
    @Nullable
    String problem() {
        try {
            Path directory = directory(file());
            if (!Files.isDirectory(directory)) {
                return words(new NoSuchFileException(directory.toString()));
            }
            if (!Files.isWritable(directory)) {
                return words(new AccessDeniedException(directory.toString()));
            }
            read();
            return null;
        } catch (IOException e) {
            return words(e);
        }
    }
}
