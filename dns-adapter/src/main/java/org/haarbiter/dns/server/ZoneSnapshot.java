package org.haarbiter.dns.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A zone at one serial number, encoded for answering: a hash table of its names. The next one shares all buckets but those
 * of the names that differ. Immutable; any thread.
 */
final class ZoneSnapshot {

    final ZoneContents contents;
    final byte[] origin;
    final int originHash;
    /** The SOA record as negative answers carry it: its TTL says how long they may be kept (RFC 2308 5). */
    final Answer negative;

    private final @Nullable Node[] buckets;
    private final int size;

    private ZoneSnapshot(ZoneContents contents, byte[] origin, @Nullable Node[] buckets, int size) {
        this.contents = contents;
        this.origin = origin;
        this.originHash = WireName.hash(origin);
        this.buckets = buckets;
        this.size = size;
        StartOfAuthority authority = contents.authority();
        this.negative = new Answer(
                Wire.TYPE_SOA,
                Math.min(authority.ttlSeconds(), authority.minimumSeconds()),
                List.of(soa(contents)),
                null);
    }

    /**
     * Encodes the contents.
     *
     * @param previous what the same zone was before; what didn't change is taken from there
     */
    static ZoneSnapshot of(ZoneContents contents, RegionNames regions, @Nullable ZoneSnapshot previous) {
        int names = contents.names().size();
        if (previous == null
                || !previous.contents.origin().equals(contents.origin())
                || names > 2 * previous.buckets.length) {
            return new Table(contents, regions, new @Nullable Node[capacity(names)], 0).all();
        }
        return new Table(contents, regions, previous.buckets.clone(), previous.size).changed(previous.contents);
    }

    /** The node of exactly this name; null where there is none. The name is in small letters, its hash that of {@link WireName}. */
    @Nullable
    Node find(byte[] bytes, int from, int to, int hash) {
        for (Node node = buckets[index(hash)]; node != null; node = node.next) {
            if (node.hash == hash && node.is(bytes, from, to)) {
                return node;
            }
        }
        return null;
    }

    /** The node of the wildcard right below this name; null where there is none. */
    @Nullable
    Node wildcard(byte[] bytes, int from, int to, int hash) {
        int own = WireName.wildcardHash(hash);
        for (Node node = buckets[index(own)]; node != null; node = node.next) {
            byte[] name = node.name;
            if (node.hash == own
                    && name.length == 2 + to - from
                    && name[0] == 1
                    && name[1] == '*'
                    && Arrays.equals(name, 2, name.length, bytes, from, to)) {
                return node;
            }
        }
        return null;
    }

    /** How many names there are, with those that exist only because others stand below them. */
    int size() {
        return size;
    }

    private int index(int hash) {
        return index(hash, buckets.length);
    }

    private static int index(int hash, int length) {
        int mixed = hash * 0x9e37_79b9;
        return (mixed ^ (mixed >>> 15)) & (length - 1);
    }

    private static int capacity(int names) {
        return Math.max(64, Integer.highestOneBit(Math.max(1, names)) * 2);
    }

    static byte[] soa(ZoneContents contents) {
        StartOfAuthority authority = contents.authority();
        byte[] primary = WireName.of(WireName.absolute(authority.primary(), contents.origin()));
        byte[] mailbox = WireName.of(WireName.absolute(authority.mailbox(), contents.origin()));
        return ByteBuffer.allocate(primary.length + mailbox.length + 20)
                .put(primary)
                .put(mailbox)
                .putInt((int) contents.serial())
                .putInt(authority.refreshSeconds())
                .putInt(authority.retrySeconds())
                .putInt(authority.expireSeconds())
                .putInt(authority.minimumSeconds())
                .array();
    }

    /** The hash table while it is put together. */
    private static final class Table {
        private final ZoneContents contents;
        private final RegionNames regions;
        private final byte[] origin;
        private final @Nullable Node[] buckets;
        private int size;

        Table(ZoneContents contents, RegionNames regions, @Nullable Node[] buckets, int size) {
            this.contents = contents;
            this.regions = regions;
            this.origin = WireName.of(contents.origin());
            this.buckets = buckets;
            this.size = size;
        }

        ZoneSnapshot all() {
            store(Node.of(origin, apex(), 0));
            byte[] state = WireName.of(WireName.absolute(ZoneContents.STATE_NAME, contents.origin()));
            store(Node.ofState(state));
            countAbove(state, 1);
            for (String name : contents.names().keySet()) {
                put(name);
            }
            return done();
        }

        ZoneSnapshot changed(ZoneContents from) {
            Node old = node(origin);
            store(Node.of(origin, apex(), old == null ? 0 : old.below));
            for (String name : contents.changedFrom(from)) {
                put(name);
            }
            return done();
        }

        private ZoneSnapshot done() {
            return new ZoneSnapshot(contents, origin, buckets, size);
        }

        private List<EncodedSet> apex() {
            int ttlSeconds = contents.authority().ttlSeconds();
            List<byte[]> servers = new ArrayList<>();
            for (String server : contents.nameServers()) {
                servers.add(WireName.of(WireName.absolute(server, contents.origin())));
            }
            List<EncodedSet> sets = encoded("@");
            sets.add(apexSet(Wire.TYPE_SOA, ttlSeconds, List.of(soa(contents))));
            sets.add(apexSet(Wire.TYPE_NS, ttlSeconds, servers));
            return sets;
        }

        private static EncodedSet apexSet(int type, int ttlSeconds, List<byte[]> data) {
            return new EncodedSet(type, new Answer(type, ttlSeconds, data, null), new @Nullable Answer[0]);
        }

        private List<EncodedSet> encoded(String name) {
            List<EncodedSet> sets = new ArrayList<>();
            for (RecordSet set : contents.sets(name)) {
                sets.add(EncodedSet.of(set, contents.origin(), regions));
            }
            return sets;
        }

        /** Makes the name what the contents say. */
        private void put(String name) {
            if (name.equals("@")) {
                return; // encoded with the apex, always
            }
            byte[] wire = WireName.of(WireName.absolute(name, contents.origin()));
            Node old = node(wire);
            boolean had = old != null && old.hasData();
            int below = old == null ? 0 : old.below;
            List<EncodedSet> sets = encoded(name);
            if (sets.isEmpty() && below == 0) {
                drop(wire);
            } else {
                store(Node.of(wire, sets, below));
            }
            if (had == sets.isEmpty()) {
                countAbove(wire, had ? -1 : 1);
            }
        }

        /** Tells all names above that there is one more, or one less, below them; names that only bear others come and go so. */
        private void countAbove(byte[] wire, int difference) {
            for (int at = 1 + wire[0]; wire.length - at >= origin.length; at += 1 + wire[at]) {
                byte[] above = Arrays.copyOfRange(wire, at, wire.length);
                Node node = node(above);
                Node counted =
                        node == null ? Node.of(above, List.of(), difference) : node.withBelow(node.below + difference);
                if (counted.below == 0 && !counted.hasData() && above.length > origin.length) {
                    drop(above);
                } else {
                    store(counted);
                }
            }
        }

        private int index(int hash) {
            return ZoneSnapshot.index(hash, buckets.length);
        }

        private @Nullable Node node(byte[] wire) {
            int hash = WireName.hash(wire);
            for (Node node = buckets[index(hash)]; node != null; node = node.next) {
                if (node.hash == hash && node.is(wire, 0, wire.length)) {
                    return node;
                }
            }
            return null;
        }

        private void store(Node stored) {
            size += without(stored.name, stored.hash) ? 0 : 1;
            int index = index(stored.hash);
            buckets[index] = stored.withNext(buckets[index]);
        }

        private void drop(byte[] wire) {
            size -= without(wire, WireName.hash(wire)) ? 1 : 0;
        }

        /** Takes a name out of its bucket. The nodes are shared with the snapshot before, so that a new bucket is made of copies. */
        private boolean without(byte[] wire, int hash) {
            int index = index(hash);
            Node kept = null;
            boolean found = false;
            for (Node node = buckets[index]; node != null; node = node.next) {
                if (node.hash == hash && node.is(wire, 0, wire.length)) {
                    found = true;
                } else {
                    kept = node.withNext(kept);
                }
            }
            buckets[index] = kept;
            return found;
        }
    }
}
