package org.haarbiter.link;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one port refuses, counted by reason and logged once a minute for each address, and how many connections each address has
 * open. Bounded. For any thread.
 */
public final class PortLimits {
    private static final Logger LOG = LoggerFactory.getLogger(PortLimits.class);

    /** Why something was refused. */
    public enum Reason {
        /** Too many connections are open, in all or of this address. */
        CONNECTIONS,
        /** Too much was asked for in a short time. */
        RATE,
        /** What was sent isn't what this port takes: too long, malformed, no TLS, a wrong or missing certificate. */
        PROTOCOL,
        /** Who asks isn't known, or may not do that. */
        ACCESS;

        /** As metrics say it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final String port;
    private final int most;
    private final int mostOfAddress;
    private final Map<String, Integer> open = new ConcurrentHashMap<>();
    private final Map<Reason, LongAdder> refused = new EnumMap<>(Reason.class);
    private final Complaints complaints = new Complaints();
    private final AtomicInteger all = new AtomicInteger();

    /**
     * Nothing is open yet.
     *
     * @param port what it is called in the log and in metrics
     * @param most connections in all
     * @param mostOfAddress connections of one address
     */
    public PortLimits(String port, int most, int mostOfAddress) {
        this.port = port;
        this.most = most;
        this.mostOfAddress = mostOfAddress;
        for (Reason reason : Reason.values()) {
            refused.put(reason, new LongAdder());
        }
    }

    /** The port's name. */
    public String port() {
        return port;
    }

    /** Counts a new connection; false where it is one too many, which is noted, and {@link #closed} mustn't follow. */
    public boolean opened(String address, long nowNanos) {
        int ofAddress = open.merge(address, 1, Integer::sum);
        int now = all.incrementAndGet();
        if (now <= most && ofAddress <= mostOfAddress) {
            return true;
        }
        closed(address);
        refused(
                Reason.CONNECTIONS,
                address,
                now > most
                        ? most + " connections are open, the most there may be"
                        : mostOfAddress + " connections of this address are open, the most there may be",
                nowNanos);
        return false;
    }

    /** One that {@link #opened} let in is gone. */
    public void closed(String address) {
        all.decrementAndGet();
        open.computeIfPresent(address, (key, count) -> count == 1 ? null : count - 1);
    }

    /** How many connections are open. */
    public int connections() {
        return all.get();
    }

    /** Counts a refusal, and logs it unless that address was told of for the same reason within the last minute. */
    public void refused(Reason reason, String address, String sentence, long nowNanos) {
        Objects.requireNonNull(refused.get(reason)).increment();
        if (complaints.due(address, reason.word(), nowNanos)) {
            LOG.warn("{}: refused to {}: {}", port, address, sentence);
        }
    }

    /** How often something was refused since the start, by reason. */
    public SortedMap<String, Long> refused() {
        TreeMap<String, Long> counts = new TreeMap<>();
        refused.forEach((reason, count) -> counts.put(reason.word(), count.sum()));
        return counts;
    }
}
