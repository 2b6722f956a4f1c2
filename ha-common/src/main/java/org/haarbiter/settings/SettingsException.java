package org.haarbiter.settings;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Settings that can't be used. The message lists every mistake, one a line, each with its file and line. */
public final class SettingsException extends RuntimeException {
    private final List<String> mistakes;

    /** With at least one mistake, in the order of the file. */
    public SettingsException(List<String> mistakes, @Nullable Throwable cause) {
        super(String.join("\n", mistakes), cause);
        this.mistakes = List.copyOf(mistakes);
    }

    /** With one mistake. */
    public SettingsException(String mistake, @Nullable Throwable cause) {
        this(List.of(mistake), cause);
    }

    /** Each mistake as {@code FILE:LINE: KEY: VALUE (must be ...)}. */
    public List<String> mistakes() {
        return mistakes;
    }
}
