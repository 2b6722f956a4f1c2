package org.haarbiter.dns.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;

/**
 * A network of addresses. All addresses count as 128 bits here, IPv4 ones as {@code ::ffff:a.b.c.d}. A value; any thread.
 *
 * @param high the first 64 bits of its first address
 * @param low the last 64 bits of its first address
 * @param prefixBits how many bits its addresses share, 0 to 128
 */
public record Network(long high, long low, int prefixBits) {

    static final long IPV4_LOW = 0xffff_0000_0000L;
    static final int IPV4_BITS = 96;

    /**
     * Reads {@code 10.1.0.0/16} or {@code fd00:1::/32}; an address alone is a network of one.
     *
     * @throws IllegalArgumentException naming the text and what was expected
     */
    public static Network parse(String text) {
        Network network = read(text);
        if (network == null) {
            throw new IllegalArgumentException(
                    "'" + text + "' (must be ADDRESS/BITS, such as 10.1.0.0/16 or fd00:1::/32)");
        }
        if (network.high != (network.high & highMask(network.prefixBits))
                || network.low != (network.low & lowMask(network.prefixBits))) {
            throw new IllegalArgumentException("'" + text + "' (has bits set behind the first "
                    + text.substring(text.indexOf('/') + 1) + "; must be the first address of the network)");
        }
        return network;
    }

    private static @Nullable Network read(String text) {
        int slash = text.indexOf('/');
        String literal = slash < 0 ? text : text.substring(0, slash);
        byte[] four = Address.toByteArray(literal, Address.IPv4);
        byte[] address = four == null ? Address.toByteArray(literal, Address.IPv6) : four;
        if (address == null) {
            return null;
        }
        int most = four == null ? 128 : 32;
        int bits = most;
        if (slash >= 0) {
            String digits = text.substring(slash + 1);
            if (!digits.matches("[0-9]{1,3}")) {
                return null;
            }
            bits = Integer.parseInt(digits);
        }
        if (bits > most) {
            return null;
        }
        return new Network(high(address), low(address), four == null ? bits : bits + IPV4_BITS);
    }

    /** The first 64 bits of an address of 4 or 16 bytes. */
    static long high(byte[] address) {
        return address.length == 4 ? 0 : bytes(address, 0);
    }

    /** The last 64 bits of an address of 4 or 16 bytes. */
    static long low(byte[] address) {
        return address.length == 4 ? IPV4_LOW | (Wire.getInt(address, 0) & 0xffff_ffffL) : bytes(address, 8);
    }

    private static long bytes(byte[] address, int at) {
        return ((long) Wire.getInt(address, at) << 32) | (Wire.getInt(address, at + 4) & 0xffff_ffffL);
    }

    static long highMask(int prefixBits) {
        return prefixBits == 0 ? 0 : prefixBits >= 64 ? -1L : -1L << (64 - prefixBits);
    }

    static long lowMask(int prefixBits) {
        return prefixBits <= 64 ? 0 : -1L << (128 - prefixBits);
    }

    boolean contains(long addressHigh, long addressLow) {
        return (addressHigh & highMask(prefixBits)) == high && (addressLow & lowMask(prefixBits)) == low;
    }

    boolean isIpv4() {
        return prefixBits >= IPV4_BITS && high == 0 && (low & ~0xffff_ffffL) == IPV4_LOW;
    }

    /** True where one of them holds the address. */
    static boolean anyContains(List<Network> networks, long addressHigh, long addressLow) {
        for (int i = 0; i < networks.size(); i++) {
            if (networks.get(i).contains(addressHigh, addressLow)) {
                return true;
            }
        }
        return false;
    }

    /** {@code ADDRESS/BITS}; {@link #parse} reads it back. */
    @Override
    public String toString() {
        byte[] address = new byte[isIpv4() ? 4 : 16];
        if (isIpv4()) {
            Wire.putInt(address, 0, (int) low);
        } else {
            Wire.putInt(address, 0, (int) (high >>> 32));
            Wire.putInt(address, 4, (int) high);
            Wire.putInt(address, 8, (int) (low >>> 32));
            Wire.putInt(address, 12, (int) low);
        }
        try {
            return InetAddress.getByAddress(address).getHostAddress() + "/"
                    + (isIpv4() ? prefixBits - IPV4_BITS : prefixBits);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address of " + address.length + " bytes", e);
        }
    }
}
