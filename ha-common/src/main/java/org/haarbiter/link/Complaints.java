package org.haarbiter.link;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a peer that fails again and again from filling the log: the same sentence about the same host is due once a
 * minute. Bounded. For any thread.
 */
final class Complaints {
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int MAX = 1000;

    private record Complaint(String host, String sentence) {}

    private final Map<Complaint, Long> told = new LinkedHashMap<>();

    /** True where it should be logged now; {@code nowNanos} is monotonic. */
    synchronized boolean due(String host, String sentence, long nowNanos) {
        Complaint complaint = new Complaint(host, sentence);
        Long last = told.get(complaint);
        if (last != null && nowNanos - last < QUIET_NANOS) {
            return false;
        }
        told.remove(complaint);
        told.put(complaint, nowNanos);
        if (told.size() > MAX) {
            Iterator<Complaint> oldest = told.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        return true;
    }
}
