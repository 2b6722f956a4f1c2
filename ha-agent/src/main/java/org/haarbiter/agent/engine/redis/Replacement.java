package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Progress;
import org.haarbiter.agent.engine.disk.RebuildMarker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** Replaces a server's data by its donor's: it follows the donor until it has everything, and nobody after that. */
final class Replacement {
    private static final long POLL_NANOS = 20_000_000;
    private static final long TELL_NANOS = 500_000_000;
    private static final long ANSWER_NANOS = 2_000_000_000;

    /** The server tries again each second. */
    private static final long PATIENCE_NANOS = 6_000_000_000L;

    private final RedisSettings settings;
    private final Line line;
    private final RebuildMarker marker;

    Replacement(RedisSettings settings, Line line, RebuildMarker marker) {
        this.settings = settings;
        this.line = line;
        this.marker = marker;
    }

    void run(Attached server, Endpoint donor, Progress progress, long deadline) throws EngineException {
        String aim = "rebuilding from " + donor;
        ServerInfo before = look(aim, server);
        if (before.primary() || !before.readOnly()) {
            throw new EngineException(aim + ": the server takes writes, or may at any moment (must be fenced)");
        }
        boolean wasWhole = marker.note() == null;
        mark(aim, donor, before.position());
        try {
            tell(aim, server, donor);
            awaitCopy(aim, server, donor, progress, deadline);
            order(aim, server, Orders.STOP_FOLLOWING);
        } catch (EngineException e) {
            throw abandoned(aim, server, wasWhole ? before : null, e);
        }
        try {
            marker.remove();
        } catch (IOException e) {
            throw new EngineException(
                    aim + ": the copy is whole, but the mark that says otherwise can't be removed: " + e, e);
        }
    }

    private void mark(String aim, Endpoint donor, String before) throws EngineException {
        try {
            marker.write(donor, before);
        } catch (IOException e) {
            throw new EngineException(
                    aim + ": the mark that it began can't be written, so it doesn't begin; the data is as before: " + e,
                    e);
        }
    }

    private void tell(String aim, Attached server, Endpoint donor) throws EngineException {
        String user = settings.replicationUser();
        String password = settings.replicationPassword();
        if (user != null && password != null) {
            order(aim, server, "CONFIG", "SET", "masteruser", user, "masterauth", password);
        }
        order(aim, server, "REPLICAOF", donor.host(), Integer.toString(donor.port()));
    }

    private void awaitCopy(String aim, Attached server, Endpoint donor, Progress progress, long deadline)
            throws EngineException {
        long heard = System.nanoTime();
        long told = heard - TELL_NANOS;
        boolean began = false;
        while (true) {
            long now = System.nanoTime();
            ServerInfo info = look(aim, server);
            if (!donor.equals(info.source())) {
                throw new EngineException(aim + ": it follows " + info.source() + " now: somebody else has changed it");
            }
            if (info.linkUp() && !info.syncing() && !info.loading()) {
                progress.at("the copy is whole", info.copiedBytes(), -1);
                return;
            }
            if (info.syncing()) {
                began = true;
                heard = now;
            }
            if (now - heard > PATIENCE_NANOS) {
                throw new EngineException(
                        aim + (began ? ": the copy broke off" : ": it can't be reached, or doesn't let this server in")
                                + " (the server's log says why)");
            }
            if (now - deadline > 0) {
                throw new EngineException(aim + ": it isn't whole after the time that it was given");
            }
            if (now - told >= TELL_NANOS) {
                told = now;
                progress.at(
                        info.loading() ? "reading the copy" : info.syncing() ? "copying" : "reaching the donor",
                        info.copiedBytes(),
                        info.copyBytes() > 0 ? info.copyBytes() : -1);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /**
     * Stops following, and says whether anything was lost.
     *
     * @param before what the server held; null where that wasn't whole either
     */
    private EngineException abandoned(
            String aim, Attached server, @Nullable ServerInfo before, EngineException failure) {
        String end = failure.getMessage() + ": its data isn't whole: ask for a rebuild again";
        try {
            order(aim, server, Orders.STOP_FOLLOWING);
            ServerInfo after = look(aim, server);
            boolean same =
                    before != null && after.position().equals(before.position()) && after.keys() == before.keys();
            if (same) {
                marker.remove();
                end = failure.getMessage() + "; the data is as before";
            }
        } catch (EngineException | IOException e) {
            failure.addSuppressed(e);
        }
        return new EngineException(end, failure);
    }

    private void order(String aim, Attached server, String... command) throws EngineException {
        try {
            line.run(server, System.nanoTime() + ANSWER_NANOS, command);
        } catch (RedisProblem e) {
            throw failed(aim, server, e);
        }
    }

    /** A server that reads a large copy may not answer for a while. */
    private ServerInfo look(String aim, Attached server) throws EngineException {
        while (true) {
            try {
                return ServerInfo.parse(Link.text(line.run(server, System.nanoTime() + ANSWER_NANOS, ServerInfo.COMMAND)
                        .get(0)));
            } catch (RedisProblem e) {
                if (e.kind() != RedisProblem.Kind.NO_ANSWER) {
                    throw failed(aim, server, e);
                }
            }
        }
    }

    private static EngineException failed(String aim, Attached server, RedisProblem e) {
        String end = server.process().look();
        return new EngineException(
                aim + ": " + (end == null ? e.getMessage() : "the server process has ended: " + end), e);
    }
}
