package org.haarbiter.lab;

import java.security.SecureRandom;
import java.util.Base64;

/**
 * A key that signs DNS messages (TSIG, hmac-sha256).
 *
 * @param name the key's name on both sides
 * @param secret base64
 */
public record ZoneKey(String name, String secret) {

    private static final int BYTES = 32;

    /** A key with a random secret. */
    public static ZoneKey random(String name) {
        byte[] secret = new byte[BYTES];
        new SecureRandom().nextBytes(secret);
        return new ZoneKey(name, Base64.getEncoder().encodeToString(secret));
    }

    /** The file that BIND's {@code key} statement and {@code nsupdate -k} read. */
    public String asBindText() {
        return "key \"" + name + "\" { algorithm hmac-sha256; secret \"" + secret + "\"; };\n";
    }

    /** Never the secret. */
    @Override
    public String toString() {
        return "key " + name;
    }
}
