package org.haarbiter.dns.server;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What the server counts, all since its start. Any thread. */
public final class DnsServerMetrics {

    private static final int RCODES = 24;
    private static final List<String> RCODE_NAMES = List.of(
            "NOERROR",
            "FORMERR",
            "SERVFAIL",
            "NXDOMAIN",
            "NOTIMP",
            "REFUSED",
            "6",
            "7",
            "8",
            "NOTAUTH",
            "10",
            "11",
            "12",
            "13",
            "14",
            "15",
            "BADVERS",
            "17",
            "18",
            "19",
            "20",
            "21",
            "22",
            "BADCOOKIE");

    final LongAdder udpQueries = new LongAdder();
    final LongAdder tcpQueries = new LongAdder();
    /** What can't be answered: no header, or a response itself. */
    final LongAdder unanswerable = new LongAdder();

    final LongAdder malformed = new LongAdder();
    final LongAdder truncated = new LongAdder();
    final LongAdder rateSlipped = new LongAdder();
    final LongAdder rateDropped = new LongAdder();
    final LongAdder overloadDropped = new LongAdder();
    final LongAdder sendFailures = new LongAdder();
    final LongAdder tcpRefused = new LongAdder();
    final LongAdder fullTransfers = new LongAdder();
    final LongAdder incrementalTransfers = new LongAdder();
    final LongAdder failedTransfers = new LongAdder();
    final LongAdder refusedTransfers = new LongAdder();
    final LongAdder badSignatures = new LongAdder();
    final LongAdder notifiesSent = new LongAdder();
    final LongAdder notifyFailures = new LongAdder();
    final LongAdder defects = new LongAdder();
    private final LongAdder[] byRcode = new LongAdder[RCODES];

    /** All zero. */
    public DnsServerMetrics() {
        for (int i = 0; i < RCODES; i++) {
            byRcode[i] = new LongAdder();
        }
    }

    void responded(int rcode) {
        byRcode[rcode].increment();
    }

    /**
     * All counts at one moment, or nearly: queries go on meanwhile.
     *
     * @param udpQueries packets that came by UDP
     * @param tcpQueries messages that came by TCP
     * @param responsesByRcode what was answered, by the name of the code; codes that were never used are missing
     * @param unanswerable packets without a whole header, and responses that came unasked: neither gets an answer
     * @param malformed queries that were answered by FORMERR, and TCP messages too long to be one
     * @param truncated responses that didn't fit into a packet, so that the client must come by TCP
     * @param rateSlipped responses in whose stead the rate limit sent an empty, truncated one
     * @param rateDropped responses that the rate limit held back
     * @param overloadDropped packets that weren't looked at, or not answered, because a queue was full
     * @param sendFailures responses that the kernel didn't take
     * @param tcpRefused connections closed at once because there were too many
     * @param fullTransfers zones sent as a whole
     * @param incrementalTransfers changes of a zone sent
     * @param failedTransfers transfers that began and didn't come to their end
     * @param refusedTransfers transfers that weren't allowed
     * @param badSignatures queries with an unknown key, a wrong signature or a wrong time
     * @param notifiesSent notifications sent, repetitions included
     * @param notifyFailures notifications that a secondary didn't acknowledge in all attempts, or refused
     * @param defects queries without an answer because of a defect of this program
     */
    public record Snapshot(
            long udpQueries,
            long tcpQueries,
            SortedMap<String, Long> responsesByRcode,
            long unanswerable,
            long malformed,
            long truncated,
            long rateSlipped,
            long rateDropped,
            long overloadDropped,
            long sendFailures,
            long tcpRefused,
            long fullTransfers,
            long incrementalTransfers,
            long failedTransfers,
            long refusedTransfers,
            long badSignatures,
            long notifiesSent,
            long notifyFailures,
            long defects) {}

    /** Reads all counts. */
    public Snapshot snapshot() {
        TreeMap<String, Long> rcodes = new TreeMap<>();
        for (int i = 0; i < RCODES; i++) {
            long count = byRcode[i].sum();
            if (count > 0) {
                rcodes.put(RCODE_NAMES.get(i), count);
            }
        }
        return new Snapshot(
                udpQueries.sum(),
                tcpQueries.sum(),
                Collections.unmodifiableSortedMap(rcodes),
                unanswerable.sum(),
                malformed.sum(),
                truncated.sum(),
                rateSlipped.sum(),
                rateDropped.sum(),
                overloadDropped.sum(),
                sendFailures.sum(),
                tcpRefused.sum(),
                fullTransfers.sum(),
                incrementalTransfers.sum(),
                failedTransfers.sum(),
                refusedTransfers.sum(),
                badSignatures.sum(),
                notifiesSent.sum(),
                notifyFailures.sum(),
                defects.sum());
    }
}
