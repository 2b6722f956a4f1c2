package org.haarbiter.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.settings.SettingsException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "apply",
        description = {
            "Makes groups what files say of them, and says what changes. What a file doesn't say stays, and so do groups that it doesn't"
                    + " name. All mistakes of all files are reported at once; with any, nothing is changed."
        })
final class GroupApplyCommand extends GroupFilesCommand {
    private static final String ENDING = ".yaml";

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "FILE",
            description = "Groups in YAML, or a directory of such files, whose names end with .yaml; may be repeated.")
    private List<Path> files = List.of();

    @Option(names = "--dry-run", description = "Only say what would change.")
    private boolean dryRun;

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            description = "Why; it is written into the switch log. Needed unless --dry-run is given.")
    private @Nullable String reason;

    @Override
    int run(AdminClient client) throws CliException {
        String why = reason == null ? "" : reason.strip();
        if (!dryRun && why.isEmpty()) {
            throw new CliException(
                    ExitCode.USAGE, "--reason: missing (must say why, for the switch log; or give --dry-run)");
        }
        SortedMap<String, GroupSettings> wanted;
        try {
            wanted = GroupFile.read(filesOf(files));
        } catch (SettingsException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
        }
        return change(client, wanted, dryRun, why);
    }

    private static List<Path> filesOf(List<Path> given) throws CliException {
        List<Path> found = new ArrayList<>();
        for (Path path : given) {
            if (!Files.isDirectory(path)) {
                found.add(path);
                continue;
            }
            int before = found.size();
            try (Stream<Path> entries = Files.list(path)) {
                entries.filter(entry -> entry.toString().endsWith(ENDING))
                        .sorted()
                        .forEach(found::add);
            } catch (IOException e) {
                throw new CliException(ExitCode.USAGE, path + ": can't be listed: " + e);
            }
            if (found.size() == before) {
                throw new CliException(
                        ExitCode.USAGE, path + ": no file in it ends with " + ENDING + " (must be one at least)");
            }
        }
        return found;
    }
}
