package org.haarbiter.dns.server;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.haarbiter.time.Ticker;
import org.slf4j.Logger;

/** What others do wrong, in the log: of each kind one line in ten seconds, with the number of those left out. Any thread. */
final class Warnings {

    /** What others do wrong. */
    enum Kind {
        MALFORMED,
        REFUSED_TRANSFER,
        BAD_SIGNATURE,
        FAILED_TRANSFER,
        REFUSED_CONNECTION,
        SEND_FAILURE,
        OVERLOAD,
        NOTIFY
    }

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final class Told {
        long atNanos;
        long leftOut;
    }

    private final Logger log;
    private final Ticker ticker;
    private final Map<Kind, Told> told = Collections.synchronizedMap(new EnumMap<>(Kind.class));

    Warnings(Logger log, Ticker ticker) {
        this.log = log;
        this.ticker = ticker;
    }

    /** Logs the sentence, or counts it; it is made only where it is logged. */
    void warn(Kind kind, Supplier<String> sentence) {
        long now = ticker.nanos();
        long leftOut;
        synchronized (told) {
            Told last = told.get(kind);
            if (last == null) {
                last = new Told();
                told.put(kind, last);
            } else if (now - last.atNanos < QUIET_NANOS) {
                last.leftOut++;
                return;
            }
            last.atNanos = now;
            leftOut = last.leftOut;
            last.leftOut = 0;
        }
        if (leftOut == 0) {
            log.warn("dns server: {}", sentence.get());
        } else {
            log.warn("dns server: {} ({} more of this kind since the last line)", sentence.get(), leftOut);
        }
    }

    /** Logs what this program itself did wrong, always and with its stack. */
    void defect(String where, Throwable error) {
        log.error("dns server: {}: a defect", where, error);
    }
}
