package org.haarbiter.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.settings.SettingsException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "edit",
        description = {
            "Opens what a group promises, and its traffic classes, in an editor ($VISUAL, else $EDITOR, else vi), and makes the group"
                    + " what was saved."
        })
final class GroupEditCommand extends GroupFilesCommand {
    private static final String USUAL_EDITOR = "vi";

    @Parameters(paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Option(
            names = "--reason",
            required = true,
            paramLabel = "TEXT",
            description = "Why; it is written into the switch log.")
    private String reason = "";

    @Override
    int run(AdminClient client) throws CliException {
        if (reason.isBlank()) {
            throw new CliException(ExitCode.USAGE, "--reason: empty (must say why, for the switch log)");
        }
        Path file = null;
        boolean kept = false;
        try {
            // By the JDK for its owner alone.
            file = Files.createTempFile("hactl-", ".yaml");
            Files.writeString(file, GroupFile.text(group, settings(client, group)));
            edit(file);
            kept = true;
            int code = change(client, saved(file), false, reason.strip());
            kept = code != ExitCode.OK;
            return code;
        } catch (IOException e) {
            throw new CliException(ExitCode.USAGE, "the settings can't be edited: " + e);
        } finally {
            if (kept) {
                hactl().surroundings().err().println("hactl: what was saved is kept for hactl group apply -f " + file);
            } else if (file != null) {
                delete(file);
            }
        }
    }

    private SortedMap<String, GroupSettings> saved(Path file) throws CliException {
        SortedMap<String, GroupSettings> wanted;
        try {
            wanted = GroupFile.read(List.of(file));
        } catch (SettingsException e) {
            throw new CliException(ExitCode.USAGE, e.getMessage() + "\nnothing was changed");
        }
        if (!wanted.keySet().equals(Set.of(group))) {
            throw new CliException(
                    ExitCode.USAGE,
                    "groups: " + String.join(", ", wanted.keySet()) + " (must be " + group + "); nothing was changed");
        }
        return wanted;
    }

    private void edit(Path file) throws IOException, CliException {
        Map<String, String> environment = hactl().surroundings().environment();
        String editor = environment.getOrDefault("VISUAL", environment.getOrDefault("EDITOR", USUAL_EDITOR));
        try {
            // By a shell, since such a variable may hold options.
            int code = new ProcessBuilder("sh", "-c", editor + " \"$1\"", "sh", file.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (code != 0) {
                throw new CliException(
                        ExitCode.USAGE, "the editor '" + editor + "' ended with " + code + "; nothing was changed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.USAGE, "interrupted; nothing was changed");
        }
    }

    private void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            hactl().surroundings().err().println("hactl: " + file + " can't be deleted: " + e);
        }
    }
}
