package org.haarbiter.agent.engine.redis;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code CONFIG GET} says of the settings that the engine changes or whose effect it tells of.
 *
 * @param minReplicas how many replicas must be attached and quick for writes to be taken
 * @param lagLimitSeconds what counts as quick; 0 where {@code minReplicas} has no effect
 * @param pingSeconds how often an idle primary tells its replicas that it is there
 * @param stopsOnSaveError writes are refused while snapshots fail
 * @param saves when snapshots are taken; empty for never
 */
record LiveSettings(int minReplicas, int lagLimitSeconds, int pingSeconds, boolean stopsOnSaveError, String saves) {

    static final String[] COMMAND = {
        "CONFIG",
        "GET",
        "min-replicas-to-write",
        "min-replicas-max-lag",
        "repl-ping-replica-period",
        "stop-writes-on-bgsave-error",
        "save"
    };

    /** No server has so many replicas: whoever wants so many refuses all writes, and goes on serving replicas. */
    static final int DRAINED = 999_999_999;

    /**
     * Of a drained primary: each ping would make its history longer than that of the replica that is about to be opened, and none
     * comes within an hour.
     */
    static final int NO_PINGS = 2_000_000_000;

    static final int USUAL_LAG_LIMIT_SECONDS = 10;

    static LiveSettings parse(Object answer) {
        Map<String, String> all = map(answer);
        return new LiveSettings(
                number(all, "min-replicas-to-write"),
                number(all, "min-replicas-max-lag"),
                number(all, "repl-ping-replica-period"),
                all.getOrDefault("stop-writes-on-bgsave-error", "").equals("yes"),
                all.getOrDefault("save", ""));
    }

    private static int number(Map<String, String> all, String name) {
        return Integer.parseInt(all.getOrDefault(name, "0"));
    }

    /** Of an answer to {@code CONFIG GET}. */
    static Map<String, String> map(Object answer) {
        Map<String, String> all = new HashMap<>();
        if (answer instanceof List<?> pairs) {
            for (int i = 0; i + 1 < pairs.size(); i += 2) {
                all.put(text(pairs.get(i)), text(pairs.get(i + 1)));
            }
        }
        return all;
    }

    private static String text(Object one) {
        return Link.text(one);
    }

    boolean drained() {
        return minReplicas == DRAINED;
    }

    /** How many acknowledging replicas it wants before it takes writes; 0 where that has no effect, and while it is drained. */
    int acknowledgersRequired() {
        return drained() || lagLimitSeconds == 0 ? 0 : minReplicas;
    }
}
