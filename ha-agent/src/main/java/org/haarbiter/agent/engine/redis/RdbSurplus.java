package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.agent.engine.disk.Durable;
import org.haarbiter.words.Position;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * Keeps all that a former primary holds, as a snapshot: Redis keeps no log by which what only it has could be told from the rest. A
 * small text beside the file says what it is.
 */
final class RdbSurplus {
    private static final String AIM = "saving what only this server holds";
    private static final long POLL_NANOS = 10_000_000;
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final RedisSettings settings;
    private final Line line;

    RdbSurplus(RedisSettings settings, Line line) {
        this.settings = settings;
        this.line = line;
    }

    @Nullable
    Surplus keep(Attached server, String primaryPosition, Path directory, long deadline) throws EngineException {
        ServerInfo info = look(server, deadline);
        if (info.primary() || !info.readOnly()) {
            throw new EngineException(AIM + ": the server takes writes, or may at any moment (must be fenced)");
        }
        if (info.source() != null) {
            throw new EngineException(AIM + ": the server still follows " + info.source() + " (must be sealed)");
        }
        PositionKind kind = PositionKind.REPLICATION_OFFSET;
        Position surplus = kind.parse(info.position()).minus(kind.parse(primaryPosition));
        if (surplus.isEmpty()) {
            return null;
        }
        // The same for the same surplus: the primary may have gone on meanwhile, but never has this.
        String name = "surplus-" + settings.address().toString().replaceAll("[^0-9A-Za-z.]", "-") + "-"
                + info.id().substring(0, Math.min(12, info.id().length())) + "-" + info.offset();
        Path file = directory.resolve(name + ".rdb");
        Path part = directory.resolve(name + ".rdb.part");
        Path note = directory.resolve(name + ".txt");
        try {
            if (!Files.exists(file)) {
                Path snapshot = snapshot(server, deadline);
                Files.createDirectories(directory, OWNER_DIRECTORY);
                Files.deleteIfExists(part);
                Files.createFile(part, OWNER_FILE);
                Files.copy(snapshot, part, StandardCopyOption.REPLACE_EXISTING);
                Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-------"));
                Durable.file(part);
                if (!look(server, deadline).position().equals(info.position())) {
                    throw new EngineException(AIM + ": its position has changed meanwhile (must be sealed)");
                }
                write(note, about(info, surplus, primaryPosition));
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
                Durable.directory(directory);
            }
            return new Surplus(file, surplus.toString(), surplus.transactions(), Files.size(file));
        } catch (IOException e) {
            throw new EngineException(AIM + " in " + directory + ": " + e, e);
        } finally {
            discard(part);
        }
    }

    private String about(ServerInfo info, Position surplus, String primaryPosition) {
        return "A snapshot of the Redis server at " + settings.address() + ", all of it: " + info.keys() + " keys.\n"
                + "taken: " + Instant.now().truncatedTo(ChronoUnit.SECONDS) + "\n"
                + "its position: " + info.position() + "\n"
                + "the primary's position: " + primaryPosition + "\n"
                + "what the primary doesn't have: " + surplus + ", " + surplus.transactions()
                + " bytes of its replication stream\n"
                + "To look into it: start a redis-server on a copy of the file (dbfilename), with 'save \"\"' and without"
                + " 'replicaof'.\n";
    }

    private static void write(Path note, String text) throws IOException {
        Files.deleteIfExists(note);
        Files.createFile(note, OWNER_FILE);
        Files.writeString(note, text, StandardCharsets.UTF_8);
        Durable.file(note);
    }

    private static void discard(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            org.slf4j.LoggerFactory.getLogger(RdbSurplus.class).warn("{} stays behind: {}", part, e.toString());
        }
    }

    /** Has the server write its snapshot file, anew: one that was under way may have begun earlier. */
    private Path snapshot(Attached server, long deadline) throws EngineException {
        try {
            awaitSaved(server, deadline);
            Map<String, String> where =
                    LiveSettings.map(line.run(server, deadline, new String[] {"CONFIG", "GET", "dir", "dbfilename"})
                            .get(0));
            line.run(server, deadline, new String[] {"BGSAVE"});
            ServerInfo after = awaitSaved(server, deadline);
            if (after.saveFailed()) {
                throw new EngineException(AIM + ": the server couldn't write its snapshot to " + where.get("dir")
                        + ": its log says why (no room, or no right to write there)");
            }
            Path given = settings.dataDirectory();
            Path directory = given == null ? Path.of(where.getOrDefault("dir", "")) : given;
            Path file = directory.resolve(where.getOrDefault("dbfilename", "dump.rdb"));
            if (!Files.isReadable(file)) {
                throw new EngineException(AIM + ": the server has written its snapshot, and the agent can't read "
                        + file + ": run the agent as the server's user, or give data-directory as the agent sees it");
            }
            return file;
        } catch (RedisProblem e) {
            throw failed(e);
        }
    }

    private ServerInfo awaitSaved(Attached server, long deadline) throws EngineException {
        while (true) {
            ServerInfo info = look(server, deadline);
            if (!info.saving()) {
                return info;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new EngineException(AIM + ": the server's snapshot wasn't written in time");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private ServerInfo look(Attached server, long deadline) throws EngineException {
        try {
            List<Object> said = line.run(server, deadline, ServerInfo.COMMAND);
            return ServerInfo.parse(Link.text(said.get(0)));
        } catch (RedisProblem e) {
            throw failed(e);
        }
    }

    private EngineException failed(RedisProblem e) {
        String mend = e.is("NOPERM") ? "; the agent's account needs: " + Account.statement(settings.user()) : "";
        return new EngineException(AIM + ": " + e.getMessage() + mend, e);
    }
}
