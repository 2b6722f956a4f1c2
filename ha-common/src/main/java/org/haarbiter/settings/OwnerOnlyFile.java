package org.haarbiter.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/** Files that hold secrets: read only where nobody but the owner can. */
public final class OwnerOnlyFile {
    private static final Set<PosixFilePermission> OWNERS =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private OwnerOnlyFile() {}

    /**
     * Reads the file in UTF-8. Of a symbolic link, the target's permissions count.
     *
     * @throws SettingsException where the file is missing, can't be read, or somebody but its owner may read it
     */
    public static String read(Path file) {
        check(file);
        return SettingsReader.content(file);
    }

    static void check(Path file) {
        Set<PosixFilePermission> permissions;
        try {
            permissions = Files.getPosixFilePermissions(file);
        } catch (NoSuchFileException e) {
            throw new SettingsException(file + ": not found (must be a file that only its owner can read)", e);
        } catch (IOException e) {
            throw new SettingsException(file + ": its permissions can't be read (" + e + ")", e);
        }
        if (!OWNERS.containsAll(permissions)) {
            throw new SettingsException(
                    file + ": permissions " + PosixFilePermissions.toString(permissions)
                            + " (must be rw------- or r--------: it holds a secret; run: chmod 600 " + file + ")",
                    null);
        }
    }
}
