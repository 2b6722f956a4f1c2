package org.haarbiter.dns.rfc2136;

import org.xbill.DNS.Message;

/**
 * How large an update of several groups may be. As large as DNS allows at first; where one isn't answered in time, as by a server that
 * writes each record into a database, the next ones are smaller, until some are taken again. Thread-safe.
 */
final class MessageSize {

    /** Header, zone and signature, with the longest names that they can have. */
    private static final int WITHOUT_RECORDS_BYTES = 1_024;

    private static final int MOST_BYTES = Message.MAXLENGTH - WITHOUT_RECORDS_BYTES;
    private static final int LEAST_BYTES = 1_024;

    private int bytes = MOST_BYTES;

    /** The most that the records of one message may take. */
    synchronized int bytes() {
        return bytes;
    }

    synchronized void taken() {
        bytes = Math.min(MOST_BYTES, 2 * bytes);
    }

    synchronized void unanswered() {
        bytes = Math.max(LEAST_BYTES, bytes / 4);
    }
}
