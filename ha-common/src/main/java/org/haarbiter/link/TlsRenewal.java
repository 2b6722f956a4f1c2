package org.haarbiter.link;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again whether the files of a {@link Tls} were renewed, on a thread of its own: no event loop waits for a file
 * system. Begins at once; for any thread.
 */
public final class TlsRenewal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TlsRenewal.class);
    private static final int LOOK_MILLIS = 2_000;
    private static final Duration SOON = Duration.ofDays(14);
    private static final Duration REMIND = Duration.ofDays(1);

    private final Tls tls;
    private final Clock clock;
    private final ScheduledExecutorService thread;

    // The rest belongs to the thread.
    private String before = "";
    private String told = "";
    private Instant reminded = Instant.MIN;

    /** For production: every two seconds. */
    public TlsRenewal(Tls tls) {
        this(tls, LOOK_MILLIS, Clock.systemUTC());
    }

    /** {@code lookMillis} between two looks. */
    TlsRenewal(Tls tls, int lookMillis, Clock clock) {
        this.tls = tls;
        this.clock = clock;
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread made = new Thread(task, "tls-renewal");
            made.setDaemon(true);
            return made;
        });
        var unused = thread.scheduleWithFixedDelay(this::look, 0, lookMillis, TimeUnit.MILLISECONDS);
    }

    /** What an operator should mend: files that can't be used, or a certificate that ends within two weeks; otherwise empty. */
    public String problem() {
        String problem = tls.problem();
        if (!problem.isEmpty()) {
            return "tls: " + problem;
        }
        Instant expires = tls.expires();
        return clock.instant().isBefore(expires.minus(SOON))
                ? ""
                : "tls: the first certificate of its files ends at " + expires
                        + " (renew it; it is taken from its file without a restart)";
    }

    private void look() {
        try {
            tls.look();
            // A certificate and its key are two files: between the two the pair doesn't fit, and it's no mistake yet.
            String problem = tls.problem();
            if (problem.equals(before) && !problem.equals(told)) {
                told = problem;
                if (!problem.isEmpty()) {
                    LOG.warn("tls: {}", problem);
                }
            }
            before = problem;
            Instant now = clock.instant();
            if (problem.isEmpty()
                    && !problem().isEmpty()
                    && (reminded.equals(Instant.MIN) || !now.isBefore(reminded.plus(REMIND)))) {
                reminded = now;
                LOG.warn("{}", problem());
            }
        } catch (RuntimeException e) {
            // A scheduled task that throws is never run again, and nobody hears of it.
            LOG.error("tls: looking for renewed files failed; it is tried again", e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
