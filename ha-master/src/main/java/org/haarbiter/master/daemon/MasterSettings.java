package org.haarbiter.master.daemon;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.powerdns.PowerDnsApiSettings;
import org.haarbiter.dns.rfc2136.Rfc2136Settings;
import org.haarbiter.dns.zonefile.ZoneFileSettings;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.master.admin.Access;
import org.haarbiter.master.admin.Role;
import org.haarbiter.master.admin.TokenFile;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.master.names.OwnZone;
import org.haarbiter.master.sentinel.SentinelSettings;
import org.haarbiter.settings.Credentials;
import org.haarbiter.settings.OwnerOnlyFile;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.settings.Timing;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * Everything a master is told, from one file.
 *
 * @param clusterId the arbiter's identity: masters and data of another are refused
 * @param name this master's name among {@code masters}
 * @param masters every voting member by name, this one among them
 * @param join this master starts with an empty log and waits to be added to a running quorum
 * @param dataDirectory of the Raft log and its snapshots
 * @param auditFile the switch log as JSON lines
 * @param timing how fast
 * @param policies of groups that are adopted
 * @param noAcknowledgerMillis how long commits may wait for acknowledgements that nobody gives before something is done
 * @param whenArbiterLost what primaries do without masters
 * @param drainMillis how long a planned switch may keep a primary drained
 * @param adoptMillis how long an unambiguous topology must have stood before it is adopted
 * @param storms what is minded when many groups lose their primaries at once
 * @param blocking how long a group that failed over by itself waits before it does so again
 * @param snapshotEveryEntries how many entries make a snapshot due
 * @param names what the DNS is to say; null where the arbiter has no DNS to keep
 * @param sentinelCredentials what clients of Redis Sentinel must know; null for nothing
 * @param tls for agents, Raft and the admin port; null for plain connections, on loopback or a network of one's own only
 * @param adminTls whether the admin port speaks TLS, too; only with {@code tls}
 * @param access who may do what at the admin port; null where that isn't settled
 */
public record MasterSettings(
        String clusterId,
        String name,
        SortedMap<String, Addresses> masters,
        boolean join,
        Path dataDirectory,
        Path auditFile,
        Timing timing,
        Policies policies,
        int noAcknowledgerMillis,
        WhenArbiterLost whenArbiterLost,
        int drainMillis,
        int adoptMillis,
        Storms storms,
        Blocking blocking,
        int snapshotEveryEntries,
        @Nullable Names names,
        @Nullable Credentials sentinelCredentials,
        @Nullable TlsSettings tls,
        boolean adminTls,
        @Nullable AccessSettings access) {

    /** Without other orders nobody who reads is sent to a replica that is further behind, in ms. */
    static final int USUAL_READ_MAX_LAG_MILLIS = 10_000;

    private static final Pattern LABEL_WITH_GROUP = Pattern.compile("[A-Za-z0-9_.-]*\\{group\\}[A-Za-z0-9_.-]*");

    /** Copies the masters. */
    public MasterSettings {
        masters = Collections.unmodifiableSortedMap(new TreeMap<>(masters));
    }

    /**
     * Where one master is reached.
     *
     * @param raft by the other masters
     * @param agents by agents
     * @param admin by {@code hactl} and Prometheus
     * @param site where it stands; empty where that isn't told
     * @param sentinel by clients of Redis Sentinel; null where it doesn't answer any
     */
    public record Addresses(
            Endpoint raft,
            Endpoint agents,
            Endpoint admin,
            String site,
            @Nullable Endpoint sentinel) {}

    /**
     * Who may do what at the admin port.
     *
     * @param certificates by a name in the certificate, or {@code OU=UNIT}
     * @param tokensFile tokens of people and programs; null for none
     * @param openMetrics whether metrics are for everybody
     */
    public record AccessSettings(
            SortedMap<String, Role> certificates, @Nullable Path tokensFile, boolean openMetrics) {}

    /**
     * The names of the groups.
     *
     * @param writeName template of the name that holds the primary's address; {@code {group}} stands for the group
     * @param readName template of the name that holds the healthy replicas' addresses
     * @param ttlSeconds of both
     * @param readMaxLagMillis a replica further behind isn't in the read name
     * @param limitMillis the longest an update or a read-back may take
     * @param verifyMillis how often served names are read back again
     * @param provider where the zone is, and how it is written
     */
    public record Names(
            String writeName,
            String readName,
            int ttlSeconds,
            int readMaxLagMillis,
            int limitMillis,
            int verifyMillis,
            DnsSettings provider) {

        /** The zone that the masters answer for themselves; null where somebody else keeps it. */
        public @Nullable OwnZone own() {
            return provider instanceof OwnZone own ? own : null;
        }
    }

    /** By region of the zone's clients, its sites, the nearest first; empty where all are told the same. */
    SortedMap<String, List<String>> sitesByRegion() {
        OwnZone zone = names == null ? null : names.own();
        return zone == null ? new TreeMap<>() : zone.sitesByRegion();
    }

    /** This master's own addresses. */
    public Addresses own() {
        Addresses own = masters.get(name);
        if (own == null) {
            throw new IllegalStateException("master " + name + " isn't among " + masters.keySet());
        }
        return own;
    }

    /** The name of the master with this Raft address; the address where the settings don't name it. */
    String nameOf(Endpoint raft) {
        for (Map.Entry<String, Addresses> master : masters.entrySet()) {
            if (master.getValue().raft().equals(raft)) {
                return master.getKey();
            }
        }
        return raft.toString();
    }

    /** The quorum as the decision thread knows it. */
    Masters quorum() {
        TreeMap<String, String> sites = new TreeMap<>();
        masters.forEach((master, addresses) -> sites.put(master, addresses.site()));
        return new Masters(name, sites);
    }

    /**
     * Reads the file.
     *
     * @throws SettingsException with every mistake
     */
    public static MasterSettings read(Path file) {
        return SettingsReader.file(file).read(MasterSettings::from);
    }

    private static MasterSettings from(Section root) {
        String name = root.name("name");
        TreeMap<String, Addresses> masters = new TreeMap<>();
        List<Endpoint> seen = new ArrayList<>();
        for (Map.Entry<String, Section> master : root.sectionMap("masters").entrySet()) {
            Section section = master.getValue();
            Addresses addresses = new Addresses(
                    section.endpoint("raft"),
                    section.endpoint("agents"),
                    section.endpoint("admin"),
                    section.name("site", ""),
                    section.has("sentinel") ? section.endpoint("sentinel") : null);
            List<Endpoint> all = new ArrayList<>(List.of(addresses.raft(), addresses.agents(), addresses.admin()));
            if (addresses.sentinel() != null) {
                all.add(addresses.sentinel());
            }
            for (Endpoint endpoint : all) {
                section.check(!seen.contains(endpoint), "raft", endpoint, "every address may stand once in masters");
                seen.add(endpoint);
            }
            masters.put(master.getKey(), addresses);
        }
        root.check(
                !masters.isEmpty(), "masters", "none", "must name every master with raft, agents and admin addresses");
        root.check(
                masters.containsKey(name),
                "name",
                name,
                "must be one of masters: " + String.join(", ", masters.keySet()));
        root.check(
                masters.size() % 2 == 1 || root.flag("join", false),
                "masters",
                masters.size() + " masters",
                "must be 1, 3 or 5: an even number bears no more failures than one less");
        Timing timing = Timing.read(root.section("timing"));
        Section names = root.section("dns");
        Section tls = root.section("tls");
        boolean encrypted = tls.given() && tls.flag("admin", true);
        return new MasterSettings(
                root.name("cluster-id"),
                name,
                masters,
                root.flag("join", false),
                root.path("data-directory"),
                root.path("audit-file"),
                timing,
                policies(root, timing),
                root.intAt("no-acknowledger-millis", 10_000, timing.silenceMillis(), 86_400_000),
                root.oneOf("when-arbiter-lost", WhenArbiterLost.HOLD),
                root.intAt("drain-millis", 5_000, 100, 600_000),
                root.intAt("adopt-millis", 2 * timing.silenceMillis(), 100, 600_000),
                storms(root.section("mass-failure"), timing),
                blocking(root.section("repeated-failover")),
                root.intAt("snapshot-every-entries", 1_000, 10, 1_000_000),
                names.given() ? names(names) : null,
                sentinelCredentials(root),
                TlsSettings.ofArbiter(tls),
                encrypted,
                access(root.section("access"), encrypted, masters.get(name)));
    }

    private static @Nullable AccessSettings access(Section section, boolean encrypted, @Nullable Addresses own) {
        if (!section.given()) {
            return null;
        }
        Map<String, String> words = section.has("certificates") ? section.stringMap("certificates") : Map.of();
        String problem = Access.problem(words);
        section.check(problem == null, "certificates", words.keySet(), String.valueOf(problem));
        TreeMap<String, Role> certificates = new TreeMap<>();
        words.forEach((certificate, word) -> {
            Role role = Access.role(word);
            if (role != null) {
                certificates.put(certificate, role);
            }
        });
        Path tokens = section.has("tokens-file") ? section.path("tokens-file") : null;
        section.check(
                encrypted || certificates.isEmpty(),
                "certificates",
                words.keySet(),
                "must be left out where the admin port has no TLS (section 'tls'): no certificate is shown there");
        section.check(
                encrypted || tokens == null || own == null || own.admin().onLoopback(),
                "tokens-file",
                String.valueOf(tokens),
                "must be left out where the admin port has no TLS (section 'tls') and isn't on loopback: a token would"
                        + " be read by whoever listens");
        section.check(
                tokens != null || !certificates.isEmpty(),
                "certificates",
                "none",
                "must name somebody, or tokens-file must: otherwise nobody may do anything");
        if (tokens != null) {
            try {
                var unused = new TokenFile(tokens, Ticker.SYSTEM);
            } catch (SettingsException e) {
                section.check(false, "tokens-file", tokens, "must have lines of NAME ROLE SHA256: " + e.getMessage());
            }
        }
        return new AccessSettings(certificates, tokens, section.flag("open-metrics", false));
    }

    private static @Nullable Credentials sentinelCredentials(Section root) {
        if (!root.has("sentinel-credentials-file")) {
            return null;
        }
        Path file = root.path("sentinel-credentials-file");
        try {
            return Credentials.read(file);
        } catch (SettingsException e) {
            root.check(false, "sentinel-credentials-file", file, "must hold 'user' and 'password': " + e.getMessage());
            return null;
        }
    }

    /** Where masters answer clients of Redis Sentinel; null where this one doesn't. */
    @Nullable
    SentinelSettings sentinel() {
        TreeMap<String, Endpoint> answering = new TreeMap<>();
        masters.forEach((master, addresses) -> {
            if (addresses.sentinel() != null) {
                answering.put(master, addresses.sentinel());
            }
        });
        return answering.containsKey(name)
                ? new SentinelSettings(clusterId, name, answering, sentinelCredentials)
                : null;
    }

    private static Storms storms(Section section, Timing timing) {
        Storms usual = Storms.usual(timing.silenceMillis());
        return new Storms(
                section.intAt("doubt-groups", usual.doubtGroups(), 1, 1_000_000),
                section.intAt("doubt-percent", usual.doubtPercent(), 1, 100),
                section.intAt("doubt-millis", usual.doubtMillis(), timing.silenceMillis(), 3_600_000),
                section.intAt("switches-at-once", usual.atOnce(), 1, 1_000_000),
                section.intAt("switches-at-once-per-site", usual.atOncePerSite(), 1, 1_000_000));
    }

    private static Blocking blocking(Section section) {
        int first = section.intAt("block-millis", Blocking.USUAL.firstMillis(), 0, 86_400_000);
        int most = section.intAt("block-most-millis", Math.max(first, Blocking.USUAL.mostMillis()), 0, 604_800_000);
        section.check(most >= first, "block-most-millis", most, "must be at least block-millis, " + first);
        return new Blocking(
                first, most, section.intAt("forget-millis", Blocking.USUAL.forgetMillis(), 1_000, 604_800_000));
    }

    private static Policies policies(Section root, Timing timing) {
        Policy usual = policy(root, timing, Policy.LOSSLESS);
        Section redis = root.section("redis");
        long least = Limits.leastLagMillis(
                timing.leaseMillis(), timing.driftPerMille(), timing.silenceMillis(), timing.gatherMillis());
        Policy standIn = Policies.ASYNCHRONOUS.withMaxLagMillis(Math.max(least, Policies.ASYNCHRONOUS.maxLagMillis()));
        Policy asynchronous = policy(redis, timing, standIn);
        String problem = Policies.problem(PositionKind.REPLICATION_OFFSET, asynchronous.durability());
        redis.check(
                problem == null,
                "durability",
                asynchronous.durability().name().toLowerCase(Locale.ROOT),
                String.valueOf(problem));
        return new Policies(
                usual,
                problem == null ? asynchronous : standIn,
                policy(root.section("elasticsearch"), timing, Policy.LOSSLESS));
    }

    private static Policy policy(Section root, Timing timing, Policy usual) {
        Durability durability = root.oneOf("durability", usual.durability());
        int millis = root.intAt(
                "max-lag-millis", durability == usual.durability() ? (int) usual.maxLagMillis() : 0, 0, 86_400_000);
        int transactions = root.intAt("max-lag-transactions", 0, 0, Integer.MAX_VALUE);
        OnNoAcknowledger onNoAcknowledger = root.oneOf("on-no-acknowledger", usual.onNoAcknowledger());
        String problem = Policy.problem(durability, millis, transactions, Policy.USUAL_PRIORITY);
        long least = Limits.leastLagMillis(
                timing.leaseMillis(), timing.driftPerMille(), timing.silenceMillis(), timing.gatherMillis());
        root.check(
                durability != Durability.BOUNDED || millis == 0 || millis >= least,
                "max-lag-millis",
                millis,
                "must be at least " + least + ", a lease, a silence and the gathering of replicas, or 0 for any");
        root.check(problem == null, "durability", durability.name().toLowerCase(Locale.ROOT), String.valueOf(problem));
        return problem == null
                ? new Policy(durability, millis, transactions, onNoAcknowledger, Policy.USUAL_PRIORITY)
                : usual;
    }

    private static Names names(Section section) {
        return new Names(
                section.string("write-name", "{group}-rw", LABEL_WITH_GROUP, "a name with {group} in it"),
                section.string("read-name", "{group}-ro", LABEL_WITH_GROUP, "a name with {group} in it"),
                // Not 0: resolvers that serve expired answers have been seen to keep such a name for ever.
                section.intAt("ttl-seconds", 1, 0, 86_400),
                section.intAt("read-max-lag-millis", USUAL_READ_MAX_LAG_MILLIS, 100, 86_400_000),
                section.intAt("limit-millis", 1_000, 50, 60_000),
                section.intAt("verify-millis", 30_000, 100, 3_600_000),
                provider(section));
    }

    /** How the zone is written. */
    private enum Provider {
        RFC2136,
        POWERDNS_API,
        ZONE_FILE,
        EMBEDDED
    }

    private static DnsSettings provider(Section section) {
        String zone = section.string("zone");
        return switch (section.oneOf("provider", Provider.RFC2136)) {
            case RFC2136 -> rfc2136(section, zone);
            case POWERDNS_API -> powerDnsApi(section, zone);
            case ZONE_FILE -> zoneFile(section, zone);
            case EMBEDDED -> OwnZone.read(section, zone);
        };
    }

    private static DnsSettings rfc2136(Section section, String zone) {
        Endpoint server = numeric(section, "update-server", section.endpoint("update-server"));
        List<Endpoint> authoritative = section.endpoints("authoritative-servers", 1, 32);
        String algorithm = section.string("algorithm", Rfc2136Settings.DEFAULT_ALGORITHM);
        Path keyFile = section.path("key-file");
        String keyName = "unread";
        String secret = "AA==";
        try {
            Credentials key = Credentials.read(keyFile);
            keyName = key.user();
            secret = key.password();
        } catch (SettingsException e) {
            section.check(
                    false, "key-file", keyFile, "must hold 'user: KEY-NAME' and 'password: SECRET': " + e.getMessage());
        }
        try {
            return new Rfc2136Settings(
                    zone,
                    server,
                    authoritative.isEmpty() ? List.of(server) : authoritative,
                    keyName,
                    algorithm,
                    secret,
                    1);
        } catch (IllegalArgumentException e) {
            section.check(false, "zone", zone, String.valueOf(e.getMessage()));
            return nothing();
        }
    }

    private static DnsSettings powerDnsApi(Section section, String zone) {
        Endpoint server = numeric(section, "api-server", section.endpoint("api-server"));
        List<Endpoint> authoritative = section.endpoints("authoritative-servers", 1, 32);
        String serverId = section.string("api-server-id", PowerDnsApiSettings.DEFAULT_SERVER_ID);
        Path keyFile = section.path("api-key-file");
        Path ca = section.has("ca-file") ? section.path("ca-file") : null;
        String key = "unread";
        try {
            key = OwnerOnlyFile.read(keyFile).strip();
        } catch (SettingsException e) {
            section.check(false, "api-key-file", keyFile, "must hold PowerDNS' api-key: " + e.getMessage());
        }
        try {
            if (ca != null) {
                Tls.trusting(ca);
            }
        } catch (SettingsException e) {
            section.check(false, "ca-file", String.valueOf(ca), "must hold certificates: " + e.getMessage());
        }
        try {
            return new PowerDnsApiSettings(
                    zone, server, serverId, ca, key, authoritative.isEmpty() ? List.of(server) : authoritative);
        } catch (IllegalArgumentException e) {
            section.check(false, "zone", zone, String.valueOf(e.getMessage()));
            return nothing();
        }
    }

    private static DnsSettings zoneFile(Section section, String zone) {
        Path file = section.path("file");
        ZoneFileSettings.Format format = section.oneOf("format", ZoneFileSettings.Format.class);
        String soa = section.has("soa") ? section.string("soa") : null;
        // Without a shell and its quoting: whoever needs more names a script.
        String command = section.string("reload-command", "").strip();
        List<String> reload = command.isEmpty() ? List.of() : List.of(command.split("\\s+", -1));
        int limitMillis = section.intAt("reload-limit-millis", 2_000, 10, 60_000);
        List<Endpoint> authoritative = section.endpoints("authoritative-servers", 0, 32);
        try {
            return new ZoneFileSettings(zone, file, format, soa, reload, limitMillis, authoritative);
        } catch (IllegalArgumentException e) {
            section.check(false, "zone", zone, String.valueOf(e.getMessage()));
            return nothing();
        }
    }

    /** In the stead of settings with a mistake, which is reported: never opened. */
    private static DnsSettings nothing() {
        return new DnsSettings() {
            @Override
            public String zone() {
                return "invalid.";
            }

            @Override
            public DnsProvider open() {
                throw new IllegalStateException("these settings have mistakes");
            }
        };
    }

    private static Endpoint numeric(Section section, String key, Endpoint endpoint) {
        boolean literal = endpoint.host().matches("[0-9.]+") || endpoint.host().indexOf(':') >= 0;
        section.check(literal, key, endpoint, "must be an address, not a host name");
        return literal ? endpoint : new Endpoint("127.0.0.1", endpoint.port());
    }
}
