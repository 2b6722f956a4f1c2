package org.haarbiter.dns.server;

/**
 * What became of contents that were handed to the server.
 *
 * @param result the kind
 * @param detail a sentence where they were refused; else empty
 */
public record ServeOutcome(Result result, String detail) {

    /** What became of them. */
    public enum Result {
        /** Queries are answered from them from now on. */
        SERVED,
        /** They are what is served already. */
        UNCHANGED,
        /** What is served is as new or newer, and says something else: nothing was changed. */
        OLDER
    }
}
