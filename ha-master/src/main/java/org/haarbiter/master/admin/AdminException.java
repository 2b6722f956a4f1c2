package org.haarbiter.master.admin;

import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** A request that can't be answered, with the sentence that the caller reads. */
public final class AdminException extends Exception {

    /** The kinds, each with its word in the API and its HTTP status. */
    public enum Kind {
        /** The request itself is wrong. */
        BAD_REQUEST("bad-request", 400),
        /** Who asks isn't known. */
        UNAUTHENTICATED("unauthenticated", 401),
        /** Who asks is known, and may not do that. */
        FORBIDDEN("forbidden", 403),
        /** No such group, member or master. */
        NOT_FOUND("not-found", 404),
        /** This address asks too often. */
        TOO_MANY_REQUESTS("too-many-requests", 429),
        /** Another master leads, and it is known where. */
        NOT_LEADER("not-leader", 307),
        /** There is no leader now, or it isn't known. */
        NO_LEADER("no-leader", 503),
        /** The master has more to do than it can; ask again. */
        OVERLOADED("overloaded", 503),
        /** No answer in time; a command may yet be carried out. */
        TIMEOUT("timeout", 504),
        /** A mistake in the arbiter. */
        FAULT("fault", 500);

        private final String word;
        private final int status;

        Kind(String word, int status) {
            this.word = word;
            this.status = status;
        }

        /** As the API says it. */
        public String word() {
            return word;
        }

        /** The HTTP status that goes with it. */
        public int status() {
            return status;
        }
    }

    private final Kind kind;
    private final transient @Nullable Endpoint leader;

    private AdminException(Kind kind, String sentence, @Nullable Endpoint leader, @Nullable Throwable cause) {
        super(sentence, cause);
        this.kind = kind;
        this.leader = leader;
    }

    /** Of a kind that names no leader. */
    public AdminException(Kind kind, String sentence) {
        this(kind, sentence, null, null);
    }

    /** With its cause, for the master's own log. */
    public AdminException(Kind kind, String sentence, Throwable cause) {
        this(kind, sentence, null, cause);
    }

    /** Nothing of that name. */
    public static AdminException notFound(String sentence) {
        return new AdminException(Kind.NOT_FOUND, sentence);
    }

    /**
     * This master doesn't lead.
     *
     * @param leaderAdmin where the leader's admin API is; null where there is no leader, or its address isn't known
     */
    public static AdminException notLeader(@Nullable Endpoint leaderAdmin) {
        return leaderAdmin == null
                ? new AdminException(
                        Kind.NO_LEADER,
                        "there is no leader: fewer than half of the masters reach each other, or an election is under way"
                                + " (look at the masters' processes and logs)")
                : new AdminException(
                        Kind.NOT_LEADER, "this master doesn't lead; ask " + leaderAdmin, leaderAdmin, null);
    }

    /** The kind. */
    public Kind kind() {
        return kind;
    }

    /** Where the leader's admin API is. */
    public @Nullable Endpoint leader() {
        return leader;
    }
}
