package org.haarbiter.agent.daemon;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.core.ServerHealth;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * What load balancers are told: whether this server may be sent writes, or reads. From what the agent's loop has published, and the
 * clock: a permission that runs out is seen at once, though the loop stood still. Any thread.
 */
public final class HealthAnswers {
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int UNAVAILABLE = 503;

    private static final Map<String, Question> QUESTIONS = questions();
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m)");

    private enum Question {
        PRIMARY,
        REPLICA,
        READABLE,
        HEALTH,
        LIVENESS
    }

    /**
     * An answer.
     *
     * @param status of HTTP
     * @param body members of a JSON object
     */
    public record Answer(int status, Map<String, Object> body) {
        /** Copies the body. */
        public Answer {
            body = Collections.unmodifiableMap(new LinkedHashMap<>(body));
        }
    }

    /** Whether it may, and why not; empty where it may. */
    private record Verdict(boolean yes, String why) {
        static final Verdict YES = new Verdict(true, "");

        static Verdict no(String why) {
            return new Verdict(false, why);
        }
    }

    private final Identity identity;
    private final Supplier<@Nullable ServerHealth> published;
    private final LongPredicate permitted;
    private final Ticker ticker;
    private final long staleNanos;

    /**
     * Of one server.
     *
     * @param published what the loop last saw; null before its first look
     * @param permitted whether the server may take writes under this epoch now
     * @param staleMillis what was seen longer ago counts for nothing
     */
    public HealthAnswers(
            Identity identity,
            Supplier<@Nullable ServerHealth> published,
            LongPredicate permitted,
            Ticker ticker,
            int staleMillis) {
        this.identity = identity;
        this.published = published;
        this.permitted = permitted;
        this.ticker = ticker;
        this.staleNanos = TimeUnit.MILLISECONDS.toNanos(staleMillis);
    }

    private static Map<String, Question> questions() {
        Map<String, Question> questions = new LinkedHashMap<>();
        // What HAProxy asks where its configuration names no path.
        questions.put("/", Question.PRIMARY);
        questions.put("/primary", Question.PRIMARY);
        questions.put("/read-write", Question.PRIMARY);
        questions.put("/replica", Question.REPLICA);
        questions.put("/read-only", Question.READABLE);
        questions.put("/readiness", Question.READABLE);
        questions.put("/health", Question.HEALTH);
        questions.put("/liveness", Question.LIVENESS);
        return questions;
    }

    /**
     * What to say.
     *
     * @param query behind the question mark, not decoded; null where there is none
     */
    public Answer answer(String path, @Nullable String query) {
        Question question = QUESTIONS.get(path);
        if (question == null) {
            return refusal(NOT_FOUND, "no '" + path + "' (there are " + String.join(", ", QUESTIONS.keySet()) + ")");
        }
        long maxLagMillis = Long.MAX_VALUE;
        if (query != null && !query.isEmpty()) {
            Matcher lag = query.startsWith("max-lag=") ? DURATION.matcher(query.substring("max-lag=".length())) : null;
            boolean known = question == Question.REPLICA || question == Question.READABLE;
            if (lag == null || !known || !lag.matches()) {
                return refusal(
                        BAD_REQUEST,
                        "'" + query
                                + "' (must be nothing, or with /replica, /read-only and /readiness max-lag=TIME: a number and ms, s or m,"
                                + " such as max-lag=500ms)");
            }
            maxLagMillis = Long.parseLong(lag.group(1))
                    * switch (lag.group(2)) {
                        case "ms" -> 1;
                        case "s" -> 1_000;
                        default -> 60_000;
                    };
        }
        ServerHealth health = published.get();
        long ageNanos = health == null ? Long.MAX_VALUE : ticker.nanos() - health.lookedNanos();
        Verdict verdict = health == null
                ? Verdict.no("the agent doesn't look at its server: it has only just started, or stops")
                : ageNanos > staleNanos
                        ? Verdict.no("the agent last looked at its server " + TimeUnit.NANOSECONDS.toMillis(ageNanos)
                                + " ms ago")
                        : judge(question, health, maxLagMillis);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("group", identity.group());
        body.put("member", identity.member());
        body.put("site", identity.site());
        if (health != null) {
            body.put("state", word(health.state()));
            Role role = health.role();
            body.put("role", role == null ? "none" : word(role));
            body.put("epoch", health.epoch());
            body.put("openEpoch", health.openEpoch());
            body.put("lagMillis", health.lagMillis());
            body.put("lookedMillisAgo", TimeUnit.NANOSECONDS.toMillis(ageNanos));
        }
        body.put("why", verdict.why());
        return new Answer(verdict.yes() ? OK : UNAVAILABLE, body);
    }

    private Verdict judge(Question question, ServerHealth health, long maxLagMillis) {
        boolean forClients = question != Question.LIVENESS && question != Question.HEALTH;
        if (health.standsBy() && forClients) {
            // Its goal is of the time when it spoke for the cluster.
            return Verdict.no("the agent beside the elected node speaks for the cluster");
        }
        if (question != Question.LIVENESS && health.state() != ServerState.RUNNING) {
            return Verdict.no("the server is " + word(health.state())
                    + (health.detail().isEmpty() ? "" : ": " + health.detail()));
        }
        return switch (question) {
            case LIVENESS, HEALTH -> Verdict.YES;
            case PRIMARY -> primary(health);
            case REPLICA -> replica(health, maxLagMillis);
            case READABLE -> {
                Verdict writes = primary(health);
                yield writes.yes() ? writes : replica(health, maxLagMillis);
            }
        };
    }

    private Verdict primary(ServerHealth health) {
        if (health.openEpoch() == 0) {
            return Verdict.no(health.role() == Role.PRIMARY ? "it isn't open for writes" : "it isn't the primary");
        }
        return permitted.test(health.openEpoch())
                ? Verdict.YES
                : Verdict.no("its permission to take writes under epoch " + health.openEpoch() + " has run out");
    }

    private static Verdict replica(ServerHealth health, long maxLagMillis) {
        if (!health.follows()) {
            return Verdict.no("it doesn't receive and apply what the primary has");
        }
        if (maxLagMillis == Long.MAX_VALUE) {
            return Verdict.YES;
        }
        if (health.lagMillis() < 0) {
            return Verdict.no("how far behind it is isn't known");
        }
        return health.lagMillis() <= maxLagMillis
                ? Verdict.YES
                : Verdict.no("it is " + health.lagMillis() + " ms behind (max-lag " + maxLagMillis + " ms)");
    }

    private static Answer refusal(int status, String why) {
        return new Answer(status, Map.of("why", why));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
