package org.haarbiter.dns.server;

/** The types of records that a zone may hold beside those of its apex. */
public enum RecordType {
    /** An IPv4 address. */
    A(1),
    /** Another name for the same thing. */
    CNAME(5),
    /** Texts. */
    TXT(16),
    /** An IPv6 address. */
    AAAA(28),
    /** Where a service is. */
    SRV(33);

    private final int code;

    RecordType(int code) {
        this.code = code;
    }

    /** The number on the wire. */
    public int code() {
        return code;
    }
}
