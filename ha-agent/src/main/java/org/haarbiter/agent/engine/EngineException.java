package org.haarbiter.agent.engine;

/** A command that didn't succeed. The message is a sentence for an operator: what was tried, what the server said. */
public final class EngineException extends Exception {
    private static final long serialVersionUID = 1L;

    /** A failure without a cause of its own. */
    public EngineException(String message) {
        super(message);
    }

    /** A failure with the driver's exception. */
    public EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
