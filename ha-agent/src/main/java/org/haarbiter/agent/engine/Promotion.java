package org.haarbiter.agent.engine;

/**
 * An order to open writes.
 *
 * @param epoch the group's epoch under which they open
 * @param upTo the position that must have been applied first; empty for none
 * @param acknowledgers how many acknowledgements each commit waits for, without time limit; 0 for none
 */
public record Promotion(long epoch, String upTo, int acknowledgers) {}
