package org.haarbiter.agent.core;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Settings of the server that somebody else has changed: told to operators for a while after they were put back. */
final class Drifts {
    private static final long TOLD_NANOS = AgentLimits.nanos(600_000);

    private record Drift(String sentence, long nanos) {}

    private final TreeMap<String, Drift> drifts = new TreeMap<>();

    /**
     * Somebody else has changed a setting.
     *
     * @param setting one word for it
     * @param sentence what was found, and what it must be
     */
    void found(String setting, String sentence, long nowNanos) {
        drifts.put(setting, new Drift(sentence, nowNanos));
    }

    /** The sentences of the last ten minutes. */
    List<String> sentences(long nowNanos) {
        drifts.values().removeIf(drift -> nowNanos - drift.nanos() > TOLD_NANOS);
        List<String> sentences = new ArrayList<>();
        drifts.values().forEach(drift -> sentences.add(drift.sentence() + " (find out who did it)"));
        return sentences;
    }
}
