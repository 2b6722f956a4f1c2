package org.haarbiter.cli;

/** Ends the command with a sentence for the operator and an exit code. */
final class CliException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String json;

    CliException(int exitCode, String sentence) {
        this(exitCode, sentence, "");
    }

    /** With the API's own answer, which {@code -o json} prints. */
    CliException(int exitCode, String sentence, String json) {
        super(sentence);
        this.exitCode = exitCode;
        this.json = json;
    }

    int exitCode() {
        return exitCode;
    }

    String json() {
        return json;
    }
}
