package org.haarbiter.master.core;

import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which groups switch at the same time. After the loss of a site hundreds want to at once; so many promotions would stand in
 * each other's way, and the important groups would wait as long as the rest. Confined to the arbiter's thread.
 */
final class Turns {
    private record Running(String site, long sinceNanos) {}

    private final Limits limits;
    private final TreeMap<String, Running> running = new TreeMap<>();
    private final TreeSet<String> waiting = new TreeSet<>();

    /** The groups are being asked in the order of their importance: who is refused now may have its turn before others are asked. */
    private boolean inOrder;

    Turns(Limits limits) {
        this.limits = limits;
    }

    /** A switch begins; where it has begun already nothing changes. */
    void began(String group, String site, long nowNanos) {
        running.putIfAbsent(group, new Running(site, nowNanos));
        waiting.remove(group);
    }

    /** No switch of the group is under way. */
    void ended(String group) {
        running.remove(group);
    }

    /** All groups are asked now, the most important first, until {@link #asked}. */
    void askAll() {
        waiting.clear();
        inOrder = true;
    }

    void asked() {
        inOrder = false;
    }

    void waits(String group) {
        waiting.add(group);
    }

    int waiting() {
        return waiting.size();
    }

    int underWay() {
        return running.size();
    }

    /** Why a switch of this group can't begin yet; null where it can. */
    @Nullable
    String notYet(String group, String site, long nowNanos) {
        if (!inOrder && !waiting.isEmpty()) {
            return waiting.size() + " groups wait for their turn";
        }
        long patience = Limits.nanos((long) Storms.TURN_SILENCES * limits.silenceMillis());
        int all = 0;
        int here = 0;
        for (var entry : running.entrySet()) {
            boolean counts =
                    !entry.getKey().equals(group) && nowNanos - entry.getValue().sinceNanos() < patience;
            all += counts ? 1 : 0;
            here += counts && entry.getValue().site().equals(site) ? 1 : 0;
        }
        if (all >= limits.storms().atOnce()) {
            return all + " groups switch already, as many as may at once";
        }
        return here >= limits.storms().atOncePerSite()
                ? here + " groups of site " + (site.isEmpty() ? "''" : site) + " switch already, as many as may at once"
                : null;
    }
}
