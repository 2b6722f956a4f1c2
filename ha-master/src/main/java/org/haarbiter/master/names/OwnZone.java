package org.haarbiter.master.names;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.server.DnsServerSettings;
import org.haarbiter.dns.server.ServedByMasters;
import org.haarbiter.settings.Section;
import org.haarbiter.words.Endpoint;

/**
 * A zone that the masters answer for themselves.
 *
 * @param zone its name, in small letters with a final dot
 * @param servers every authoritative server, by address: those of all masters, and those that copy the zone
 * @param server this master's own
 * @param nameServers the names of the zone's servers, with the addresses of those that are in the zone
 * @param sitesByRegion for the clients of each region, sites in the order in which replicas there are preferred for reading
 */
public record OwnZone(
        String zone,
        List<Endpoint> servers,
        DnsServerSettings server,
        SortedMap<String, List<String>> nameServers,
        SortedMap<String, List<String>> sitesByRegion)
        implements DnsSettings {
    private static final Pattern LITERAL = Pattern.compile("[0-9a-fA-F.:]+");

    /** Copies the collections. */
    public OwnZone {
        servers = List.copyOf(servers);
        nameServers = Collections.unmodifiableSortedMap(new TreeMap<>(nameServers));
        sitesByRegion = Collections.unmodifiableSortedMap(new TreeMap<>(sitesByRegion));
    }

    /**
     * Reads section {@code dns} of a master's settings; mistakes are noted there.
     *
     * @param name the zone's, in any letters and with or without the final dot
     */
    public static OwnZone read(Section section, String name) {
        String small = name.toLowerCase(Locale.ROOT);
        String zone = small.endsWith(".") ? small : small + ".";
        List<Endpoint> servers = section.endpoints("authoritative-servers", 1, 32);
        Section own = section.section("server");
        DnsServerSettings server = DnsServerSettings.read(own);
        own.check(
                server.zones().keySet().equals(Set.of(zone)),
                "zones",
                server.zones().keySet(),
                "must name " + zone + ", the zone of section dns, and no other");
        TreeMap<String, List<String>> nameServers = new TreeMap<>();
        section.stringMap("name-servers").forEach((host, addresses) -> {
            List<String> each = List.of(addresses.strip().split("[ ,]+", -1));
            section.check(
                    each.stream().allMatch(address -> LITERAL.matcher(address).matches()),
                    "name-servers",
                    host + ": " + addresses,
                    "must be an address of that server, or several with commas between them");
            nameServers.put(host, each);
        });
        section.check(
                !nameServers.isEmpty(),
                "name-servers",
                "none",
                "must name the servers of the zone, such as {ns1: 10.0.1.11, ns2: 10.0.2.11}");
        TreeMap<String, List<String>> sites = new TreeMap<>();
        Section bySite = section.section("region-sites");
        for (String region : server.regions()) {
            sites.put(region, bySite.strings(region, 1, 32, Section.NAME, "the name of a site"));
        }
        if (nameServers.isEmpty()) {
            nameServers.put("ns", List.of("127.0.0.1"));
        }
        return new OwnZone(zone, servers, server, nameServers, sites);
    }

    @Override
    public DnsProvider open() {
        return new ServedByMasters(zone, servers);
    }
}
