package org.haarbiter.master.sentinel;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Phase;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * The Redis groups as this master has applied them. Written by the decision thread, read by any; what was heard of replicas is as old
 * as the decision thread's last tick.
 */
public final class SentinelGroups implements Conversation.Groups {
    /** The channel that clients listen to for a new primary. */
    static final String SWITCHED = "+switch-master";

    private final long silenceNanos;
    private final Ticker ticker;
    private final BiConsumer<String, String> events;
    private volatile ClusterState state = ClusterState.empty();
    private volatile Map<String, SortedMap<String, Heard>> heard = Map.of();

    /** Where each group's clients were last known to write. Of the decision thread. */
    private final TreeMap<String, Endpoint> open = new TreeMap<>();

    /** @param events told the channel and the message of each event, by the decision thread */
    public SentinelGroups(long silenceNanos, Ticker ticker, BiConsumer<String, String> events) {
        this.silenceNanos = silenceNanos;
        this.ticker = ticker;
        this.events = events;
    }

    /** The log went on, or a restart reads it again. */
    public void applied(ClusterState after) {
        state = after;
        for (Group group : after.groups().values()) {
            if (Watched.watches(group)) {
                tell(group);
            }
        }
    }

    /** A client that is told before the new primary takes writes would be refused by it. */
    private void tell(Group group) {
        if (group.phase() instanceof Phase.Sealing || group.phase() instanceof Phase.Promoting) {
            return;
        }
        Endpoint now = group.primaryMember().address();
        Endpoint last = open.put(group.name(), now);
        if (last != null && !last.equals(now)) {
            events.accept(
                    SWITCHED,
                    group.name() + " " + last.host() + " " + last.port() + " " + now.host() + " " + now.port());
        }
    }

    /** A moment has passed. */
    public void tick(Arbiter arbiter) {
        TreeMap<String, SortedMap<String, Heard>> now = new TreeMap<>();
        for (Group group : arbiter.state().groups().values()) {
            if (Watched.watches(group)) {
                now.put(group.name(), new TreeMap<>(arbiter.heardOf(group.name())));
            }
        }
        heard = now;
    }

    @Override
    public SortedMap<String, Watched> all() {
        TreeMap<String, Watched> all = new TreeMap<>();
        for (Group group : state.groups().values()) {
            if (Watched.watches(group)) {
                all.put(group.name(), watched(group));
            }
        }
        return Collections.unmodifiableSortedMap(all);
    }

    @Override
    public @Nullable Watched of(String name) {
        Group group = state.group(name);
        return group == null || !Watched.watches(group) ? null : watched(group);
    }

    private Watched watched(Group group) {
        return Watched.of(
                group, heard.getOrDefault(group.name(), Collections.emptySortedMap()), silenceNanos, ticker.nanos());
    }
}
