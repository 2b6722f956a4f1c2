package org.haarbiter.agent.engine.mysql;

/** A statement that has no result. */
final class SqlProblem extends Exception {
    private static final long serialVersionUID = 1L;

    /** The three ways are kept apart: each means something else about the server. */
    enum Kind {
        /** The server answered with an error. */
        REFUSED,
        /** No answer yet; the statement is still outstanding and its answer can be awaited again. */
        NO_ANSWER,
        /** The connection has ended. */
        LOST
    }

    private final Kind kind;
    private final int code;

    private SqlProblem(Kind kind, int code, String message) {
        super(message, null, false, false);
        this.kind = kind;
        this.code = code;
    }

    static SqlProblem refused(int code, String message) {
        return new SqlProblem(Kind.REFUSED, code, "error " + code + ": " + message);
    }

    static SqlProblem noAnswer(String what) {
        return new SqlProblem(Kind.NO_ANSWER, 0, "no answer in time to: " + what);
    }

    static SqlProblem lost(String message) {
        return new SqlProblem(Kind.LOST, 0, message);
    }

    Kind kind() {
        return kind;
    }

    /** The server's error number; 0 where it said none. */
    int code() {
        return code;
    }
}
