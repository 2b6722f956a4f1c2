package org.haarbiter.link;

import java.nio.file.Path;
import org.haarbiter.settings.Section;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys of the link are. All files are PEM.
 *
 * @param certificate this process's certificate, then its issuers up to the CA if there are any between
 * @param key its private key, PKCS #8, unencrypted, readable by the owner alone
 * @param ca certificates of those who may issue the other end's certificate
 * @param verifyHost an agent checks that the master's certificate names the host it connected to
 */
public record TlsSettings(Path certificate, Path key, Path ca, boolean verifyHost) {

    /** Reads the section; null where it isn't in the file, which means an unencrypted link. */
    public static @Nullable TlsSettings read(Section section) {
        return section.given()
                ? new TlsSettings(
                        section.path("certificate"),
                        section.path("key"),
                        section.path("ca"),
                        section.flag("verify-host", true))
                : null;
    }
}
