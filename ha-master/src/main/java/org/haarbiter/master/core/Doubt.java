package org.haarbiter.master.core;

import java.util.Collections;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.master.core.Testimony.MemberName;
import org.jspecify.annotations.Nullable;

/**
 * A leader that hears much less than before suspects itself first. What it doesn't hear it asks the other masters, to whom
 * every agent keeps a connection as well: where many primaries are silent at once, a master of another site must confirm it
 * before it is acted upon, and one that hears more is to lead. Confined to the arbiter's thread.
 */
final class Doubt {
    private record Given(Testimony testimony, long askedNanos, long answeredNanos) {}

    private final Limits limits;
    private final Masters masters;
    private final TreeMap<String, Given> given = new TreeMap<>();
    private SortedSet<MemberName> silent = Collections.emptySortedSet();
    private int hearing;
    private int silentPrimaries;
    private int groups;
    private long askedNanos = Long.MIN_VALUE / 2;

    /** Since when as many primaries are silent as make it doubt; {@link Long#MAX_VALUE} while they don't. */
    private long sinceNanos = Long.MAX_VALUE;

    Doubt(Limits limits, Masters masters) {
        this.limits = limits;
        this.masters = masters;
    }

    /** What was said to an earlier leader, or of an earlier silence, counts no more. */
    void forget() {
        given.clear();
        sinceNanos = Long.MAX_VALUE;
    }

    /** What this leader hears now. */
    void look(SortedSet<MemberName> unheard, int heardMembers, int unheardPrimaries, int adopted, long nowNanos) {
        silent = unheard;
        hearing = heardMembers;
        silentPrimaries = unheardPrimaries;
        groups = adopted;
        boolean many = unheardPrimaries >= limits.storms().doubtGroups()
                && unheardPrimaries * 100L >= (long) limits.storms().doubtPercent() * adopted;
        sinceNanos = many ? Math.min(sinceNanos, nowNanos) : Long.MAX_VALUE;
        given.values().removeIf(g -> nowNanos - g.answeredNanos() > silenceNanos());
    }

    SortedSet<MemberName> unheard() {
        return silent;
    }

    /** Of whom to ask every other master now; empty where there is no need. In doubt always, else now and then. */
    SortedSet<MemberName> toAsk(long nowNanos) {
        boolean due = sinceNanos != Long.MAX_VALUE || nowNanos - askedNanos >= silenceNanos() / 2;
        if (masters.others().isEmpty() || silent.isEmpty() || !due) {
            return Collections.emptySortedSet();
        }
        askedNanos = nowNanos;
        return silent;
    }

    void testified(String master, Testimony testimony, long askedNanos, long nowNanos) {
        Given before = given.get(master);
        if (before == null || before.askedNanos() < askedNanos) {
            given.put(master, new Given(testimony, askedNanos, nowNanos));
        }
    }

    /** Why a primary's silence isn't acted upon yet; null where it may be. */
    @Nullable
    String about(MemberName primary, long nowNanos) {
        if (sinceNanos == Long.MAX_VALUE || masters.others().isEmpty()) {
            return null;
        }
        TreeSet<String> hear = new TreeSet<>();
        TreeSet<String> confirm = new TreeSet<>();
        given.forEach((master, said) -> {
            if (said.testimony().heard().contains(primary)) {
                hear.add(master);
            } else if (said.testimony().asked().contains(primary)) {
                confirm.add(master);
            }
        });
        boolean patient = nowNanos - sinceNanos < Limits.nanos(limits.storms().doubtMillis());
        if (!patient && !(hear.isEmpty() && confirm.isEmpty())) {
            return null;
        }
        String many =
                silentPrimaries + " of " + groups + " primaries fell silent at once, so this master suspects itself";
        if (!hear.isEmpty()) {
            return many + ": " + String.join(", ", hear) + " still hears " + primary.member();
        }
        confirm.retainAll(masters.elsewhere());
        return confirm.isEmpty()
                ? many + ": none of " + String.join(", ", masters.elsewhere()) + " has confirmed yet that "
                        + primary.member() + " is silent"
                : null;
    }

    /** The state of mind, for people; null while there is no doubt. */
    @Nullable
    String sentence() {
        return sinceNanos == Long.MAX_VALUE
                ? null
                : silentPrimaries + " of " + groups + " primaries are silent at once";
    }

    /**
     * Who should lead instead: a master that hears members which this one hasn't heard for two silences, and loses none for
     * them. Between two that each hear what the other doesn't nothing is gained.
     */
    @Nullable
    String better(SortedSet<MemberName> longUnheard) {
        String best = null;
        int most = 0;
        for (Map.Entry<String, Given> entry : given.entrySet()) {
            Testimony said = entry.getValue().testimony();
            TreeSet<MemberName> both = new TreeSet<>(said.heard());
            both.retainAll(longUnheard);
            int gained = both.size();
            if (gained > most && said.hearing() - said.heard().size() >= hearing) {
                best = entry.getKey();
                most = gained;
            }
        }
        return best;
    }

    private long silenceNanos() {
        return Limits.nanos(limits.silenceMillis());
    }
}
