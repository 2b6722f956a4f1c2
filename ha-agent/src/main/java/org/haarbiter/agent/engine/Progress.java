package org.haarbiter.agent.engine;

/** Told how far a copy has come; must return at once. */
@FunctionalInterface
public interface Progress {
    /**
     * The copy goes on.
     *
     * @param stage what is being done, in words for an operator
     * @param doneBytes how much has been copied
     * @param totalBytes how much there is in all, as estimated; -1 where that isn't known
     */
    void at(String stage, long doneBytes, long totalBytes);
}
