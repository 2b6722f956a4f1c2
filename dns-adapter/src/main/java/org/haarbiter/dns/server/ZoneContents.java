package org.haarbiter.dns.server;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All that a zone says at one serial number. Immutable; any thread. The next state of a zone is made from the one before by
 * {@link #next}, which checks only what changes: contents that share their record sets are encoded anew only where they differ.
 */
public final class ZoneContents {

    /** The name of the TXT record that the server makes up for each query: how old its knowledge is. */
    public static final String STATE_NAME = "_ha-state";

    /** The largest serial number. */
    public static final long MAX_SERIAL = 0xffff_ffffL;

    /** How often a record can stand first, beside others. */
    public static final int MAX_SHARE = 1_000_000;

    private static final int MAX_RECORDS = 1_000;
    private static final int MAX_SET_BYTES = 48 * 1024;
    private static final int MAX_TTL_SECONDS = 86_400;

    private final String origin;
    private final long serial;
    private final StartOfAuthority authority;
    private final List<String> nameServers;
    private final Map<String, List<RecordSet>> names;
    /** What these contents are known by to those made from them; they don't keep the ones before alive. */
    private final Object identity = new Object();

    private final @Nullable Object madeFrom;
    /** The names that were put or taken out since. */
    private final Set<String> touched;

    private ZoneContents(
            String origin,
            long serial,
            StartOfAuthority authority,
            List<String> nameServers,
            Map<String, List<RecordSet>> names,
            @Nullable Object madeFrom,
            Set<String> touched) {
        this.madeFrom = madeFrom;
        this.touched = touched;
        this.origin = origin;
        this.serial = serial;
        this.authority = authority;
        this.nameServers = nameServers;
        this.names = names;
    }

    /**
     * A zone without names.
     *
     * @param origin such as {@code db.example.}; a missing final dot is added, letters become small
     * @param serial 0 to {@link #MAX_SERIAL}
     * @param nameServers the names of the zone's servers, one or more; relative ones count from the zone
     */
    public static Builder of(String origin, long serial, StartOfAuthority authority, List<String> nameServers) {
        return new Builder(origin(origin), serial, authority, List.copyOf(nameServers), new HashMap<>(), null);
    }

    /** The zone's name as all of this package write it: small letters and a final dot. */
    static String origin(String name) {
        String small = name.toLowerCase(Locale.ROOT);
        return small.endsWith(".") ? small : small + ".";
    }

    /** The same names under another serial number, to be changed. */
    public Builder next(long nextSerial) {
        return new Builder(origin, nextSerial, authority, nameServers, new HashMap<>(names), identity);
    }

    /** The zone's name in small letters, with a final dot. */
    public String origin() {
        return origin;
    }

    /** 0 to {@link #MAX_SERIAL}. */
    public long serial() {
        return serial;
    }

    /** What the SOA record says beside the serial number. */
    public StartOfAuthority authority() {
        return authority;
    }

    /** The names of the zone's servers. */
    public List<String> nameServers() {
        return nameServers;
    }

    /** Record sets by relative name in small letters, {@code @} being the zone itself. In no order. */
    public Map<String, List<RecordSet>> names() {
        return Collections.unmodifiableMap(names);
    }

    /** True where the SOA record, but for its serial number, and the NS records are the same. */
    boolean sameApex(ZoneContents other) {
        return origin.equals(other.origin)
                && authority.equals(other.authority)
                && nameServers.equals(other.nameServers);
    }

    /** The names whose record sets are others than there, in small letters. */
    Set<String> changedFrom(ZoneContents other) {
        Set<String> changed = new TreeSet<>();
        if (madeFrom == other.identity) {
            changed.addAll(touched);
        } else {
            changed.addAll(names.keySet());
            changed.addAll(other.names.keySet());
        }
        changed.removeIf(name -> sets(name).equals(other.sets(name)));
        return changed;
    }

    /** The record sets of a name; empty where it has none. */
    List<RecordSet> sets(String name) {
        return names.getOrDefault(name, List.of());
    }

    /** RFC 1982: true where the serial number is after the other one, on a circle of 2^32. */
    static boolean newer(long serial, long than) {
        int distance = (int) (serial - than);
        return distance > 0;
    }

    /** Contents in the making. For one thread. */
    public static final class Builder {
        private final String origin;
        private final long serial;
        private final StartOfAuthority authority;
        private final List<String> nameServers;
        private final Map<String, List<RecordSet>> names;
        private final @Nullable Object madeFrom;
        private final Set<String> touched = new TreeSet<>();
        private final List<String> mistakes = new ArrayList<>();
        private boolean built;

        private Builder(
                String origin,
                long serial,
                StartOfAuthority authority,
                List<String> nameServers,
                Map<String, List<RecordSet>> names,
                @Nullable Object madeFrom) {
            this.origin = origin;
            this.serial = serial;
            this.authority = authority;
            this.nameServers = nameServers;
            this.names = names;
            this.madeFrom = madeFrom;
            if (serial < 0 || serial > MAX_SERIAL) {
                mistakes.add("serial: " + serial + " (must be 0 to " + MAX_SERIAL + ")");
            }
            if (madeFrom == null) {
                checkApex();
            }
        }

        /**
         * Gives a name its record sets, in place of those it had. Mistakes are told by {@link #build}.
         *
         * @param name relative to the zone, {@code @} for the zone itself; {@code *.x} stands for all names below x that don't exist
         * @param sets one or more, each of another type
         */
        public Builder put(String name, List<RecordSet> sets) {
            String key = name.toLowerCase(Locale.ROOT);
            int before = mistakes.size();
            check(key, sets);
            if (mistakes.size() == before) {
                names.put(key, List.copyOf(sets));
                touched.add(key);
            }
            return this;
        }

        /** Gives a name one record set. */
        public Builder put(String name, RecordSet set) {
            return put(name, List.of(set));
        }

        /** Takes a name out; nothing happens where there is none. */
        public Builder remove(String name) {
            String key = name.toLowerCase(Locale.ROOT);
            names.remove(key);
            touched.add(key);
            return this;
        }

        /**
         * The contents. May be called once.
         *
         * @throws IllegalArgumentException with one line for each mistake
         */
        public ZoneContents build() {
            if (built) {
                throw new IllegalStateException("zone " + origin + ": contents were built (a builder builds once)");
            }
            built = true;
            if (!mistakes.isEmpty()) {
                throw new IllegalArgumentException(String.join("\n", mistakes));
            }
            return new ZoneContents(origin, serial, authority, nameServers, names, madeFrom, touched);
        }

        private void checkApex() {
            problem("origin", origin.equals(".") ? "'.' (must be a domain name)" : WireName.problem(origin, false));
            checkName("soa primary", authority.primary());
            checkName("soa mailbox", authority.mailbox());
            range("soa refresh-seconds", authority.refreshSeconds(), 1, Integer.MAX_VALUE);
            range("soa retry-seconds", authority.retrySeconds(), 1, Integer.MAX_VALUE);
            range("soa expire-seconds", authority.expireSeconds(), 1, Integer.MAX_VALUE);
            range("soa minimum-seconds", authority.minimumSeconds(), 0, MAX_TTL_SECONDS);
            range("soa ttl-seconds", authority.ttlSeconds(), 0, MAX_TTL_SECONDS);
            if (nameServers.isEmpty()) {
                mistakes.add("name-servers: none (must name every server of the zone)");
            }
            nameServers.forEach(server -> checkName("name-servers", server));
        }

        private void checkName(String what, String name) {
            problem(what, WireName.problem(WireName.absolute(name, origin), false));
        }

        private void check(String name, List<RecordSet> sets) {
            if (name.endsWith(".")) {
                mistakes.add(name + ": (must be relative to " + origin + ", without a final dot)");
                return;
            }
            problem(name, WireName.problem(WireName.absolute(name, origin), true));
            if (name.equals(STATE_NAME)) {
                mistakes.add(name + ": (is made by the server itself; must be another name)");
            }
            if (sets.isEmpty()) {
                mistakes.add(name + ": no records (must have one or more, or not stand in the zone)");
            }
            EnumSet<RecordType> types = EnumSet.noneOf(RecordType.class);
            for (RecordSet set : sets) {
                if (!types.add(set.type())) {
                    mistakes.add(name + ": two sets of " + set.type() + " (must be one)");
                }
                checkSet(name, set);
            }
            if (types.contains(RecordType.CNAME) && (types.size() > 1 || name.equals("@"))) {
                mistakes.add(name + ": CNAME beside other records (must stand alone, and not at the zone itself)");
            }
        }

        private void checkSet(String name, RecordSet set) {
            String what = name + " " + set.type();
            range(what + " ttl-seconds", set.ttlSeconds(), 0, MAX_TTL_SECONDS);
            checkData(what, set, set.usual());
            set.shares().forEach((region, shares) -> checkShares(what, set.of(region), shares));
            for (Map.Entry<String, List<RecordData>> region : set.byRegion().entrySet()) {
                checkData(what + " for region " + region.getKey(), set, region.getValue());
            }
        }

        private void checkData(String what, RecordSet set, List<RecordData> all) {
            if (all.isEmpty() || all.size() > MAX_RECORDS) {
                mistakes.add(what + ": " + all.size() + " records (must be 1 to " + MAX_RECORDS + ")");
            }
            if (set.type() == RecordType.CNAME && all.size() > 1) {
                mistakes.add(what + ": " + all.size() + " records (must be 1)");
            }
            int before = mistakes.size();
            for (RecordData data : all) {
                if (data.type() != set.type()) {
                    mistakes.add(what + ": " + data + " (must be data of type " + set.type() + ")");
                } else {
                    problem(what, data.problem());
                    String target = target(data);
                    if (target != null) {
                        checkName(what, target);
                    }
                }
            }
            if (mistakes.size() == before && EncodedSet.bytes(set, all, origin) > MAX_SET_BYTES) {
                mistakes.add(what + ": more than " + MAX_SET_BYTES + " bytes (must fit into one message)");
            }
        }

        private void checkShares(String what, List<RecordData> all, Map<RecordData, Integer> shares) {
            if (!shares.keySet().equals(new HashSet<>(all))
                    || shares.values().stream().anyMatch(share -> share < 1 || share > MAX_SHARE)) {
                mistakes.add(what + ": shares " + shares + " (must be 1 to " + MAX_SHARE + " for each record)");
            }
        }

        private static @Nullable String target(RecordData data) {
            if (data instanceof RecordData.Alias alias) {
                return alias.target();
            }
            return data instanceof RecordData.Service service ? service.target() : null;
        }

        private void problem(String what, @Nullable String problem) {
            if (problem != null) {
                String line = what + ": " + problem;
                if (!mistakes.contains(line)) {
                    mistakes.add(line);
                }
            }
        }

        private void range(String what, int value, int min, int max) {
            if (value < min || value > max) {
                mistakes.add(what + ": " + value + " (must be " + min + " to " + max + ")");
            }
        }
    }
}
