package org.haarbiter.dns.zone;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Address;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** How names and servers are written in the settings of providers. */
public final class Spelling {

    private Spelling() {}

    /** With small letters and a final dot. */
    public static String absolute(String name) {
        return name.toLowerCase(Locale.ROOT) + (name.endsWith(".") ? "" : ".");
    }

    /**
     * What is wrong with a domain name, in one line or none.
     *
     * @param key of the settings
     * @param name with a final dot
     */
    public static List<String> nameMistakes(String key, String name) {
        if (name.equals(".")) {
            return List.of(key + ": empty (must be a domain name)");
        }
        try {
            Name.fromString(name, Name.root);
            return List.of();
        } catch (TextParseException e) {
            return List.of(key + ": '" + name + "' (must be a domain name: " + e.getMessage() + ")");
        }
    }

    /** What is wrong with a server's address, in one line or none. */
    public static List<String> addressMistakes(String key, Endpoint server) {
        return Address.toByteArray(server.host(), Address.IPv4) != null
                        || Address.toByteArray(server.host(), Address.IPv6) != null
                ? List.of()
                : List.of(key + ": " + server.host() + " (must be an IPv4 or IPv6 address: a host name would have to be"
                        + " looked up in DNS at the moment when DNS is being changed)");
    }

    /** What is wrong with the list of servers that resolvers may ask, one line each. */
    public static List<String> authoritativeServersMistakes(List<Endpoint> servers) {
        List<String> mistakes = new ArrayList<>();
        Set<Endpoint> seen = new HashSet<>();
        for (Endpoint server : servers) {
            mistakes.addAll(addressMistakes("authoritative-servers", server));
            if (!seen.add(server)) {
                mistakes.add("authoritative-servers: " + server + " (is listed twice; must be listed once)");
            }
        }
        return mistakes;
    }

    /** One line where there is none: at least one must be asked for the read-back to mean anything. */
    public static List<String> noServersMistakes(List<Endpoint> servers) {
        return servers.isEmpty()
                ? List.of("authoritative-servers: empty (must list every server of the zone, as ADDRESS:PORT)")
                : List.of();
    }
}
