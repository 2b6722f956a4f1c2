package org.haarbiter.link;

import java.nio.file.Path;
import org.haarbiter.settings.Section;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys of a connection are. All files are PEM.
 *
 * @param certificate this process's certificate, then its issuers up to the CA if there are any between
 * @param key its private key, PKCS #8, unencrypted, readable by the owner alone
 * @param ca certificates of those who may issue the other end's certificate
 * @param verifyHost who connects checks that the other end's certificate names the host it connected to
 * @param rules how the certificates of agents and masters are told apart
 */
public record TlsSettings(Path certificate, Path key, Path ca, boolean verifyHost, PeerRules rules) {

    /** With the usual names. */
    public TlsSettings(Path certificate, Path key, Path ca, boolean verifyHost) {
        this(certificate, key, ca, verifyHost, PeerRules.USUAL);
    }

    /** Reads the section of a connection to a server that isn't the arbiter's; null where it isn't in the file. */
    public static @Nullable TlsSettings read(Section section) {
        return section.given() ? files(section, PeerRules.USUAL) : null;
    }

    /** Reads the section of a master or an agent; null where it isn't in the file, which means unencrypted links. */
    public static @Nullable TlsSettings ofArbiter(Section section) {
        return section.given() ? files(section, PeerRules.read(section)) : null;
    }

    private static TlsSettings files(Section section, PeerRules rules) {
        return new TlsSettings(
                section.path("certificate"),
                section.path("key"),
                section.path("ca"),
                section.flag("verify-host", true),
                rules);
    }
}
