package org.haarbiter.agent.daemon;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What systemd runs when the agent has ended, in whatever way: ExecStopPost in {@code conf/systemd/ha-agent@.service}. Nobody keeps
 * the server's lease any more, so it is fenced, unless the agent stopped in good order or the server is a replica at its work.
 * The agent that starts next opens it again where it still may.
 */
final class StopHook {
    /** The first argument of ha-agent. */
    static final String COMMAND = "fence-after-stop";

    private static final Logger LOG = LoggerFactory.getLogger(StopHook.class);
    private static final long RETRY_NANOS = 20_000_000;

    /** One that isn't there at all has no process that could write; the next agent waits for this hook. */
    private static final Duration ABSENT_LIMIT = Duration.ofSeconds(2);

    private StopHook() {}

    /**
     * Whether the agent stopped in good order, by what systemd tells a hook (systemd.exec(5), SERVICE_RESULT).
     *
     * @return true where the server shall be left as it is; null where systemd told nothing
     */
    static @Nullable Boolean clean(Map<String, String> environment) {
        String result = environment.get("SERVICE_RESULT");
        if (result == null || result.isEmpty()) {
            return null;
        }
        return result.equals("success");
    }

    /** How the agent ended, for the log. */
    static String ending(Map<String, String> environment) {
        return "result " + environment.getOrDefault("SERVICE_RESULT", "?") + ", "
                + environment.getOrDefault("EXIT_CODE", "?") + " "
                + environment.getOrDefault("EXIT_STATUS", "?");
    }

    /**
     * Fences the server where it must be.
     *
     * @param look the longest a look at the server may take
     * @param fence the longest a fence may take
     * @param limit how long it is tried
     * @return whether it is sure now that the server takes no writes
     */
    static boolean fence(Engine engine, Duration look, Duration fence, Duration limit) {
        long start = System.nanoTime();
        boolean fenced = false;
        String problem = "";
        while (true) {
            Observation seen = engine.observe(look);
            if (seen.state() == ServerState.DEAD || seen.state() == ServerState.STARTING) {
                LOG.info("the server takes no writes ({}), and comes up fenced", seen.detail());
                return true;
            }
            if (seen.standsBy() && seen.state() == ServerState.RUNNING) {
                LOG.info("the cluster is left as it is: another agent speaks for it");
                return true;
            }
            boolean closed = !seen.writable() && seen.state() == ServerState.RUNNING;
            if (closed && seen.receiving()) {
                // One that is being promoted has had its input cut.
                LOG.info("the server is left as it is: it refuses writes and receives from {}", seen.source());
                return true;
            }
            if (closed && fenced) {
                LOG.warn(
                        "the server is fenced, after {} ms of this hook's work",
                        (System.nanoTime() - start) / 1_000_000);
                return true;
            }
            try {
                engine.fence(fence);
                fenced = true;
            } catch (EngineException e) {
                fenced = false;
                problem = e.getMessage() + (seen.detail().isEmpty() ? "" : "; " + seen.detail());
            }
            boolean absent =
                    seen.state() == ServerState.UNKNOWN && seen.instance().isEmpty();
            Duration patience = absent && ABSENT_LIMIT.compareTo(limit) < 0 ? ABSENT_LIMIT : limit;
            if (System.nanoTime() - start > patience.toNanos()) {
                if (fenced) {
                    LOG.warn("the server's clients are cut; it isn't read-only yet, since commits still wait");
                } else {
                    LOG.error("the server couldn't be fenced within {} ms: {}", patience.toMillis(), problem);
                }
                return fenced;
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }
}
