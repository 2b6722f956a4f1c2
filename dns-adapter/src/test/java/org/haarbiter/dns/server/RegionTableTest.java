package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegionTableTest {

    private static final RegionNames REGIONS = new RegionNames(List.of("north", "south", "overseas"));

    private static String of(RegionTable table, String address) throws UnknownHostException {
        byte[] bytes = InetAddress.getByName(address).getAddress();
        int region = table.of(Network.high(bytes), Network.low(bytes));
        return region == RegionNames.NONE ? "none" : REGIONS.name(region);
    }

    @Test
    void longestNetworkCounts() throws UnknownHostException {
        RegionTable table = RegionTable.parse(
                List.of(
                        "# who is where",
                        "10.0.0.0/8   overseas # the rest",
                        "10.1.0.0/16\tnorth",
                        "",
                        "10.1.2.0/24 south",
                        "10.1.2.3    overseas",
                        "fd00:1::/32 north",
                        "fd00:1:5::/48 south"),
                REGIONS);
        assertThat(of(table, "9.255.255.255")).isEqualTo("none");
        assertThat(of(table, "10.0.0.0")).isEqualTo("overseas");
        assertThat(of(table, "10.1.0.0")).isEqualTo("north");
        assertThat(of(table, "10.1.2.2")).isEqualTo("south");
        assertThat(of(table, "10.1.2.3")).isEqualTo("overseas");
        assertThat(of(table, "10.1.2.4")).isEqualTo("south");
        assertThat(of(table, "10.1.3.0")).isEqualTo("north");
        assertThat(of(table, "10.2.0.0")).isEqualTo("overseas");
        assertThat(of(table, "11.0.0.0")).isEqualTo("none");
        assertThat(of(table, "fd00:1::1")).isEqualTo("north");
        assertThat(of(table, "fd00:1:5:ffff::")).isEqualTo("south");
        assertThat(of(table, "fd00:1:6::")).isEqualTo("north");
        assertThat(of(table, "fd00:2::")).isEqualTo("none");
        assertThat(of(RegionTable.EMPTY, "10.0.0.1")).isEqualTo("none");
    }

    @Test
    void everyMistakeWithItsLine() {
        assertThatThrownBy(() -> RegionTable.parse(
                        List.of(
                                "10.0.0.0/8 east",
                                "10.0.0.1/8 north",
                                "10.0.0.0/33 north",
                                "north",
                                "a.b.c.d north",
                                "10.1.0.0/16 north",
                                "10.1.0.0/16 south"),
                        REGIONS))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("line 1: region 'east' (must be one of north, south, overseas)")
                .hasMessageContaining("line 2: '10.0.0.1/8' (has bits set")
                .hasMessageContaining("line 3: '10.0.0.0/33' (must be ADDRESS/BITS")
                .hasMessageContaining("line 4: 'north' (must be NETWORK REGION")
                .hasMessageContaining("line 5: 'a.b.c.d'")
                .hasMessageContaining("line 7: 10.1.0.0/16 (stands in line 6 too");
    }

    /** Against the plain rule, with networks by chance: the region, and that all addresses of the scope have it. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void likeThePlainRule(long seed) throws UnknownHostException {
        Random random = new Random(seed);
        Map<Network, Integer> networks = new HashMap<>();
        for (int i = 0; i < 60; i++) {
            boolean four = random.nextBoolean();
            // Few different bits, so that networks hold each other and touch.
            byte[] address = new byte[four ? 4 : 16];
            for (int octet = 0; octet < 4; octet++) {
                address[octet] = (byte) (random.nextInt(4) * 64);
            }
            int bits = random.nextInt(0, 33);
            int all = four ? bits + Network.IPV4_BITS : bits;
            networks.put(
                    new Network(
                            Network.high(address) & Network.highMask(all),
                            Network.low(address) & Network.lowMask(all),
                            all),
                    random.nextInt(3));
        }
        RegionTable table = new RegionTable(networks);
        for (int i = 0; i < 2_000; i++) {
            byte[] address = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(address);
            for (int octet = 0; octet < 4; octet++) {
                address[octet] = (byte) (random.nextInt(4) * 64 + (random.nextInt(8) == 0 ? random.nextInt(64) : 0));
            }
            long high = Network.high(address);
            long low = Network.low(address);
            int expected = plain(networks, high, low);
            assertThat(table.of(high, low))
                    .as("seed %d, %s", seed, InetAddress.getByAddress(address))
                    .isEqualTo(expected);
            int scope = table.scopeBits(high, low);
            for (int other = 0; other < 20; other++) {
                long otherHigh = (high & Network.highMask(scope)) | (random.nextLong() & ~Network.highMask(scope));
                long otherLow = (low & Network.lowMask(scope)) | (random.nextLong() & ~Network.lowMask(scope));
                assertThat(plain(networks, otherHigh, otherLow))
                        .as("seed %d, scope %d of %s", seed, scope, InetAddress.getByAddress(address))
                        .isEqualTo(expected);
            }
            assertThat(scope == 0 || widerDiffers(networks, high, low, scope, expected))
                    .as(
                            "seed %d, scope %d of %s is no wider than it must be",
                            seed, scope, InetAddress.getByAddress(address))
                    .isTrue();
        }
    }

    private static int plain(Map<Network, Integer> networks, long high, long low) {
        int bits = -1;
        int region = RegionNames.NONE;
        for (Map.Entry<Network, Integer> network : networks.entrySet()) {
            if (network.getKey().prefixBits() > bits && network.getKey().contains(high, low)) {
                bits = network.getKey().prefixBits();
                region = network.getValue();
            }
        }
        return region;
    }

    /** Whether the next wider scope holds an address of another region: regions change only where a network begins or has ended. */
    private static boolean widerDiffers(
            Map<Network, Integer> networks, long high, long low, int scopeBits, int region) {
        int bits = scopeBits - 1;
        Network wider = new Network(high & Network.highMask(bits), low & Network.lowMask(bits), bits);
        boolean differs = plain(networks, wider.high(), wider.low()) != region;
        for (Network network : networks.keySet()) {
            long endLow = network.low() | ~Network.lowMask(network.prefixBits());
            long endHigh = network.high() | ~Network.highMask(network.prefixBits());
            long afterLow = endLow + 1;
            long afterHigh = afterLow == 0 ? endHigh + 1 : endHigh;
            differs |= wider.contains(network.high(), network.low())
                    && plain(networks, network.high(), network.low()) != region;
            differs |= wider.contains(afterHigh, afterLow) && plain(networks, afterHigh, afterLow) != region;
        }
        return differs;
    }
}
