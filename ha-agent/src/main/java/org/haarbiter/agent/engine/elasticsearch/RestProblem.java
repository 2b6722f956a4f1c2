package org.haarbiter.agent.engine.elasticsearch;

/** Why there is no answer, or which error it is. */
final class RestProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final int status;

    enum Kind {
        /** The node has answered with an error. */
        REFUSED,
        /** The time is over; the request may still be carried out. */
        NO_ANSWER,
        /** The connection is gone, or was never there; whether the request was carried out isn't known. */
        LOST
    }

    private RestProblem(Kind kind, int status, String message) {
        super(message);
        this.kind = kind;
        this.status = status;
    }

    static RestProblem refused(int status, String message) {
        return new RestProblem(Kind.REFUSED, status, message);
    }

    static RestProblem noAnswer(String what) {
        return new RestProblem(Kind.NO_ANSWER, 0, what);
    }

    static RestProblem lost(String why) {
        return new RestProblem(Kind.LOST, 0, why);
    }

    Kind kind() {
        return kind;
    }

    /** The HTTP status of a refusal; 0 otherwise. */
    int status() {
        return status;
    }
}
