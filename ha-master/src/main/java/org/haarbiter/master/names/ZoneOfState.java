package org.haarbiter.master.names;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.server.RecordData;
import org.haarbiter.dns.server.RecordSet;
import org.haarbiter.dns.server.RecordType;
import org.haarbiter.dns.server.StartOfAuthority;
import org.haarbiter.dns.server.ZoneContents;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointShares;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.RecordsByHand;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the masters' own DNS servers say, which follows from the log alone: the names of all groups, their epochs, and what people have put
 * beside them. The serial number is the index of the entry by which it changed last. Confined to one thread; cheap where few groups changed.
 */
public final class ZoneOfState {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneOfState.class);

    /** Secondaries that miss a notification ask after so many seconds. */
    private static final int REFRESH_SECONDS = 60;

    private static final int RETRY_SECONDS = 10;

    /** Without any master for so long a secondary stops to answer; names of databases are better old than gone. */
    private static final int EXPIRE_SECONDS = 7 * 86_400;

    /** How long resolvers may remember that a name doesn't exist. */
    private static final int MINIMUM_SECONDS = 1;

    private static final int APEX_TTL_SECONDS = 3_600;
    private static final int EPOCH_TTL_SECONDS = 1;

    private final WantedNamesOfGroup wanted;
    private final SortedMap<String, List<String>> sitesByRegion;
    private final ZoneContents empty;
    private ZoneContents contents;
    private ClusterState before = ClusterState.empty();

    /** By group, of databases or of endpoints, the names that it put into the zone. */
    private final TreeMap<String, SortedSet<String>> namesOf = new TreeMap<>();

    /** By group, why its names can't stand in a zone. */
    private final TreeMap<String, String> problems = new TreeMap<>();

    private SortedSet<String> byHand = new TreeSet<>();

    /**
     * Of an empty state.
     *
     * @param zone such as {@code db.example}
     * @param nameServers the names of the zone's servers with their addresses, by name; the first one stands in the SOA record. Relative names
     *     get address records
     * @param sitesByRegion for the clients of a region, sites in the order in which replicas there are preferred for reading
     */
    public ZoneOfState(
            String zone,
            SortedMap<String, List<String>> nameServers,
            WantedNamesOfGroup wanted,
            SortedMap<String, List<String>> sitesByRegion) {
        this.wanted = wanted;
        this.sitesByRegion = Collections.unmodifiableSortedMap(new TreeMap<>(sitesByRegion));
        ZoneContents.Builder builder = ZoneContents.of(
                zone,
                0,
                new StartOfAuthority(
                        nameServers.firstKey(),
                        "hostmaster",
                        REFRESH_SECONDS,
                        RETRY_SECONDS,
                        EXPIRE_SECONDS,
                        MINIMUM_SECONDS,
                        APEX_TTL_SECONDS),
                List.copyOf(nameServers.keySet()));
        nameServers.forEach((name, addresses) -> {
            if (!name.endsWith(".")) {
                builder.put(name, addressSets(addresses, APEX_TTL_SECONDS, new TreeMap<>()));
            }
        });
        this.empty = builder.build();
        this.contents = empty;
    }

    /** The zone as this state wants it. */
    public ZoneContents of(ClusterState state) {
        long serial = state.namesIndex() & ZoneContents.MAX_SERIAL;
        ZoneContents.Builder next = contents.next(serial);
        for (Group group : state.groups().values()) {
            if (!group.equals(before.group(group.name()))) {
                put(group, next);
            }
        }
        putEndpoints(state, next);
        if (!state.records().equals(before.records())) {
            putByHand(state, next);
        }
        before = state;
        contents = next.build();
        return contents;
    }

    private void putEndpoints(ClusterState state, ZoneContents.Builder next) {
        for (EndpointGroup group : state.endpoints().values()) {
            if (!group.equals(before.endpoints().get(group.name()))) {
                put(group.name(), setsOf(group), next);
            }
        }
        // The epoch stays until every server was seen without the name, so that a read-back finds it.
        state.formerEndpoints().forEach((name, index) -> {
            if (!index.equals(before.formerEndpoints().get(name))) {
                put(name, new TreeMap<>(Map.of(WantedNamesOfGroup.epochName(name), epoch(index))), next);
            }
        });
        for (String name : before.formerEndpoints().keySet()) {
            if (!state.formerEndpoints().containsKey(name) && !state.endpoints().containsKey(name)) {
                put(name, new TreeMap<>(), next);
                namesOf.remove(name);
            }
        }
    }

    private SortedMap<String, List<RecordSet>> setsOf(EndpointGroup group) {
        SortedMap<String, SortedMap<String, Integer>> shares =
                EndpointShares.of(group, sitesByRegion).perMille();
        List<RecordSet> addresses = new ArrayList<>();
        for (RecordType type : List.of(RecordType.A, RecordType.AAAA)) {
            TreeMap<String, Map<RecordData, Integer>> parts = new TreeMap<>();
            TreeMap<String, List<RecordData>> byRegion = new TreeMap<>();
            shares.forEach((region, of) -> {
                LinkedHashMap<RecordData, Integer> hosts = new LinkedHashMap<>();
                of.forEach((endpoint, perMille) -> {
                    CheckedEndpoint each = group.endpoints().get(endpoint);
                    if (each != null) {
                        hosts(type, List.of(each.address())).forEach(host -> hosts.put(host, perMille));
                    }
                });
                if (!hosts.isEmpty()) {
                    byRegion.put(region, List.copyOf(hosts.keySet()));
                    parts.put(region, hosts);
                }
            });
            List<RecordData> usual = byRegion.remove(RecordSet.USUAL);
            if (usual != null) {
                addresses.add(new RecordSet(type, group.ttlSeconds(), usual, byRegion, parts));
            }
        }
        return new TreeMap<>(
                Map.of(group.name(), addresses, WantedNamesOfGroup.epochName(group.name()), epoch(group.namesIndex())));
    }

    private static List<RecordSet> epoch(long epoch) {
        return List.of(
                new RecordSet(RecordType.TXT, EPOCH_TTL_SECONDS, List.of(new RecordData.Text(Long.toString(epoch)))));
    }

    /** By group, why its names can't stand in the zone; as of the last state. */
    public SortedMap<String, String> problems() {
        return Collections.unmodifiableSortedMap(new TreeMap<>(problems));
    }

    /** Why a person can't put these records into the zone; null where nothing speaks against them. */
    public @Nullable String problem(RecordsByHand records, ClusterState state) {
        if (!records.region().isEmpty()) {
            if (!sitesByRegion.containsKey(records.region())) {
                return "no region '" + records.region() + "' (known: " + String.join(", ", sitesByRegion.keySet())
                        + ")";
            }
            RecordsByHand usual = new RecordsByHand(records.name(), records.type(), "", 0, List.of());
            if (!state.records().containsKey(usual.key())) {
                return "there are no records " + usual.key() + " for the clients of other regions (set those first)";
            }
        }
        String group = groupOf(records.name());
        if (group != null) {
            return "the name '" + records.name() + "' is that of group '" + group + "' (another name)";
        }
        if (!empty.names().getOrDefault(records.name(), List.of()).isEmpty()) {
            return "the name '" + records.name() + "' is that of a server of the zone (another name)";
        }
        try {
            RecordType type = type(records.type());
            empty.next(1)
                    .put(records.name(), new RecordSet(type, records.ttlSeconds(), data(type, records.values())))
                    .build();
            return null;
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private void put(Group group, ZoneContents.Builder next) {
        WantedNames names = wanted.of(group).names();
        TreeMap<String, List<RecordSet>> sets = new TreeMap<>();
        String readName = wanted.readNameOf(group.name());
        for (WantedNames.AddressName name : names.names()) {
            SortedMap<String, List<String>> regional =
                    name.name().equals(readName) ? readersByRegion(group) : new TreeMap<>();
            if (!name.addresses().isEmpty()) {
                sets.put(name.name(), addressSets(name.addresses(), name.ttlSeconds(), regional));
            }
        }
        sets.put(names.epochName(), epoch(names.epoch()));
        put(group.name(), sets, next);
    }

    /** These are all records of the group from now on. */
    private void put(String group, SortedMap<String, List<RecordSet>> sets, ZoneContents.Builder next) {
        String problem = problem(sets);
        if (problem != null) {
            problems.put(group, "its names can't stand in the zone: " + problem);
            return;
        }
        problems.remove(group);
        for (String old : namesOf.getOrDefault(group, new TreeSet<>())) {
            if (!sets.containsKey(old)) {
                next.remove(old);
            }
        }
        sets.forEach(next::put);
        namesOf.put(group, new TreeSet<>(sets.keySet()));
    }

    /** One group's mistake mustn't keep the zone of all others as it is. */
    private @Nullable String problem(SortedMap<String, List<RecordSet>> sets) {
        ZoneContents.Builder trial = empty.next(1);
        sets.forEach(trial::put);
        try {
            trial.build();
            return null;
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** By region, the addresses of the readers in the first of its sites that has any; no entry where none of its sites has. */
    private SortedMap<String, List<String>> readersByRegion(Group group) {
        TreeMap<String, List<String>> byRegion = new TreeMap<>();
        sitesByRegion.forEach((region, sites) -> {
            for (String site : sites) {
                TreeSet<String> hosts = new TreeSet<>();
                for (String reader : group.readers()) {
                    if (group.member(reader).site().equals(site)) {
                        hosts.addAll(group.hostsOf(reader));
                    }
                }
                if (!hosts.isEmpty()) {
                    byRegion.put(region, List.copyOf(hosts));
                    return;
                }
            }
        });
        return byRegion;
    }

    /** A and AAAA records; of a region whose addresses are of one kind only, the other kind is that of everybody. */
    private static List<RecordSet> addressSets(
            List<String> addresses, int ttlSeconds, SortedMap<String, List<String>> byRegion) {
        List<RecordSet> sets = new ArrayList<>();
        for (RecordType type : List.of(RecordType.A, RecordType.AAAA)) {
            List<RecordData> usual = hosts(type, addresses);
            TreeMap<String, List<RecordData>> regional = new TreeMap<>();
            byRegion.forEach((region, own) -> {
                List<RecordData> hosts = hosts(type, own);
                if (!hosts.isEmpty()) {
                    regional.put(region, hosts);
                }
            });
            if (!usual.isEmpty()) {
                sets.add(new RecordSet(type, ttlSeconds, usual, regional));
            }
        }
        return sets;
    }

    private static List<RecordData> hosts(RecordType type, List<String> addresses) {
        List<RecordData> hosts = new ArrayList<>();
        for (String address : addresses) {
            RecordData.Host host = new RecordData.Host(address);
            if (host.type() == type) {
                hosts.add(host);
            }
        }
        return hosts;
    }

    private void putByHand(ClusterState state, ZoneContents.Builder next) {
        TreeMap<String, List<RecordsByHand>> byName = new TreeMap<>();
        for (RecordsByHand records : state.records().values()) {
            byName.computeIfAbsent(records.name(), n -> new ArrayList<>()).add(records);
        }
        for (String old : byHand) {
            if (!byName.containsKey(old) && groupOf(old) == null) {
                next.remove(old);
            }
        }
        byName.forEach((name, all) -> {
            if (groupOf(name) != null) {
                return; // a group that came later has it now
            }
            List<RecordSet> sets = List.of();
            String problem;
            try {
                sets = sets(all);
                problem = sets.isEmpty() ? null : problem(new TreeMap<>(Map.of(name, sets)));
            } catch (IllegalArgumentException e) {
                problem = e.getMessage();
            }
            if (problem != null) {
                // They were checked before they came into the log, maybe by another version.
                LOG.error("the records that were set by hand at {} can't stand in the zone: {}", name, problem);
            }
            if (problem != null || sets.isEmpty()) {
                next.remove(name);
            } else {
                next.put(name, sets);
            }
        });
        byHand = new TreeSet<>(byName.keySet());
    }

    private @Nullable String groupOf(String name) {
        return namesOf.entrySet().stream()
                .filter(group -> group.getValue().contains(name))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
    }

    /** Of one name. What only some regions had before the usual records were taken out waits until there are such again. */
    private static List<RecordSet> sets(List<RecordsByHand> all) {
        List<RecordSet> sets = new ArrayList<>();
        for (RecordsByHand usual : all) {
            if (!usual.region().isEmpty()) {
                continue;
            }
            RecordType type = type(usual.type());
            TreeMap<String, List<RecordData>> regional = new TreeMap<>();
            for (RecordsByHand records : all) {
                if (records.type().equals(usual.type()) && !records.region().isEmpty()) {
                    regional.put(records.region(), data(type, records.values()));
                }
            }
            sets.add(new RecordSet(type, usual.ttlSeconds(), data(type, usual.values()), regional));
        }
        return sets;
    }

    private static RecordType type(String word) {
        for (RecordType type : RecordType.values()) {
            if (type.name().equals(word)) {
                return type;
            }
        }
        throw new IllegalArgumentException(
                "type: '" + word + "' (must be one of " + List.of(RecordType.values()) + ")");
    }

    private static List<RecordData> data(RecordType type, List<String> values) {
        return values.stream().map(value -> RecordData.parse(type, value)).toList();
    }
}
