package org.haarbiter.words;

/**
 * An agent's message to a master.
 *
 * @param session drawn anew at each start of the agent; answers to another session are ignored
 * @param sequence grows by one with each heartbeat of the session; the agent keeps the send time of each
 * @param sighting what it says of its server
 */
public record Heartbeat(long session, long sequence, Sighting sighting) {}
