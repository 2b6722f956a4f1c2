package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/**
 * Nothing automatic happens while it stands; a person's commands still do.
 *
 * @param by who set it
 * @param reason why
 * @param wallMillis when
 * @param untilMillis when it ends by itself, by the leader's wall clock; 0 where a person must end it
 */
public record Pause(String by, String reason, long wallMillis, long untilMillis) {

    /** A pause lasts so long at most, unless a person is to end it: a year. */
    public static final long LONGEST_MILLIS = 366L * 86_400_000;

    /** It ends by itself, and should have by then. */
    boolean over(long nowMillis) {
        return untilMillis > 0 && nowMillis >= untilMillis;
    }

    /** Why it has ended by itself; null where it hasn't. */
    static @Nullable String overBecause(@Nullable Pause pause, long nowMillis) {
        return pause == null || !pause.over(nowMillis)
                ? null
                : "the pause of " + pause.by() + " was to last for " + (pause.untilMillis - pause.wallMillis) / 1_000
                        + " s: " + pause.reason();
    }
}
