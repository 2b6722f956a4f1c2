package org.haarbiter.master.audit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.core.AuditEvent;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends the switch log to a file, a JSON object a line, each entry once: a restarted master goes on after the last index
 * in the file, or, where logrotate has just taken that away, after the last in FILE.1. The log's own copy is in the state; this is for people and for collectors of logs. A thread of its own does
 * the writing, so that a slow disk delays no decision; what couldn't be written is tried again with the next event.
 */
public final class AuditFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AuditFile.class);
    private static final int TAIL_BYTES = 1 << 20;
    private static final long RETRY_MILLIS = 5_000;

    private final Path file;
    private final StateCodec codec;
    private final Thread thread;
    private final Object lock = new Object();
    private @Nullable List<AuditEvent> newest;
    private boolean closed;
    private long lastIndex;
    private volatile String problem = "";

    /**
     * Opens or creates the file.
     *
     * @throws IOException where it can't be read or created
     */
    public AuditFile(Path file, StateCodec codec) throws IOException {
        this.file = file;
        this.codec = codec;
        long last = lastIndexIn(file, codec);
        Path rotated = file.resolveSibling(file.getFileName() + ".1");
        this.lastIndex = last == 0 && Files.exists(rotated) ? lastIndexIn(rotated, codec) : last;
        this.thread = new Thread(this::run, "audit-file");
        thread.setDaemon(true);
        thread.start();
    }

    /** The newest events, oldest first, as the state has them. Returns at once. */
    public void offer(List<AuditEvent> events) {
        synchronized (lock) {
            newest = events;
            lock.notifyAll();
        }
    }

    /** A sentence where the file can't be written; empty while all is well. */
    public String problem() {
        return problem;
    }

    private void run() {
        try {
            while (true) {
                List<AuditEvent> events;
                synchronized (lock) {
                    while (newest == null && !closed) {
                        lock.wait();
                    }
                    if (newest == null) {
                        return;
                    }
                    events = newest;
                    newest = null;
                }
                if (!append(events)) {
                    synchronized (lock) {
                        if (newest == null) {
                            newest = events;
                        }
                        if (closed) {
                            return;
                        }
                        lock.wait(RETRY_MILLIS);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean append(List<AuditEvent> events) {
        List<AuditEvent> fresh = new ArrayList<>();
        for (AuditEvent event : events) {
            if (event.index() > lastIndex) {
                fresh.add(event);
            }
        }
        if (fresh.isEmpty()) {
            return true;
        }
        StringBuilder lines = new StringBuilder();
        fresh.forEach(event -> lines.append(codec.line(event)).append('\n'));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            long end = channel.size();
            ByteBuffer bytes = ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8));
            try {
                channel.position(end);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(false);
            } catch (IOException e) {
                // Half a line must not stay: the next attempt writes it whole.
                channel.truncate(end);
                throw e;
            }
            lastIndex = fresh.get(fresh.size() - 1).index();
            problem = "";
            return true;
        } catch (IOException e) {
            problem = "switch log " + file + " can't be written: " + e.getMessage()
                    + " (free space or mend its permissions)";
            LOG.error(problem, e);
            return false;
        }
    }

    private static long lastIndexIn(Path file, StateCodec codec) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file);
            return 0;
        }
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            long from = Math.max(0, in.length() - TAIL_BYTES);
            in.seek(from);
            byte[] tail = new byte[(int) (in.length() - from)];
            in.readFully(tail);
            String[] lines = new String(tail, StandardCharsets.UTF_8).split("\n", -1);
            for (int i = lines.length - 1; i >= 0; i--) {
                if (!lines[i].isBlank()) {
                    try {
                        return codec.line(lines[i]).index();
                    } catch (IOException e) {
                        LOG.warn(
                                "switch log {}: a line at the end can't be read and is left as it is: {}",
                                file,
                                e.getMessage());
                    }
                }
            }
        }
        return 0;
    }

    /** Writes what is left and ends the thread. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        try {
            thread.join(RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
