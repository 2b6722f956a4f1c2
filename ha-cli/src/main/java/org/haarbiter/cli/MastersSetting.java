package org.haarbiter.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** Where the masters are: from the command line, the environment or a settings file, in this order. */
final class MastersSetting {
    private MastersSetting() {}

    static List<Endpoint> find(@Nullable String option, Surroundings surroundings) throws CliException {
        if (option != null) {
            return parse("--masters", option);
        }
        String variable = surroundings.environment().get("HA_MASTERS");
        if (variable != null && !variable.isBlank()) {
            return parse("HA_MASTERS", variable);
        }
        for (Path file : surroundings.settingsFiles()) {
            if (Files.exists(file)) {
                try {
                    return SettingsReader.file(file).read(root -> root.endpoints("masters", 1, 15));
                } catch (SettingsException e) {
                    throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
                }
            }
        }
        throw new CliException(
                ExitCode.USAGE,
                "it isn't said where the masters are: give --masters HOST:PORT,... (their admin addresses), set HA_MASTERS,"
                        + " or write 'masters: [\"HOST:PORT\"]' to "
                        + surroundings.settingsFiles().get(0));
    }

    private static List<Endpoint> parse(String from, String text) throws CliException {
        List<Endpoint> masters = new ArrayList<>();
        for (String part : text.split("[,\\s]+", -1)) {
            if (!part.isEmpty()) {
                try {
                    masters.add(Endpoint.parse(part));
                } catch (IllegalArgumentException e) {
                    throw new CliException(ExitCode.USAGE, from + ": " + e.getMessage());
                }
            }
        }
        if (masters.isEmpty()) {
            throw new CliException(ExitCode.USAGE, from + ": '" + text + "' (must be HOST:PORT,...)");
        }
        return masters;
    }
}
