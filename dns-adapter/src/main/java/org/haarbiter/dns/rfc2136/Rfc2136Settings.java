package org.haarbiter.dns.rfc2136;

import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Address;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

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
        int epochTtlSeconds) {

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
        zone = absolute(zone.toLowerCase(Locale.ROOT));
        keyName = absolute(keyName.toLowerCase(Locale.ROOT));
        algorithm = algorithm.toLowerCase(Locale.ROOT);
        authoritativeServers = List.copyOf(authoritativeServers);
        List<String> mistakes = new ArrayList<>();
        checkName("zone", zone, mistakes);
        checkName("key-name", keyName, mistakes);
        checkAddress("update-server", updateServer, mistakes);
        if (authoritativeServers.isEmpty()) {
            mistakes.add("authoritative-servers: empty (must list every server of the zone, as ADDRESS:PORT)");
        }
        Set<Endpoint> seen = new HashSet<>();
        for (Endpoint server : authoritativeServers) {
            checkAddress("authoritative-servers", server, mistakes);
            if (!seen.add(server)) {
                mistakes.add("authoritative-servers: " + server + " (is listed twice; must be listed once)");
            }
        }
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

    private static String absolute(String name) {
        return name.endsWith(".") ? name : name + ".";
    }

    private static void checkName(String what, String name, List<String> mistakes) {
        if (name.equals(".")) {
            mistakes.add(what + ": empty (must be a domain name)");
            return;
        }
        try {
            Name.fromString(name, Name.root);
        } catch (TextParseException e) {
            mistakes.add(what + ": '" + name + "' (must be a domain name: " + e.getMessage() + ")");
        }
    }

    private static void checkAddress(String what, Endpoint server, List<String> mistakes) {
        if (Address.toByteArray(server.host(), Address.IPv4) == null
                && Address.toByteArray(server.host(), Address.IPv6) == null) {
            mistakes.add(what + ": " + server.host() + " (must be an IPv4 or IPv6 address: a host name would have to be"
                    + " looked up in DNS at the moment when DNS is being changed)");
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
        return "zone " + zone + " updated at " + updateServer + " with key " + keyName + " (" + algorithm
                + "), served by " + authoritativeServers;
    }
}
