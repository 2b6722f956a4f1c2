package org.haarbiter.cli;

/** How {@code hactl} ends. The numbers are part of the interface and never change. */
final class ExitCode {
    /** Done. */
    static final int OK = 0;
    /** The arbiter refused, or the switch ended in another way than was asked for. */
    static final int REFUSED = 1;
    /** The command line or the settings are wrong. */
    static final int USAGE = 2;
    /** No master, or no Sentinel that is to be read, could be reached. */
    static final int UNREACHABLE = 3;
    /** Masters answer, and there is no leader. */
    static final int NO_LEADER = 4;
    /** No such group, member, master or switch; a Sentinel has no such group. */
    static final int NOT_FOUND = 5;
    /** Sent, and not known to be complete in time. */
    static final int INCOMPLETE = 6;
    /** The masters don't know who asks, or that one's role is too low. */
    static final int NOT_ALLOWED = 7;

    private ExitCode() {}
}
