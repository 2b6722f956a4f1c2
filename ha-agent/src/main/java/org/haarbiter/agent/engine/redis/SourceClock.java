package org.haarbiter.agent.engine.redis;

import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Tells how long ago the source was heard, by this machine's monotonic clock. The server itself counts whole seconds only; what it
 * has received grows with each ping of the source as well, so looks show it more precisely, to the interval between two of them.
 * Confined to one thread, but for {@link #heardMillis}.
 */
final class SourceClock {
    private @Nullable Endpoint source;
    private long offset;

    /** When the source was heard last; null where it never was. */
    private volatile @Nullable Long heardNanos;

    void saw(ServerInfo info, long nowNanos) {
        Endpoint present = info.source();
        if (present == null || !present.equals(source)) {
            heardNanos = null;
        }
        long second = 1_000_000_000;
        Long before = heardNanos;
        if (present != null && info.linkUp()) {
            if (before == null) {
                heardNanos = nowNanos - Math.max(0, info.lastIoSeconds()) * second;
            } else if (info.offset() != offset || info.syncing()) {
                heardNanos = nowNanos;
            } else if (info.lastIoSeconds() >= 0 && nowNanos - before > (info.lastIoSeconds() + 1) * second) {
                // It was heard though nothing came of it.
                heardNanos = nowNanos - (info.lastIoSeconds() + 1) * second;
            }
        } else if (present != null && info.syncing()) {
            heardNanos = nowNanos - Math.max(0, info.lastIoSeconds()) * second;
        }
        source = present;
        offset = info.offset();
    }

    /** How long ago the source was heard, in ms; -1 where it never was. */
    long heardMillis(long nowNanos) {
        Long last = heardNanos;
        return last == null ? -1 : (nowNanos - last) / 1_000_000;
    }
}
