package org.haarbiter.wire;

/** A message that breaks the rules of the link. The message names the field, its value and what it must be. */
public final class WireException extends Exception {
    /** With the whole sentence. */
    public WireException(String sentence) {
        super(sentence);
    }

    WireException(String field, Object value, String expected) {
        super(field + ": " + value + " (must be " + expected + ")");
    }
}
