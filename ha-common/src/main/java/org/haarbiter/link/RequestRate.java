package org.haarbiter.link;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How much each address may ask for: so many at once, and so many a second from then on. Remembers a bounded number of addresses,
 * and forgets those first that were quiet longest. For any thread.
 */
public final class RequestRate {
    private static final int MOST_ADDRESSES = 10_000;
    private static final double NANOS_PER_SECOND = 1e9;

    private static final class Bucket {
        double left;
        long nanos;
    }

    private final int burst;
    private final int perSecond;
    private final Map<String, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true);

    /** {@code burst} and {@code perSecond}: 1 or more. */
    public RequestRate(int burst, int perSecond) {
        this.burst = burst;
        this.perSecond = perSecond;
    }

    /** Counts one more of this address; false where it is one too many. {@code nowNanos} is monotonic. */
    public synchronized boolean take(String address, long nowNanos) {
        Bucket bucket = buckets.get(address);
        if (bucket == null) {
            bucket = new Bucket();
            bucket.left = burst;
            bucket.nanos = nowNanos;
            buckets.put(address, bucket);
            if (buckets.size() > MOST_ADDRESSES) {
                Iterator<Bucket> oldest = buckets.values().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        long elapsed = Math.max(0, nowNanos - bucket.nanos);
        bucket.left = Math.min(burst, bucket.left + elapsed / NANOS_PER_SECOND * perSecond);
        bucket.nanos += elapsed;
        if (bucket.left < 1) {
            return false;
        }
        bucket.left--;
        return true;
    }
}
