package org.haarbiter.settings;

import java.nio.file.Path;

/**
 * A user of the database server. Printed without the password.
 *
 * @param user not empty
 * @param password not empty
 */
public record Credentials(String user, String password) {

    /**
     * Reads {@code user: NAME} and {@code password: TEXT} from a YAML file of their own.
     *
     * @throws SettingsException where the file can't be read, somebody but its owner may read it, or a line is wrong
     */
    public static Credentials read(Path file) {
        OwnerOnlyFile.check(file);
        return SettingsReader.file(file).read(root -> new Credentials(root.string("user"), root.secret("password")));
    }

    @Override
    public String toString() {
        return "Credentials[user=" + user + "]";
    }
}
