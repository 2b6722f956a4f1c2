package org.haarbiter.agent.engine.mysql;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.link.Tls;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands out copies of this MariaDB server's data to the agents of other members, one at a time: what mariadb-backup streams goes
 * straight to the connection. Two threads, one for the copy and one that ends a copy which nobody takes: at its end
 * mariadb-backup makes commits wait, and they mustn't wait for a recipient that hangs.
 */
final class CopyPort implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CopyPort.class);

    private static final long SECOND_NANOS = 1_000_000_000;
    private static final long RETRY_NANOS = 5 * SECOND_NANOS;
    private static final long IDLE_NANOS = 1_000_000;
    private static final long ALIVE_NANOS = 5 * SECOND_NANOS;
    private static final long TAKEN_NANOS = 10 * SECOND_NANOS;
    private static final long END_NANOS = 30 * SECOND_NANOS;

    private final SqlEngine engine;
    private final MysqlSettings settings;
    private final @Nullable Tls tls;
    private final Thread copier = new Thread(this::run, "copy-port");
    private final Thread watcher = new Thread(this::watch, "copy-watch");
    private volatile boolean closed;
    private volatile @Nullable String unavailable;
    private volatile @Nullable ServerSocket listening;
    private volatile @Nullable Copy current;

    /** A copy under way. */
    private static final class Copy {
        final CopyLink link;
        volatile @Nullable Process process;

        /** When the write that is under way began; 0 while there is none. */
        volatile long sendingSince;

        long sentNanos = System.nanoTime();

        Copy(CopyLink link) {
            this.link = link;
        }

        void send(byte kind, byte[] payload, int length) throws IOException {
            sendingSince = System.nanoTime();
            link.send(kind, payload, length);
            sentNanos = System.nanoTime();
            sendingSince = 0;
        }

        void end() {
            Process running = process;
            if (running != null) {
                running.destroyForcibly();
            }
            try {
                link.close();
            } catch (IOException e) {
                LOG.debug("closing a copy's connection", e);
            }
        }
    }

    CopyPort(SqlEngine engine, MysqlSettings settings, @Nullable Tls tls) {
        this.engine = engine;
        this.settings = settings;
        this.tls = tls;
        copier.setDaemon(true);
        watcher.setDaemon(true);
        copier.start();
        watcher.start();
    }

    /** Why nobody can get a copy, as a sentence for an operator; null where one can. */
    @Nullable
    String unavailable() {
        return unavailable;
    }

    private void run() {
        while (!closed) {
            try (ServerSocket server = new ServerSocket()) {
                server.setReuseAddress(true);
                server.bind(new InetSocketAddress(
                        InetAddress.getByName(settings.address().host()),
                        settings.rebuild().copyPort()));
                listening = server;
                unavailable = null;
                while (!closed) {
                    serve(server.accept());
                }
            } catch (IOException e) {
                if (!closed) {
                    unavailable = "no member can be rebuilt from this one: the agent can't listen on "
                            + settings.address().host() + ":"
                            + settings.rebuild().copyPort() + " ("
                            + e.getMessage() + "): check copy-port";
                    LOG.warn("{}", unavailable);
                    LockSupport.parkNanos(this, RETRY_NANOS);
                }
            }
        }
    }

    private void serve(Socket accepted) {
        try (accepted;
                CopyLink link =
                        CopyLink.toRecipient(accepted, settings.address(), settings.replicationPassword(), tls)) {
            Copy copy = new Copy(link);
            current = copy;
            LOG.info("copying this server's data to {}", accepted.getRemoteSocketAddress());
            try {
                send(copy);
                LOG.info("the copy to {} is whole", accepted.getRemoteSocketAddress());
            } catch (EngineException | SqlProblem e) {
                LOG.warn("copying to {}: {}", accepted.getRemoteSocketAddress(), e.getMessage());
                link.send(CopyLink.FAILED, String.valueOf(e.getMessage()));
            } finally {
                current = null;
                copy.end();
            }
        } catch (SocketTimeoutException e) {
            LOG.warn("{} connected to the port for copies and said nothing", accepted.getRemoteSocketAddress());
        } catch (IOException e) {
            LOG.warn("copying to {}: {}", accepted.getRemoteSocketAddress(), e.toString());
        }
    }

    private void send(Copy copy) throws EngineException, SqlProblem, IOException {
        engine.requireWhole("copying this server's data");
        Path program = engine.tools().find("mariadb-backup");
        String state;
        try (Session session = engine.console(System.nanoTime() + END_NANOS)) {
            state = session.run("SELECT @@global.gtid_binlog_state", System.nanoTime() + END_NANOS)
                    .get(0)
                    .text(0, 0);
        }
        copy.link.send(CopyLink.TOTAL, String.valueOf(size(settings.dataDirectory())));
        copy.link.send(CopyLink.STATE, state);
        Path options = settings.rebuild().stateDirectory().resolve("copy.cnf");
        Path work = settings.rebuild().stateDirectory().resolve("copy");
        Path complaints = Tools.temporary("copy");
        try {
            Files.createDirectories(work);
            writeOptions(options);
            Process process = new ProcessBuilder(Tools.gently(List.of(
                            program.toString(),
                            "--defaults-file=" + options,
                            "--backup",
                            "--stream=mbstream",
                            "--target-dir=" + work)))
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectError(complaints.toFile())
                    .start();
            copy.process = process;
            byte[] piece = new byte[CopyLink.LONGEST];
            try (InputStream stream = process.getInputStream()) {
                while (copyPiece(copy, process, stream, piece)) {
                    LockSupport.parkNanos(stream.available() > 0 ? 0 : IDLE_NANOS);
                }
            }
            int code = Tools.await(process, "mariadb-backup", System.nanoTime() + END_NANOS);
            if (code != 0) {
                throw new EngineException("mariadb-backup ended with " + code + ": " + Tools.lastWords(complaints));
            }
            copy.send(CopyLink.WHOLE, piece, 0);
        } finally {
            Tools.discard(options);
            Tools.discard(work);
            Tools.discard(complaints);
        }
    }

    /** Only this thread sends, and it must not wait for the program: the recipient wants to hear that the donor is there. */
    private static boolean copyPiece(Copy copy, Process process, InputStream stream, byte[] piece) throws IOException {
        if (stream.available() == 0 && process.isAlive()) {
            if (System.nanoTime() - copy.sentNanos >= ALIVE_NANOS) {
                copy.send(CopyLink.ALIVE, piece, 0);
            }
            return true;
        }
        int count = stream.read(piece);
        if (count > 0) {
            copy.send(CopyLink.DATA, piece, count);
        }
        return count >= 0;
    }

    /** No password stands in a command line: everybody on the machine can read those. */
    private void writeOptions(Path file) throws IOException, EngineException {
        String password = settings.password();
        char quote = password.indexOf('"') < 0 ? '"' : '\'';
        if (password.indexOf(quote) >= 0) {
            throw new EngineException("the password of " + settings.user()
                    + " has both kinds of quotes in it, which an option file of MariaDB can't hold: choose another");
        }
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                file,
                "[mariadb-backup]\nuser=" + settings.user() + "\npassword=" + quote + password.replace("\\", "\\\\")
                        + quote + "\nsocket=" + settings.socket() + "\ndatadir=" + settings.dataDirectory() + "\n",
                StandardCharsets.UTF_8);
    }

    /** About what a copy will have: tables, not logs. */
    static long size(Path dataDirectory) throws IOException {
        try (Stream<Path> files = Files.walk(dataDirectory, 2)) {
            return files.filter(file -> {
                        String name = String.valueOf(file.getFileName());
                        return name.matches("(ibdata|undo).*|.*\\.(ibd|MYD|MYI|MAD|MAI|frm|CSV)");
                    })
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (UncheckedIOException e) {
            throw new IOException("looking how large " + dataDirectory + " is: " + e.getMessage(), e);
        }
    }

    private void watch() {
        while (!closed) {
            LockSupport.parkNanos(this, SECOND_NANOS);
            Copy copy = current;
            if (copy == null) {
                continue;
            }
            long since = copy.sendingSince;
            if (since != 0 && System.nanoTime() - since >= TAKEN_NANOS) {
                LOG.warn("the recipient of a copy takes nothing any more: ending it");
                copy.end();
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        ServerSocket server = listening;
        Copy copy = current;
        try {
            if (server != null) {
                server.close();
            }
        } catch (IOException e) {
            LOG.debug("closing the port for copies", e);
        }
        if (copy != null) {
            copy.end();
        }
        LockSupport.unpark(copier);
        LockSupport.unpark(watcher);
        try {
            copier.join(2_000);
            watcher.join(2_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
