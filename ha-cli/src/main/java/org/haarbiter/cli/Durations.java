package org.haarbiter.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people give them. */
final class Durations {
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})([smhd])");

    private Durations() {}

    /**
     * In milliseconds.
     *
     * @param option whose value it is
     */
    static long millis(String option, String duration) throws CliException {
        Matcher parts = DURATION.matcher(duration);
        if (!parts.matches()) {
            throw new CliException(
                    ExitCode.USAGE,
                    option + ": '" + duration + "' (must be a number and s, m, h or d, such as 90s or 12h)");
        }
        long unit = switch (parts.group(2)) {
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            default -> 86_400_000;
        };
        return Long.parseLong(parts.group(1)) * unit;
    }
}
