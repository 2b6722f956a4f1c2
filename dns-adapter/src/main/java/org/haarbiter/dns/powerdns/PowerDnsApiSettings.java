package org.haarbiter.dns.powerdns;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/**
 * A zone of PowerDNS.
 *
 * @param zone the zone, e.g. {@code db.example.}; a missing final dot is added
 * @param server the API's address, that of {@code webserver-address} and {@code webserver-port}
 * @param serverId as in the API's paths; {@code localhost} of a PowerDNS, another of a program that stands for several
 * @param ca certificates, PEM, of who may issue that of a proxy in front of the API, which must name the address; null for HTTP
 * @param apiKey of PowerDNS' setting {@code api-key}
 * @param authoritativeServers every server that clients' resolvers may ask, by address; a switch is done when all of them show it
 */
public record PowerDnsApiSettings(
        String zone,
        Endpoint server,
        String serverId,
        @Nullable Path ca,
        String apiKey,
        List<Endpoint> authoritativeServers) {

    /** What a PowerDNS calls itself. */
    public static final String DEFAULT_SERVER_ID = "localhost";

    private static final Pattern SERVER_ID = Pattern.compile("[A-Za-z0-9._-]{1,100}");
    private static final Pattern API_KEY = Pattern.compile("[\\x21-\\x7e]{1,1000}");

    /**
     * Checks all parts.
     *
     * @throws IllegalArgumentException with one line for each mistake; the key is never in it
     */
    public PowerDnsApiSettings {
        zone = zone.endsWith(".") ? zone : zone + ".";
        authoritativeServers = List.copyOf(authoritativeServers);
        List<String> mistakes = new ArrayList<>();
        if (zone.equals(".") || !isName(zone)) {
            mistakes.add("zone: '" + zone + "' (must be a domain name)");
        }
        if (!isAddress(server)) {
            mistakes.add(
                    "api-server: " + server.host() + " (must be an IPv4 or IPv6 address: a host name would have to be"
                            + " looked up in DNS at the moment when DNS is being changed)");
        }
        if (!SERVER_ID.matcher(serverId).matches()) {
            mistakes.add(
                    "api-server-id: '" + serverId + "' (must be letters, digits, '.', '_' or '-'; localhost is usual)");
        }
        if (!API_KEY.matcher(apiKey).matches()) {
            mistakes.add("api-key-file: its text (must be one word of visible ASCII characters, PowerDNS' api-key)");
        }
        if (authoritativeServers.isEmpty()) {
            mistakes.add("authoritative-servers: empty (must list every server of the zone, as ADDRESS:PORT)");
        }
        for (Endpoint each : authoritativeServers) {
            if (!isAddress(each)) {
                mistakes.add("authoritative-servers: " + each.host() + " (must be an IPv4 or IPv6 address)");
            }
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    private static boolean isAddress(Endpoint server) {
        return Address.toByteArray(server.host(), Address.IPv4) != null
                || Address.toByteArray(server.host(), Address.IPv6) != null;
    }

    private static boolean isName(String text) {
        try {
            Name.fromString(text, Name.root);
            return true;
        } catch (TextParseException e) {
            return false; // the caller names the text
        }
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "zone " + zone + " of " + serverId + " at " + (ca == null ? "http://" : "https://") + server
                + ", served by " + authoritativeServers;
    }
}
