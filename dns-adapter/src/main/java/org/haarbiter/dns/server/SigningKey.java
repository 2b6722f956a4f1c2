package org.haarbiter.dns.server;

import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A key that signs transfers and notifications (TSIG, RFC 8945).
 *
 * @param name as the other side has it; a missing final dot is added, letters become small
 * @param algorithm {@code hmac-sha256}, or hmac-sha1, -sha224, -sha384, -sha512
 * @param secret in base64
 */
public record SigningKey(String name, String algorithm, String secret) {

    /** What is offered when nothing else is asked for. */
    public static final String DEFAULT_ALGORITHM = "hmac-sha256";

    static final List<String> ALGORITHMS =
            List.of("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512");

    /**
     * Checks all parts.
     *
     * @throws IllegalArgumentException with one line for each mistake; the secret is never in it
     */
    public SigningKey {
        name = ZoneContents.origin(name);
        algorithm = algorithm.toLowerCase(Locale.ROOT);
        StringBuilder mistakes = new StringBuilder();
        @Nullable String problem = name.equals(".") ? "empty (must be a name)" : WireName.problem(name, false);
        if (problem != null) {
            mistakes.append("key name: ").append(problem).append('\n');
        }
        if (!ALGORITHMS.contains(algorithm)) {
            mistakes.append("algorithm: ")
                    .append(algorithm)
                    .append(" (must be one of ")
                    .append(String.join(", ", ALGORITHMS))
                    .append(")\n");
        }
        if (!isBase64(secret)) {
            mistakes.append(
                    "secret: (not base64, or empty; must be the text between the quotes in BIND's key block)\n");
        }
        if (mistakes.length() > 0) {
            throw new IllegalArgumentException(mistakes.toString().strip());
        }
    }

    private static boolean isBase64(String secret) {
        try {
            return Base64.getDecoder().decode(secret.strip()).length > 0;
        } catch (IllegalArgumentException e) {
            return false; // said by the caller, without the secret, which the exception may quote
        }
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return name + " (" + algorithm + ")";
    }
}
