package org.haarbiter.words;

/**
 * What a service manager does for a server whose agent has ended or stands still, as far as its agent has evidence of it.
 *
 * @param kind how far it reaches
 * @param withinMillis where both are there, how long after the agent's last sign of life the server is fenced at the latest, in
 *     ms; otherwise 0
 */
public record Guard(Kind kind, int withinMillis) {
    /** Nobody does anything. */
    public static final Guard NONE = new Guard(Kind.NONE, 0);

    /** From nothing to all. */
    public enum Kind {
        /** Nobody fences. */
        NONE,
        /** An agent that stands still is killed and started again, but nothing fences its server. */
        WATCHDOG,
        /** The server is fenced when its agent has ended, but one that stands still isn't noticed. */
        STOP_HOOK,
        /** Both, but the server is fenced only after a permission may have ended. */
        LATE,
        /** Both, before the permission of an agent ends to whom the masters or its peers have answered up to then. */
        IN_TIME,
        /** Both, within the time that an agent keeps back of each permission: whatever has happened before. */
        ALWAYS;

        /** An agent that has ended and one that stands still are both covered. */
        public boolean whole() {
            return compareTo(LATE) >= 0;
        }
    }
}
