package org.haarbiter.dns.powerdns;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.zone.Spelling;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

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
        List<Endpoint> authoritativeServers)
        implements DnsSettings {

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
        zone = Spelling.absolute(zone);
        authoritativeServers = List.copyOf(authoritativeServers);
        List<String> mistakes = new ArrayList<>(Spelling.nameMistakes("zone", zone));
        mistakes.addAll(Spelling.addressMistakes("api-server", server));
        mistakes.addAll(Spelling.noServersMistakes(authoritativeServers));
        mistakes.addAll(Spelling.authoritativeServersMistakes(authoritativeServers));
        if (!SERVER_ID.matcher(serverId).matches()) {
            mistakes.add(
                    "api-server-id: '" + serverId + "' (must be letters, digits, '.', '_' or '-'; localhost is usual)");
        }
        if (!API_KEY.matcher(apiKey).matches()) {
            mistakes.add("api-key-file: its text (must be one word of visible ASCII characters, PowerDNS' api-key)");
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    @Override
    public DnsProvider open() {
        return new PowerDnsApiProvider(this);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "zone " + zone + " of " + serverId + " at " + (ca == null ? "http://" : "https://") + server
                + ", served by " + authoritativeServers;
    }
}
