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

    private static final Node[] EMPTY = new Node[0];

    final ZoneContents contents;
    final byte[] origin;
    final int originHash;
    /** The SOA record as negative answers carry it: its TTL says how long they may be kept (RFC 2308 5). */
    final Answer negative;

    private final Node[][] buckets;
    private final int size;

    private ZoneSnapshot(ZoneContents contents, byte[] origin, Node[][] buckets, int size) {
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
            return new Table(contents, regions, new Node[capacity(names)][], 0).all();
        }
        return new Table(contents, regions, previous.buckets.clone(), previous.size).changed(previous.contents);
    }

    /** The node of exactly this name; null where there is none. The name is in small letters, its hash that of {@link WireName}. */
    @Nullable
    Node find(byte[] bytes, int from, int to, int hash) {
        Node[] bucket = buckets[index(hash)];
        if (bucket != null) {
            for (Node node : bucket) {
                if (node.hash == hash && node.is(bytes, from, to)) {
                    return node;
                }
            }
        }
        return null;
    }

    /** The node of the wildcard right below this name; null where there is none. */
    @Nullable
    Node wildcard(byte[] bytes, int from, int to, int hash) {
        int own = WireName.hash(WireName.hash(hash, (byte) '*'), (byte) 1);
        Node[] bucket = buckets[index(own)];
        if (bucket != null) {
            for (Node node : bucket) {
                byte[] name = node.name;
                if (node.hash == own
                        && name.length == 2 + to - from
                        && name[0] == 1
                        && name[1] == '*'
                        && Arrays.equals(name, 2, name.length, bytes, from, to)) {
                    return node;
                }
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
        private final Node[][] buckets;
        private int size;

        Table(ZoneContents contents, RegionNames regions, Node[][] buckets, int size) {
            this.contents = contents;
            this.regions = regions;
            this.origin = WireName.of(contents.origin());
            this.buckets = buckets;
            this.size = size;
        }

        ZoneSnapshot all() {
            store(Node.of(origin, apex(), 0));
            byte[] state = WireName.of(WireName.absolute(ZoneContents.STATE_NAME, contents.origin()));
            store(new Node(state, WireName.hash(state), new EncodedSet[0], 0, true));
            countAbove(state, 1);
            for (String name : contents.names().keySet()) {
                put(name);
            }
            return done();
        }

        ZoneSnapshot changed(ZoneContents from) {
            Node old = node(origin, 0);
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
            Node old = node(wire, 0);
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
                Node node = node(above, 0);
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

        private @Nullable Node node(byte[] wire, int from) {
            int hash = WireName.hash(wire);
            Node[] bucket = buckets[index(hash)];
            for (Node node : bucket == null ? EMPTY : bucket) {
                if (node.hash == hash && node.is(wire, from, wire.length)) {
                    return node;
                }
            }
            return null;
        }

        /** Buckets are shared with the snapshot before, so they are replaced, never changed. */
        private void store(Node node) {
            int index = index(node.hash);
            Node[] bucket = buckets[index] == null ? EMPTY : buckets[index];
            for (int i = 0; i < bucket.length; i++) {
                if (bucket[i].hash == node.hash && bucket[i].is(node.name, 0, node.name.length)) {
                    Node[] copy = bucket.clone();
                    copy[i] = node;
                    buckets[index] = copy;
                    return;
                }
            }
            Node[] longer = Arrays.copyOf(bucket, bucket.length + 1);
            longer[bucket.length] = node;
            buckets[index] = longer;
            size++;
        }

        private void drop(byte[] wire) {
            int hash = WireName.hash(wire);
            int index = index(hash);
            List<Node> kept = new ArrayList<>();
            for (Node node : buckets[index] == null ? EMPTY : buckets[index]) {
                if (node.hash == hash && node.is(wire, 0, wire.length)) {
                    size--;
                } else {
                    kept.add(node);
                }
            }
            buckets[index] = kept.toArray(new Node[0]);
        }
    }
}
