package org.haarbiter.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Where the masters are, and how one shows who one is. Each from the command line, the environment or a settings file, in this
 * order.
 *
 * @param masters their admin addresses
 * @param ca who issues the masters' certificates; null for plain HTTP
 * @param certificate one's own; null for none
 * @param key its key; given exactly when {@code certificate} is
 * @param tokenFile a file that holds one's token; null for none
 */
record MastersSetting(
        List<Endpoint> masters,
        @Nullable Path ca,
        @Nullable Path certificate,
        @Nullable Path key,
        @Nullable Path tokenFile) {

    /** What the command line says, each null where it doesn't. */
    record Options(
            @Nullable String masters,
            @Nullable Path ca,
            @Nullable Path certificate,
            @Nullable Path key,
            @Nullable Path tokenFile) {}

    /** Plain HTTP, and nobody says who one is. */
    static MastersSetting plain(List<Endpoint> masters) {
        return new MastersSetting(masters, null, null, null, null);
    }

    static MastersSetting find(Options options, Surroundings surroundings) throws CliException {
        MastersSetting written = file(surroundings);
        Map<String, String> environment = surroundings.environment();
        String variable = environment.get("HA_MASTERS");
        List<Endpoint> masters;
        if (options.masters() != null) {
            masters = parse("--masters", options.masters());
        } else if (variable != null && !variable.isBlank()) {
            masters = parse("HA_MASTERS", variable);
        } else {
            masters = written.masters();
        }
        if (masters.isEmpty()) {
            throw new CliException(
                    ExitCode.USAGE,
                    "it isn't said where the masters are: give --masters HOST:PORT,... (their admin addresses), set"
                            + " HA_MASTERS, or write 'masters: [\"HOST:PORT\"]' to "
                            + surroundings.settingsFiles().get(0));
        }
        MastersSetting setting = new MastersSetting(
                masters,
                first(options.ca(), environment.get("HA_CA"), written.ca()),
                first(options.certificate(), environment.get("HA_CERT"), written.certificate()),
                first(options.key(), environment.get("HA_KEY"), written.key()),
                first(options.tokenFile(), environment.get("HA_TOKEN_FILE"), written.tokenFile()));
        if ((setting.certificate() == null) != (setting.key() == null)) {
            throw new CliException(
                    ExitCode.USAGE, "--cert and --key: one of them is missing (must be given both or neither)");
        }
        if (setting.certificate() != null && setting.ca() == null) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--cert: given without --ca (must be given with the file of who issues the masters' certificates)");
        }
        return setting;
    }

    private static @Nullable Path first(@Nullable Path option, @Nullable String variable, @Nullable Path written) {
        if (option != null) {
            return option;
        }
        return variable != null && !variable.isBlank() ? Path.of(variable) : written;
    }

    private static MastersSetting file(Surroundings surroundings) throws CliException {
        for (Path file : surroundings.settingsFiles()) {
            if (Files.exists(file)) {
                try {
                    return SettingsReader.file(file)
                            .read(root -> new MastersSetting(
                                    root.endpoints("masters", 1, 15),
                                    path(root, "ca"),
                                    path(root, "certificate"),
                                    path(root, "key"),
                                    path(root, "token-file")));
                } catch (SettingsException e) {
                    throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
                }
            }
        }
        return plain(List.of());
    }

    private static @Nullable Path path(Section root, String key) {
        return root.has(key) ? root.path(key) : null;
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
