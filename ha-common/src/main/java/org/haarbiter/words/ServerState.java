package org.haarbiter.words;

/** What an agent can tell of its server. The four ways of not serving are kept apart: each asks for another answer. */
public enum ServerState {
    /** The agent can't tell (wrong credentials, never reached). Never a reason to act. */
    UNKNOWN,
    /** It answers, and takes commands. */
    RUNNING,
    /** Its process exists and will listen later: initialising, recovering after a crash, loading. */
    STARTING,
    /** It answers on an open connection but turns clients or writes away: too many connections, full or read-only disk. */
    REFUSING,
    /** Its process exists, connects may succeed, and nothing is answered. */
    HUNG,
    /** Its process has ended or is ending: no instruction of it can run any more. */
    DEAD
}
