package org.haarbiter.agent.engine.mysql;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.disk.Durable;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.words.DomainGtids;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces a MariaDB server's data by what mariadb-backup makes of the donor's. The copy is received into the data directory
 * itself, because it must be on the same file system and that directory may be a mount, while the server goes on running; then the
 * server is stopped, its files are moved aside and the copy's take their places. Where there is no room for both, the
 * server is stopped and its files are deleted first.
 */
final class MariadbCopy {
    private static final Logger LOG = LoggerFactory.getLogger(MariadbCopy.class);

    /** The server passes over names that begin with a dot. */
    private static final String OWN = ".ha-arbiter-";

    private static final String INCOMING = OWN + "incoming";
    private static final String BEFORE = OWN + "before";

    /** What stays when the rest is replaced: no data of the server's. */
    private static final String KEPT = ".*\\.(pem|crt|cer|key|flag)";

    private static final String BY_THE_BACKUP = "xtrabackup_.*|backup-my\\.cnf|mariadb_backup_.*";

    private static final long STATEMENT_NANOS = 10_000_000_000L;
    private static final long STOP_NANOS = 120_000_000_000L;
    private static final long WAIT_NANOS = 100_000_000;
    private static final long TELL_NANOS = 500_000_000;
    private static final long TELL_BYTES = 1 << 24;
    private static final long ROOM_BYTES = 1L << 26;

    private final MariadbEngine engine;
    private final MysqlSettings settings;
    private final Endpoint donor;
    private final @Nullable Tls tls;
    private final Progress progress;
    private final long deadline;
    private final String aim;
    private final Path data;
    private final Path incoming;
    private final Path before;

    MariadbCopy(MariadbEngine engine, Endpoint donor, @Nullable Tls tls, Progress progress, long deadlineNanos) {
        this.engine = engine;
        this.settings = engine.settings();
        this.donor = donor;
        this.tls = tls;
        this.progress = progress;
        this.deadline = deadlineNanos;
        this.aim = "rebuilding from " + donor;
        this.data = settings.dataDirectory();
        this.incoming = data.resolve(INCOMING);
        this.before = data.resolve(BEFORE);
    }

    void run() throws EngineException {
        String stop = settings.rebuild().stopCommand();
        String start = settings.rebuild().startCommand();
        if (stop == null || start == null || settings.rebuild().copyPort() == 0) {
            throw new EngineException(aim + ": the agent's settings lack "
                    + (settings.rebuild().copyPort() == 0
                            ? "copy-port"
                            : "server.stop-command or server.start-command"));
        }
        Path backup = engine.tools().find("mariadb-backup");
        Path unpack = engine.tools().find("mbstream");
        checkServer();
        Copy copy;
        try (CopyLink link = connect()) {
            copy = Copy.announced(link, deadline);
            delete(incoming);
            delete(before);
            boolean roomForBoth = Files.getFileStore(data).getUsableSpace() >= copy.bytes / 10 * 11 + ROOM_BYTES;
            if (!roomForBoth) {
                LOG.warn("{}: no room for a second copy beside the data: they are deleted first", aim);
                engine.marker().write(donor, "");
                stop(stop);
                clear(null);
            }
            Files.createDirectory(incoming);
            receive(link, copy, unpack);
        } catch (EOFException e) {
            throw failed("the donor's agent has ended the connection", e);
        } catch (IOException e) {
            throw failed(
                    "the agent beside the donor, port " + settings.rebuild().copyPort() + ": " + e, e);
        }
        try {
            progress.at("PREPARE", copy.bytes, copy.bytes);
            prepare(backup);
            String position = position();
            engine.marker().write(donor, "");
            progress.at("RESTART", copy.bytes, copy.bytes);
            stop(stop);
            clear(before);
            moveIn();
            Tools.shell(aim + ": starting the server", start, deadline);
            finish(copy.state, position);
        } catch (IOException e) {
            throw failed(String.valueOf(e), e);
        }
        try {
            delete(before);
        } catch (IOException e) {
            LOG.warn("{}: what the server held before takes up room in {}: {}", aim, before, e.toString());
        }
    }

    private CopyLink connect() throws EngineException {
        TlsSettings files = settings.rebuild().tls();
        int port = settings.rebuild().copyPort();
        try {
            return CopyLink.toDonor(
                    donor, port, settings.replicationPassword(), tls, files != null && files.verifyHost());
        } catch (IOException e) {
            throw failed("the agent beside the donor, " + donor.host() + " port " + port + ": " + e, e);
        }
    }

    /** What is said of a failure depends on how far it went. */
    private EngineException failed(String why, Exception e) {
        return new EngineException(aim + ": " + why + outcome(), e);
    }

    private String outcome() {
        return engine.marker().note() == null
                ? "; this server's data is as before"
                : "; this server's data isn't whole: ask for a rebuild again";
    }

    /** A server that doesn't run is one of which an earlier attempt has failed half-way. */
    private void checkServer() throws EngineException {
        try (Session session = engine.console(soon())) {
            List<Rows> seen = session.run(
                    "SELECT @@global.read_only; SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_data_home_dir',"
                            + "'innodb_log_group_home_dir','innodb_undo_directory')",
                    soon());
            if (seen.get(0).text(0, 0).equals("0")) {
                throw new EngineException(aim + ": the server takes writes (must be fenced)");
            }
            for (int i = 0; i < seen.get(1).size(); i++) {
                String place = seen.get(1).text(i, 1);
                if (!place.isEmpty() && !data.resolve(place).normalize().equals(data.normalize())) {
                    throw new EngineException(aim + ": " + seen.get(1).text(i, 0) + " is " + place
                            + " (must be the data directory " + data + "): restore it by hand");
                }
            }
            session.run("SET GLOBAL read_only=1", soon());
        } catch (SqlProblem e) {
            if (engine.marker().note() == null || engine.serverRuns()) {
                throw engine.failed(aim, e);
            }
        }
    }

    /** What a donor says before it sends. */
    private record Copy(long bytes, String state) {
        static Copy announced(CopyLink link, long deadline) throws IOException, EngineException {
            byte[] payload = new byte[CopyLink.LONGEST];
            long bytes = 0;
            while (System.nanoTime() - deadline < 0) {
                CopyLink.Frame frame = link.receive(payload);
                String text = CopyLink.text(payload, frame);
                switch (frame.kind()) {
                    case CopyLink.TOTAL -> bytes = Long.parseLong(text);
                    case CopyLink.STATE -> {
                        return new Copy(bytes, text);
                    }
                    case CopyLink.FAILED -> throw new IOException("it refuses: " + text);
                    default -> throw new IOException("it sent a frame of kind " + frame.kind() + " too early");
                }
            }
            throw new IOException("it didn't begin in time");
        }
    }

    private void receive(CopyLink link, Copy copy, Path unpack) throws IOException, EngineException {
        Path complaints = Tools.temporary("unpack");
        Process unpacking = new ProcessBuilder(
                        Tools.gently(List.of(unpack.toString(), "-x", "-C", incoming.toString())))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(complaints.toFile())
                .start();
        // A disk that hangs holds up the program, and that this thread.
        try (Deadline limit = new Deadline(deadline, unpacking, link)) {
            try (OutputStream files = unpacking.getOutputStream()) {
                pump(link, copy, files);
            } catch (IOException e) {
                if (limit.passed()) {
                    throw new IOException("it took longer than allowed", e);
                }
                if (!unpacking.isAlive() && unpacking.exitValue() != 0) {
                    throw new IOException("mbstream ended: " + Tools.lastWords(complaints), e);
                }
                throw e;
            }
            int code = Tools.await(unpacking, aim + ": mbstream", deadline);
            if (code != 0) {
                throw new IOException("mbstream ended with " + code + ": " + Tools.lastWords(complaints));
            }
        } finally {
            unpacking.destroyForcibly();
            Tools.discard(complaints);
        }
    }

    private void pump(CopyLink link, Copy copy, OutputStream files) throws IOException {
        byte[] payload = new byte[CopyLink.LONGEST];
        long done = 0;
        long toldBytes = 0;
        long toldNanos = System.nanoTime();
        while (true) {
            CopyLink.Frame frame = link.receive(payload);
            switch (frame.kind()) {
                case CopyLink.DATA -> {
                    files.write(payload, 0, frame.length());
                    done += frame.length();
                }
                case CopyLink.ALIVE -> {}
                case CopyLink.WHOLE -> {
                    progress.at("COPY", done, Math.max(done, copy.bytes()));
                    return;
                }
                case CopyLink.FAILED -> throw new IOException("the donor: " + CopyLink.text(payload, frame));
                default -> throw new IOException("a frame of kind " + frame.kind());
            }
            long now = System.nanoTime();
            if (now - toldNanos >= TELL_NANOS || done - toldBytes >= TELL_BYTES) {
                toldNanos = now;
                toldBytes = done;
                progress.at("COPY", done, Math.max(done, copy.bytes()));
            }
        }
    }

    /** Makes whoever waits for one of the two stop waiting, when the time is over. */
    private static final class Deadline implements AutoCloseable {
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile boolean passed;

        Deadline(long deadline, Process process, CopyLink link) {
            Thread thread = new Thread(
                    () -> {
                        try {
                            if (!over.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                                passed = true;
                                process.destroyForcibly();
                                link.close();
                            }
                        } catch (InterruptedException | IOException e) {
                            LOG.warn("ending a copy that took too long", e);
                        }
                    },
                    "copy-deadline");
            thread.setDaemon(true);
            thread.start();
        }

        boolean passed() {
            return passed;
        }

        @Override
        public void close() {
            over.countDown();
        }
    }

    private void prepare(Path backup) throws EngineException, IOException {
        Path output = Tools.temporary("prepare");
        try {
            Tools.run(
                    aim + ": preparing the copy",
                    List.of(backup.toString(), "--no-defaults", "--prepare", "--target-dir=" + incoming),
                    output,
                    deadline);
            // Neither program waits until its files are on the disk.
            Tools.run(aim, List.of("sync", "-f", incoming.toString()), output, deadline);
        } catch (EngineException e) {
            throw new EngineException(e.getMessage() + outcome(), e);
        } finally {
            Tools.discard(output);
        }
    }

    /** What the copy holds: the last column of the one line. Without binary log on the donor there is none. */
    private String position() throws IOException, EngineException {
        Path file = incoming.resolve("xtrabackup_binlog_info");
        if (!Files.exists(file)) {
            file = incoming.resolve("mariadb_backup_binlog_info");
        }
        String[] columns =
                Files.readString(file, StandardCharsets.UTF_8).strip().split("\t", -1);
        if (columns.length < 3 || columns[2].isBlank()) {
            throw new EngineException(
                    aim + ": the copy doesn't say its GTID position, so the donor has never written one" + outcome());
        }
        return columns[2].strip();
    }

    private void stop(String command) throws EngineException {
        if (!engine.serverRuns()) {
            return;
        }
        LOG.warn("{}: stopping the server", aim);
        Tools.shell(aim + ": stopping the server", command, deadline);
        long limit = Math.min(deadline, System.nanoTime() + STOP_NANOS);
        while (engine.serverRuns()) {
            if (System.nanoTime() - limit >= 0) {
                throw new EngineException(aim + ": the server still runs after '" + command + "'" + outcome());
            }
            LockSupport.parkNanos(WAIT_NANOS);
        }
    }

    /** Empties the data directory. Null: for good. */
    private void clear(@Nullable Path aside) throws IOException {
        if (aside != null) {
            Files.createDirectory(aside);
        }
        for (Path entry : entries(data)) {
            String name = String.valueOf(entry.getFileName());
            if (name.startsWith(OWN) || name.equals("lost+found") || name.matches(KEPT)) {
                continue;
            }
            if (aside == null) {
                delete(entry);
            } else {
                Files.move(entry, aside.resolve(name));
            }
        }
    }

    /** The copy's files belong to the agent's user; the server's user may be another. */
    private void moveIn() throws IOException {
        PosixFileAttributes owner = Files.readAttributes(data, PosixFileAttributes.class);
        try (Stream<Path> files = Files.walk(incoming)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
                PosixFileAttributes has = view.readAttributes();
                if (!has.owner().equals(owner.owner())) {
                    view.setOwner(owner.owner());
                }
                if (!has.group().equals(owner.group())) {
                    view.setGroup(owner.group());
                }
            }
        } catch (UncheckedIOException e) {
            throw new IOException("giving the copy to the server's user: " + e.getMessage(), e);
        }
        for (Path entry : entries(incoming)) {
            String name = String.valueOf(entry.getFileName());
            if (!name.matches(BY_THE_BACKUP)) {
                Files.move(entry, data.resolve(name));
            }
        }
        delete(incoming);
        Durable.directory(data);
    }

    private static List<Path> entries(Path directory) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            List<Path> all = new java.util.ArrayList<>();
            entries.forEach(all::add);
            return all;
        }
    }

    private static void delete(Path tree) throws IOException {
        if (Files.notExists(tree)) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (UncheckedIOException e) {
            throw new IOException("deleting " + tree + ": " + e.getMessage(), e);
        }
    }

    /** Waits for the server, gives it the copy's position, and leaves it fenced and following nobody. */
    private void finish(String state, String position) throws EngineException, IOException {
        String history = history(state, position);
        String statements =
                // Binary logs may be elsewhere than the data, and those of the time before are still there.
                "SET GLOBAL read_only=1; STOP ALL SLAVES; RESET SLAVE ALL; RESET MASTER;"
                        + "SET GLOBAL gtid_binlog_state=" + SqlEngine.quoted(history)
                        + "; SET GLOBAL gtid_slave_pos=" + SqlEngine.quoted(position);
        while (true) {
            try (Session session = started()) {
                session.run(statements, deadline);
                break;
            } catch (SqlProblem e) {
                if (e.kind() != SqlProblem.Kind.LOST || System.nanoTime() - deadline >= 0) {
                    throw new EngineException(engine.failed(aim, e).getMessage() + outcome(), e);
                }
                // Whoever supervises it starts it again.
                LOG.warn("{}: the server ended while it was given the copy's position", aim);
            }
        }
        engine.marker().remove();
        LOG.info("{}: done: it holds {}", aim, history);
    }

    private Session started() throws EngineException {
        while (true) {
            try {
                return engine.console(soon());
            } catch (SqlProblem e) {
                if (System.nanoTime() - deadline >= 0) {
                    throw new EngineException(
                            aim + ": the server doesn't answer after it was started with the copy (" + e.getMessage()
                                    + "): its own log says why; what it held before is in " + before
                                    + ", and the next rebuild deletes it",
                            e);
                }
                LockSupport.parkNanos(WAIT_NANOS);
            }
        }
    }

    /**
     * For each domain the newest GTID of each server, as far as that is known: without those that wrote before, who is made from a
     * copy seems to lack their time. The newest of a domain must be its last.
     */
    private static String history(String state, String position) {
        DomainGtids all = ((DomainGtids) PositionKind.MARIADB_GTID.parse(state))
                .plus((DomainGtids) PositionKind.MARIADB_GTID.parse(position));
        return Arrays.stream(all.toString().split(",", -1))
                .sorted(Comparator.<String>comparingLong(gtid -> number(gtid, 0))
                        .thenComparingLong(gtid -> number(gtid, 2)))
                .collect(Collectors.joining(","));
    }

    private static long number(String gtid, int field) {
        return Long.parseLong(gtid.split("-", -1)[field]);
    }

    private static long soon() {
        return System.nanoTime() + STATEMENT_NANOS;
    }
}
