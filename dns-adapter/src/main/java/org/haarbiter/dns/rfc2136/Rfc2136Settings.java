package org.haarbiter.dns.rfc2136;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.zone.Spelling;
import org.haarbiter.words.Endpoint;

/**
 * A zone that takes dynamic updates.
 *
 * @param zone the zone, e.g. {@code db.example.}; a missing final dot is added, letters become small
 * @param updateServer the one server that takes updates, by address. One only: two servers on one database don't see each
 *     other's prerequisites (measured with PowerDNS), so the epoch would not fence
 * @param authoritativeServers every server that clients' resolvers may ask, by address; a switch is done when all of them
 *     show it
 * @param keyName the TSIG key's name as the servers have it
 * @param algorithm {@code hmac-sha256}, or hmac-sha1, -sha224, -sha384, -sha512
 * @param secret the key in base64, as in the server's {@code key} block
 * @param epochTtlSeconds TTL of the TXT record that holds the epoch, 0 to 86400
 */
public record Rfc2136Settings(
        String zone,
        Endpoint updateServer,
        List<Endpoint> authoritativeServers,
        String keyName,
        String algorithm,
        String secret,
        int epochTtlSeconds)
        implements DnsSettings {

    /** What is offered when nothing else is asked for. */
    public static final String DEFAULT_ALGORITHM = "hmac-sha256";

    private static final List<String> ALGORITHMS =
            List.of("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512");

    /**
     * Checks all parts.
     *
     * @throws IllegalArgumentException with one line for each mistake; the secret is never in it
     */
    public Rfc2136Settings {
        zone = Spelling.absolute(zone);
        keyName = Spelling.absolute(keyName);
        algorithm = algorithm.toLowerCase(Locale.ROOT);
        authoritativeServers = List.copyOf(authoritativeServers);
        List<String> mistakes = new ArrayList<>(Spelling.nameMistakes("zone", zone));
        mistakes.addAll(Spelling.nameMistakes("key-name", keyName));
        mistakes.addAll(Spelling.addressMistakes("update-server", updateServer));
        mistakes.addAll(Spelling.noServersMistakes(authoritativeServers));
        mistakes.addAll(Spelling.authoritativeServersMistakes(authoritativeServers));
        if (!ALGORITHMS.contains(algorithm)) {
            mistakes.add("algorithm: " + algorithm + " (must be one of " + String.join(", ", ALGORITHMS) + ")");
        }
        if (!isBase64(secret)) {
            mistakes.add(
                    "secret: (not base64, or empty; must be the text between the quotes in the server's key block)");
        }
        if (epochTtlSeconds < 0 || epochTtlSeconds > 86_400) {
            mistakes.add("epoch-ttl-seconds: " + epochTtlSeconds + " (must be 0 to 86400; 1 is usual)");
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    private static boolean isBase64(String secret) {
        try {
            return Base64.getDecoder().decode(secret.strip()).length > 0;
        } catch (IllegalArgumentException e) {
            return false; // said by the caller, without the secret, which the exception may quote
        }
    }

    @Override
    public DnsProvider open() {
        return new Rfc2136Provider(this);
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "zone " + zone + " updated at " + updateServer + " with key " + keyName + " (" + algorithm
                + "), served by " + authoritativeServers;
    }
}
