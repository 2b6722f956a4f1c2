package org.haarbiter.words;

/**
 * An agent's message to a master.
 *
 * @param session drawn anew at each start of the agent; answers to another session are ignored
 * @param sequence grows by one with each heartbeat of the session; the agent keeps the send time of each
 * @param lookAnswered the newest heartbeat of this session whose answer, by the leader of the accepted term, had come before
 *     the last look at the server began: what is said of the server is newer than that answer; 0 where there is none
 * @param sighting what it says of its server
 */
public record Heartbeat(long session, long sequence, long lookAnswered, Sighting sighting) {

    /** One whose look isn't known to be newer than any answer. */
    public Heartbeat(long session, long sequence, Sighting sighting) {
        this(session, sequence, 0, sighting);
    }
}
