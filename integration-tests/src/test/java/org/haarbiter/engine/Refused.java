package org.haarbiter.engine;

/** What a client gets that isn't served: it is refused, cut off, or has waited in vain. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(Exception cause) {
        super(String.valueOf(cause.getMessage()), cause);
    }
}
