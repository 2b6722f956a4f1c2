package org.haarbiter.dns.server;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.haarbiter.settings.Credentials;
import org.haarbiter.settings.OwnerOnlyFile;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;

/**
 * What the authoritative server is told.
 *
 * @param listen where it answers, UDP and TCP; addresses of this machine, none of them "any": a machine with several
 *     addresses would answer from another one than was asked
 * @param threads that answer queries, 1 to 64
 * @param serverId what it says of itself where a client asks (NSID, {@code id.server}); empty for nothing
 * @param zones that are its to answer for, by name in small letters with a final dot
 * @param keys by name
 * @param rateLimit how many responses go out by UDP
 * @param maxConnections by TCP, 1 to 100,000
 * @param maxConnectionsPerClient by TCP from one address, 1 to {@code maxConnections}
 * @param idleMillis after which a TCP connection without a query is closed, 100 to 600,000
 * @param cookieSecret 16 bytes as 32 hexadecimal digits, the same for all servers of one address; empty for one by chance
 * @param regions those that answers may differ by
 * @param regionsFile lines of {@code NETWORK REGION}; null where no answers differ by region
 * @param clientSubnetFrom resolvers that are believed when they tell their client's network
 */
public record DnsServerSettings(
        List<Endpoint> listen,
        int threads,
        String serverId,
        SortedMap<String, Zone> zones,
        SortedMap<String, SigningKey> keys,
        RateLimit rateLimit,
        int maxConnections,
        int maxConnectionsPerClient,
        int idleMillis,
        String cookieSecret,
        List<String> regions,
        @Nullable Path regionsFile,
        List<Network> clientSubnetFrom) {

    private static final int MAX_REGIONS = 64;
    private static final int MAX_SERVER_ID_BYTES = 64;
    private static final Pattern SECRET = Pattern.compile("[0-9A-Fa-f]{32}");
    private static final Pattern NETWORK = Pattern.compile("[0-9A-Fa-f:.]+(/[0-9]{1,3})?");
    private static final String NETWORK_EXPECTED = "a network, such as 10.1.0.0/16 or fd00:1::/32";

    /** Everybody. */
    public static final List<Network> EVERYBODY = List.of(Network.parse("0.0.0.0/0"), Network.parse("::/0"));

    /**
     * One zone.
     *
     * @param transferKeys whoever signs with one of these may copy the zone
     * @param transferNetworks whoever asks from there may copy it without a signature
     * @param secondaries told of each change
     */
    public record Zone(List<String> transferKeys, List<Network> transferNetworks, List<Secondary> secondaries) {
        /** Copies the lists. */
        public Zone {
            transferKeys = transferKeys.stream().map(ZoneContents::origin).toList();
            transferNetworks = List.copyOf(transferNetworks);
            secondaries = List.copyOf(secondaries);
        }

        /** One that nobody may copy. */
        public static Zone closed() {
            return new Zone(List.of(), List.of(), List.of());
        }
    }

    /**
     * A server that holds a copy.
     *
     * @param address where it takes notifications, a literal
     * @param key that signs them; empty for none
     */
    public record Secondary(Endpoint address, String key) {
        /** Completes the key's name. */
        public Secondary {
            key = key.isEmpty() ? "" : ZoneContents.origin(key);
        }
    }

    /**
     * The limit of responses by UDP.
     *
     * @param responsesPerSecond for one /24 of IPv4 or /56 of IPv6, 1 to 1,000,000; 0 for no limit
     * @param slip each how many-th response beyond is sent empty and truncated, so that a client whose address isn't forged
     *     comes by TCP; 0 to 100, 0 for none
     * @param exempt networks without a limit
     */
    public record RateLimit(int responsesPerSecond, int slip, List<Network> exempt) {
        /** What holds where nothing is told: more than a network of resolvers asks, less than an attack is worth. */
        public static final RateLimit USUAL = new RateLimit(5_000, 2, List.of());

        /** Copies the list. */
        public RateLimit {
            exempt = List.copyOf(exempt);
        }
    }

    /**
     * Checks all parts.
     *
     * @throws IllegalArgumentException with one line for each mistake; secrets are never in it
     */
    public DnsServerSettings {
        listen = List.copyOf(listen);
        zones = copy(zones);
        keys = copy(keys);
        regions = List.copyOf(regions);
        clientSubnetFrom = List.copyOf(clientSubnetFrom);
        List<String> mistakes = new ArrayList<>();
        checkListen(listen, mistakes);
        range("threads", threads, 1, 64, mistakes);
        range("max-connections", maxConnections, 1, 100_000, mistakes);
        range("max-connections-per-client", maxConnectionsPerClient, 1, Math.max(1, maxConnections), mistakes);
        range("idle-millis", idleMillis, 100, 600_000, mistakes);
        range("rate-limit responses-per-second", rateLimit.responsesPerSecond(), 0, 1_000_000, mistakes);
        range("rate-limit slip", rateLimit.slip(), 0, 100, mistakes);
        if (serverId.getBytes(StandardCharsets.UTF_8).length > MAX_SERVER_ID_BYTES) {
            mistakes.add("server-id: '" + serverId + "' (must have at most " + MAX_SERVER_ID_BYTES + " bytes)");
        }
        if (!cookieSecret.isEmpty() && !SECRET.matcher(cookieSecret).matches()) {
            mistakes.add("cookie secret: " + cookieSecret.length()
                    + " characters (must be 32 hexadecimal digits; make them with: openssl rand -hex 16)");
        }
        checkZones(zones, keys, mistakes);
        checkRegions(regions, regionsFile, mistakes);
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    private static <V> SortedMap<String, V> copy(Map<String, V> map) {
        TreeMap<String, V> copy = new TreeMap<>();
        map.forEach((name, value) -> copy.put(ZoneContents.origin(name), value));
        return Collections.unmodifiableSortedMap(copy);
    }

    private static void checkListen(List<Endpoint> listen, List<String> mistakes) {
        if (listen.isEmpty() || listen.size() > 16) {
            mistakes.add("listen: " + listen.size() + " addresses (must be 1 to 16)");
        }
        for (Endpoint endpoint : listen) {
            byte[] four = Address.toByteArray(endpoint.host(), Address.IPv4);
            byte[] address = four == null ? Address.toByteArray(endpoint.host(), Address.IPv6) : four;
            boolean any = true;
            for (byte octet : address == null ? new byte[] {1} : address) {
                any &= octet == 0;
            }
            if (address == null || any) {
                mistakes.add("listen: " + endpoint
                        + " (must be an address of this machine, IPv4 or IPv6; where it has several, list each that"
                        + " clients ask: answers must come from the address that was asked)");
            }
        }
    }

    private static void checkZones(
            SortedMap<String, Zone> zones, SortedMap<String, SigningKey> keys, List<String> mistakes) {
        if (zones.isEmpty() || zones.size() > 64) {
            mistakes.add("zones: " + zones.size() + " (must be 1 to 64)");
        }
        zones.forEach((name, zone) -> {
            String problem = name.equals(".") ? "'.' (must be a domain name)" : WireName.problem(name, false);
            if (problem != null) {
                mistakes.add("zones: " + problem);
            }
            for (String key : zone.transferKeys()) {
                checkKey("zones " + name + " transfer-keys", key, keys, mistakes);
            }
            List<Endpoint> seen = new ArrayList<>();
            for (Secondary secondary : zone.secondaries()) {
                String what = "zones " + name + " secondaries " + secondary.address();
                String host = secondary.address().host();
                if (Address.toByteArray(host, Address.IPv4) == null
                        && Address.toByteArray(host, Address.IPv6) == null) {
                    mistakes.add(what + ": (must be an IPv4 or IPv6 address)");
                }
                if (seen.contains(secondary.address())) {
                    mistakes.add(what + ": (is listed twice; must be listed once)");
                }
                seen.add(secondary.address());
                if (!secondary.key().isEmpty()) {
                    checkKey(what + " key", secondary.key(), keys, mistakes);
                }
            }
        });
    }

    private static void checkKey(String what, String key, SortedMap<String, SigningKey> keys, List<String> mistakes) {
        if (!keys.containsKey(key)) {
            mistakes.add(what + ": " + key + " (must be one of keys: "
                    + (keys.isEmpty() ? "there are none" : String.join(", ", keys.keySet())) + ")");
        }
    }

    private static void checkRegions(List<String> regions, @Nullable Path file, List<String> mistakes) {
        if (regions.size() > MAX_REGIONS || regions.stream().distinct().count() < regions.size()) {
            mistakes.add("regions: " + regions + " (must be at most " + MAX_REGIONS + ", each once)");
        }
        for (String region : regions) {
            if (!Section.NAME.matcher(region).matches()) {
                mistakes.add("regions: '" + region + "' (must be letters, digits, '.', '_' or '-')");
            }
        }
        if (regions.isEmpty() == (file != null)) {
            mistakes.add(
                    file == null
                            ? "regions-file: missing (must say which networks are in which of " + regions + ")"
                            : "regions: none (must list those that stand in " + file + ")");
        }
    }

    private static void range(String what, int value, int min, int max, List<String> mistakes) {
        if (value < min || value > max) {
            mistakes.add(what + ": " + value + " (must be " + min + " to " + max + ")");
        }
    }

    /** For servers of these zones that keep to the usual limits and may not be copied. */
    public static DnsServerSettings usual(Endpoint listen, List<String> zones) {
        TreeMap<String, Zone> closed = new TreeMap<>();
        zones.forEach(zone -> closed.put(zone, Zone.closed()));
        return new DnsServerSettings(
                List.of(listen),
                1,
                "",
                closed,
                new TreeMap<>(),
                RateLimit.USUAL,
                1_000,
                100,
                10_000,
                "",
                List.of(),
                null,
                EVERYBODY);
    }

    /**
     * Reads a section of a settings file; mistakes are noted there, and some legal settings are given in their stead.
     */
    public static DnsServerSettings read(Section section) {
        Map<String, SigningKey> keys = keys(section);
        SortedMap<String, Zone> zones = new TreeMap<>();
        for (Map.Entry<String, Section> zone : section.sectionMap("zones").entrySet()) {
            zones.put(ZoneContents.origin(zone.getKey()), zone(zone.getValue()));
        }
        Section rate = section.section("rate-limit");
        List<Endpoint> listen = section.endpoints("listen", 1, 16);
        boolean regional = section.has("regions-file");
        int maxConnections = section.intAt("max-connections", 1_000, 1, 100_000);
        try {
            return new DnsServerSettings(
                    listen,
                    section.intAt("threads", 1, 1, 64),
                    section.string("server-id", ""),
                    zones,
                    new TreeMap<>(keys),
                    new RateLimit(
                            rate.intAt("responses-per-second", RateLimit.USUAL.responsesPerSecond(), 0, 1_000_000),
                            rate.intAt("slip", RateLimit.USUAL.slip(), 0, 100),
                            networks(rate, "exempt", List.of())),
                    maxConnections,
                    section.intAt("max-connections-per-client", Math.min(100, maxConnections), 1, maxConnections),
                    section.intAt("idle-millis", 10_000, 100, 600_000),
                    cookieSecret(section),
                    section.strings("regions", 0, MAX_REGIONS, Section.NAME, "a region's name"),
                    regional ? section.path("regions-file") : null,
                    networks(section, "client-subnet-from", EVERYBODY));
        } catch (IllegalArgumentException e) {
            for (String problem : String.valueOf(e.getMessage()).split("\n", -1)) {
                int colon = problem.indexOf(": ");
                String text = problem.substring(colon + 1).strip();
                int expected = text.lastIndexOf(" (");
                section.check(
                        false,
                        problem.substring(0, Math.max(0, colon)),
                        text.substring(0, Math.max(0, expected)),
                        text.substring(expected + 1).replaceAll("^\\(|\\)$", ""));
            }
            return usual(new Endpoint("127.0.0.1", 53), List.of("invalid."));
        }
    }

    private static Map<String, SigningKey> keys(Section section) {
        Map<String, SigningKey> keys = new LinkedHashMap<>();
        for (Section key : section.sections("keys")) {
            Path file = key.path("key-file");
            String algorithm = key.string("algorithm", SigningKey.DEFAULT_ALGORITHM);
            try {
                Credentials credentials = Credentials.read(file);
                SigningKey read = new SigningKey(credentials.user(), algorithm, credentials.password());
                key.check(keys.put(read.name(), read) == null, "key-file", file, "must hold a key of another name");
            } catch (SettingsException e) {
                key.check(
                        false,
                        "key-file",
                        file,
                        "must hold 'user: KEY-NAME' and 'password: SECRET': " + e.getMessage());
            } catch (IllegalArgumentException e) {
                key.check(false, "key-file", file, String.valueOf(e.getMessage()));
            }
        }
        return keys;
    }

    private static Zone zone(Section section) {
        List<Secondary> secondaries = new ArrayList<>();
        for (Section secondary : section.sections("secondaries")) {
            secondaries.add(new Secondary(secondary.endpoint("address"), secondary.string("key", "")));
        }
        return new Zone(
                section.strings("transfer-keys", 0, 64, Section.NAME, "the name of one of keys"),
                networks(section, "transfer-networks", List.of()),
                secondaries);
    }

    private static List<Network> networks(Section section, String key, List<Network> fallback) {
        if (!section.has(key)) {
            return fallback;
        }
        List<Network> networks = new ArrayList<>();
        for (String text : section.strings(key, 0, 1_000, NETWORK, NETWORK_EXPECTED)) {
            try {
                networks.add(Network.parse(text));
            } catch (IllegalArgumentException e) {
                section.check(false, key, text, String.valueOf(e.getMessage()));
            }
        }
        return networks;
    }

    private static String cookieSecret(Section section) {
        if (!section.has("cookie-secret-file")) {
            return "";
        }
        Path file = section.path("cookie-secret-file");
        try {
            String secret = OwnerOnlyFile.read(file).strip();
            if (SECRET.matcher(secret).matches()) {
                return secret;
            }
            section.check(false, "cookie-secret-file", file, "must hold 32 hexadecimal digits and nothing else");
        } catch (SettingsException e) {
            section.check(false, "cookie-secret-file", file, String.valueOf(e.getMessage()));
        }
        return "";
    }

    /** 16 bytes; null where they are to be drawn. */
    byte @Nullable [] cookieBytes() {
        return cookieSecret.isEmpty() ? null : HexFormat.of().parseHex(cookieSecret.toLowerCase(Locale.ROOT));
    }

    /** Without the secrets. */
    @Override
    public String toString() {
        return "zones " + zones.keySet() + " at " + listen + ", keys " + keys.values() + ", " + rateLimit + ", regions "
                + regions;
    }
}
