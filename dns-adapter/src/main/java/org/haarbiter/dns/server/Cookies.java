package org.haarbiter.dns.server;

/**
 * Server cookies in the form that all servers of one secret understand (RFC 9018): they prove that a client receives what
 * is sent to its address. Immutable; any thread.
 */
final class Cookies {

    static final int CLIENT_BYTES = 8;
    static final int SERVER_BYTES = 16;
    static final int SECRET_BYTES = 16;

    private static final int VERSION = 1;
    private static final int MAX_AGE_SECONDS = 3_600;
    private static final int RENEW_AGE_SECONDS = 1_800;
    private static final int MAX_AHEAD_SECONDS = 300;

    private final long key0;
    private final long key1;

    /** @param secret of 16 bytes */
    Cookies(byte[] secret) {
        if (secret.length != SECRET_BYTES) {
            throw new IllegalArgumentException("cookie secret: " + secret.length + " bytes (must be 16)");
        }
        key0 = littleLong(secret, 0);
        key1 = littleLong(secret, 8);
    }

    /**
     * Writes the server cookie for a client cookie.
     *
     * @param cookie where the 8 bytes of the client cookie stand, with room for 16 more behind them
     * @param seconds since 1970
     */
    void write(byte[] cookie, int at, long high, long low, long seconds) {
        cookie[at + 8] = VERSION;
        cookie[at + 9] = 0;
        cookie[at + 10] = 0;
        cookie[at + 11] = 0;
        Wire.putInt(cookie, at + 12, (int) seconds);
        long hash = hash(cookie, at, high, low);
        for (int i = 0; i < 8; i++) {
            cookie[at + 16 + i] = (byte) (hash >>> (8 * i));
        }
    }

    /** True where 24 bytes are a client cookie and the server cookie that was made for it, at this address, not long ago. */
    boolean valid(byte[] cookie, int at, long high, long low, long seconds) {
        if (cookie[at + 8] != VERSION) {
            return false;
        }
        int age = age(cookie, at, seconds);
        return age <= MAX_AGE_SECONDS
                && age >= -MAX_AHEAD_SECONDS
                && littleLong(cookie, at + 16) == hash(cookie, at, high, low);
    }

    /** True where a valid cookie is so young that the client may keep it. */
    boolean fresh(byte[] cookie, int at, long seconds) {
        return age(cookie, at, seconds) <= RENEW_AGE_SECONDS;
    }

    /** On the circle of 2^32 seconds, RFC 9018 4.3. */
    private static int age(byte[] cookie, int at, long seconds) {
        return (int) seconds - Wire.getInt(cookie, at + 12);
    }

    /** Over client cookie, version, reserved bytes, time stamp and the client's address. */
    private long hash(byte[] cookie, int at, long high, long low) {
        SipHash hash = new SipHash(key0, key1);
        hash.word(littleLong(cookie, at));
        hash.word(littleLong(cookie, at + 8));
        if (high == 0 && low >>> 32 == Network.IPV4_LOW >>> 32) {
            return hash.end(Integer.reverseBytes((int) low) & 0xffff_ffffL, 20);
        }
        hash.word(Long.reverseBytes(high));
        hash.word(Long.reverseBytes(low));
        return hash.end(0, 32);
    }

    private static long littleLong(byte[] bytes, int at) {
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = (value << 8) | (bytes[at + i] & 0xff);
        }
        return value;
    }

    /** SipHash-2-4 (Aumasson and Bernstein 2012). */
    private static final class SipHash {
        private long v0;
        private long v1;
        private long v2;
        private long v3;

        SipHash(long key0, long key1) {
            v0 = 0x736f6d6570736575L ^ key0;
            v1 = 0x646f72616e646f6dL ^ key1;
            v2 = 0x6c7967656e657261L ^ key0;
            v3 = 0x7465646279746573L ^ key1;
        }

        void word(long word) {
            v3 ^= word;
            round();
            round();
            v0 ^= word;
        }

        /** The hash; {@code rest} holds the bytes behind the last whole word. */
        long end(long rest, int length) {
            word(rest | ((long) length << 56));
            v2 ^= 0xff;
            round();
            round();
            round();
            round();
            return v0 ^ v1 ^ v2 ^ v3;
        }

        private void round() {
            v0 += v1;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v3;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v2 = Long.rotateLeft(v2, 32);
        }
    }
}
