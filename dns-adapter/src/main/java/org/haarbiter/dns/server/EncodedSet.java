package org.haarbiter.dns.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;

/** One record set, encoded for each region. Immutable; any thread. */
final class EncodedSet {

    final int type;
    private final Answer usual;
    /** By region number; null where the region has no answer of its own, empty where no region has. */
    private final @Nullable Answer[] byRegion;

    EncodedSet(int type, Answer usual, @Nullable Answer[] byRegion) {
        this.type = type;
        this.usual = usual;
        this.byRegion = byRegion;
    }

    static EncodedSet of(RecordSet set, String origin, RegionNames regions) {
        @Nullable Answer[] byRegion = new @Nullable Answer[set.byRegion().isEmpty() ? 0 : regions.size()];
        for (Map.Entry<String, List<RecordData>> region : set.byRegion().entrySet()) {
            byRegion[regions.number(region.getKey())] =
                    answer(set, region.getValue(), set.shares().get(region.getKey()), origin);
        }
        return new EncodedSet(
                set.type().code(), answer(set, set.usual(), set.shares().get(RecordSet.USUAL), origin), byRegion);
    }

    /** True where clients of different regions get different answers. */
    boolean regional() {
        return byRegion.length > 0;
    }

    /** The answer for clients of a region; {@link RegionNames#NONE} for those of none. */
    Answer of(int region) {
        if (region < 0 || region >= byRegion.length) {
            return usual;
        }
        Answer own = byRegion[region];
        return own == null ? usual : own;
    }

    /** How many bytes the records take in a response. */
    static int bytes(RecordSet set, List<RecordData> data, String origin) {
        return answer(set, data, null, origin).bytes.length;
    }

    private static Answer answer(
            RecordSet set, List<RecordData> all, @Nullable Map<RecordData, Integer> shares, String origin) {
        List<byte[]> encoded = new ArrayList<>(all.size());
        List<Integer> parts = new ArrayList<>(all.size());
        for (RecordData data : all) {
            encoded.add(encode(data, origin));
            parts.add(shares == null ? 1 : shares.getOrDefault(data, 1));
        }
        return new Answer(
                set.type().code(),
                set.ttlSeconds(),
                encoded,
                parts,
                set.type() == RecordType.CNAME ? encoded.get(0) : null);
    }

    /** The data as it stands behind a record's length. */
    static byte[] encode(RecordData data, String origin) {
        if (data instanceof RecordData.Host host) {
            byte[] address =
                    Address.toByteArray(host.literal(), host.type() == RecordType.A ? Address.IPv4 : Address.IPv6);
            if (address == null) {
                throw new IllegalArgumentException(host.literal() + " (must be an address)");
            }
            return address;
        }
        if (data instanceof RecordData.Service service) {
            byte[] target = WireName.of(WireName.absolute(service.target(), origin));
            return ByteBuffer.allocate(6 + target.length)
                    .putShort((short) service.priority())
                    .putShort((short) service.weight())
                    .putShort((short) service.port())
                    .put(target)
                    .array();
        }
        if (data instanceof RecordData.Alias alias) {
            return WireName.of(WireName.absolute(alias.target(), origin));
        }
        return texts(((RecordData.Text) data).strings());
    }

    static byte[] texts(List<String> strings) {
        int length = 0;
        List<byte[]> all = new ArrayList<>();
        for (String string : strings) {
            byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
            all.add(bytes);
            length += 1 + bytes.length;
        }
        ByteBuffer buffer = ByteBuffer.allocate(length);
        for (byte[] bytes : all) {
            buffer.put((byte) bytes.length).put(bytes);
        }
        return buffer.array();
    }
}
