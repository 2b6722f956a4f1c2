package org.haarbiter.master.core;

/**
 * What a leader minds when many groups lose their primaries at once.
 *
 * @param doubtGroups so many primaries silent at once, and {@code doubtPercent}, make the leader ask other masters first
 * @param doubtPercent so large a share of all groups, in percent
 * @param doubtMillis the longest that a silence isn't acted upon for want of a master in another site that confirms it
 * @param atOnce how many groups switch at the same time by themselves
 * @param atOncePerSite the same for groups whose primaries were in one site, so that its storm leaves turns to the others
 */
public record Storms(int doubtGroups, int doubtPercent, int doubtMillis, int atOnce, int atOncePerSite) {

    /** A switch that takes longer than so many silences gives its turn up: it waits for something, and others needn't. */
    static final int TURN_SILENCES = 10;

    /** What a master that isn't told otherwise minds, at this silence. */
    public static Storms usual(int silenceMillis) {
        return new Storms(3, 10, 10 * silenceMillis, 32, 16);
    }
}
