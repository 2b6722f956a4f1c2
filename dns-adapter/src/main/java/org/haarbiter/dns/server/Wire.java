package org.haarbiter.dns.server;

/** Numbers and places of the wire format (RFC 1035 4, RFC 6891). No state; any thread. */
final class Wire {

    static final int HEADER_BYTES = 12;

    static final int CLASS_IN = 1;
    static final int CLASS_CH = 3;

    static final int TYPE_NS = 2;
    static final int TYPE_SOA = 6;
    static final int TYPE_TXT = 16;
    static final int TYPE_OPT = 41;
    static final int TYPE_TKEY = 249;
    static final int TYPE_TSIG = 250;
    static final int TYPE_IXFR = 251;
    static final int TYPE_AXFR = 252;
    static final int TYPE_ANY = 255;

    static final int NOERROR = 0;
    static final int FORMERR = 1;
    static final int SERVFAIL = 2;
    static final int NXDOMAIN = 3;
    static final int NOTIMP = 4;
    static final int REFUSED = 5;
    static final int NOTAUTH = 9;
    static final int BADVERS = 16;
    static final int BADCOOKIE = 23;

    private Wire() {}

    static int getShort(byte[] bytes, int at) {
        return ((bytes[at] & 0xff) << 8) | (bytes[at + 1] & 0xff);
    }

    static int getInt(byte[] bytes, int at) {
        return (getShort(bytes, at) << 16) | getShort(bytes, at + 2);
    }

    /** Returns where the next byte goes. */
    static int putShort(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
        return at + 2;
    }

    /** Returns where the next byte goes. */
    static int putInt(byte[] bytes, int at, int value) {
        putShort(bytes, at, value >>> 16);
        return putShort(bytes, at + 2, value);
    }
}
