package org.haarbiter.dns.server;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.haarbiter.time.Ticker;
import org.slf4j.Logger;

/** What others do wrong, in the log: of each kind one line in ten seconds, with the number of those left out. Any thread. */
final class Warnings {

    /** What others do wrong, and what we do. */
    enum Kind {
        MALFORMED,
        REFUSED_TRANSFER,
        BAD_SIGNATURE,
        FAILED_TRANSFER,
        REFUSED_CONNECTION,
        SEND_FAILURE,
        OVERLOAD,
        NOTIFY,
        DEFECT
    }

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final class Told {
        long atNanos;
        long leftOut;
    }

    private final Logger log;
    private final Ticker ticker;
    private final Map<Kind, Told> told = new EnumMap<>(Kind.class);

    Warnings(Logger log, Ticker ticker) {
        this.log = log;
        this.ticker = ticker;
    }

    /** Logs the sentence, or counts it; it is made only where it is logged. */
    void warn(Kind kind, Supplier<String> sentence) {
        long leftOut = due(kind);
        if (leftOut >= 0) {
            log.warn("dns server: {}{}", sentence.get(), more(leftOut));
        }
    }

    /** Logs what this program itself did wrong, with its stack; as rarely as the rest, since a packet can bring it about. */
    void defect(String where, Throwable error) {
        long leftOut = due(Kind.DEFECT);
        if (leftOut >= 0) {
            log.error("dns server: {}: a defect{}", where, more(leftOut), error);
        }
    }

    private static String more(long leftOut) {
        return leftOut == 0 ? "" : " (" + leftOut + " more of this kind since the last line)";
    }

    /** How many were left out since the last line; -1 where this one is left out, too. */
    private long due(Kind kind) {
        long now = ticker.nanos();
        synchronized (told) {
            Told last = told.get(kind);
            if (last == null) {
                last = new Told();
                told.put(kind, last);
            } else if (now - last.atNanos < QUIET_NANOS) {
                last.leftOut++;
                return -1;
            }
            last.atNanos = now;
            long leftOut = last.leftOut;
            last.leftOut = 0;
            return leftOut;
        }
    }
}
