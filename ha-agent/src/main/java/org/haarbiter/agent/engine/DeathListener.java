package org.haarbiter.agent.engine;

/** Told of the end of a server process; must return at once. */
@FunctionalInterface
public interface DeathListener {
    /**
     * The process has ended or is ending.
     *
     * @param instance the process, as {@link Observation#instance()} named it
     * @param evidence the sign that was seen, as a sentence
     */
    void died(String instance, String evidence);
}
