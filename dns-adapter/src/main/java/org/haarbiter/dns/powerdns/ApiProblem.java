package org.haarbiter.dns.powerdns;

/** Why a request had no good end, as a sentence for an operator. */
final class ApiProblem extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is known of the request. */
    enum Kind {
        /** It wasn't sent, or it was answered with a refusal that concerns every request alike. */
        REFUSED,
        /** What it holds was refused. */
        REFUSED_CONTENT,
        /** It may have been done, or be done yet. */
        UNKNOWN
    }

    private final Kind kind;

    ApiProblem(Kind kind, String sentence) {
        super(sentence);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }

    String sentence() {
        return String.valueOf(getMessage());
    }
}
