package org.haarbiter.words;

/** What the leader wants a member to be. */
public enum Role {
    /** Leave the server as it is and report: the group isn't adopted, or the member isn't part of it yet. */
    OBSERVE,
    /** Take writes while the lease lasts, once the wanted position is reached. */
    PRIMARY,
    /** Refuse clients' writes and follow the given source. */
    REPLICA,
    /** Stop receiving from, and acknowledging to, any source; report the final position. */
    SEALED,
    /** Refuse every client's write, now and after a restart, and follow nobody. */
    FENCED,
    /** Be fenced, and have all data replaced by a copy of the source's, unless it is part of the primary's history already. */
    REBUILT,
    /** Refuse new writes but go on feeding replicas: the first step of a planned switch. */
    DRAINED
}
