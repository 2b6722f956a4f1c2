package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A group as a Redis Sentinel knows it.
 *
 * @param name what Sentinel and its clients call it
 * @param primary its primary
 * @param flags of the primary, such as {@code o_down}; {@code master} is left out
 * @param quorum how many Sentinels must find the primary down
 * @param downAfterMillis silence after which a server counts as down
 * @param failoverTimeoutMillis {@code failover-timeout}
 * @param parallelSyncs replicas that go over to a new primary at once
 * @param notificationScript empty where there is none
 * @param clientReconfigScript empty where there is none
 * @param replicas by address
 * @param others what each other Sentinel that it knows says
 */
record WatchedGroup(
        String name,
        Endpoint primary,
        List<String> flags,
        long quorum,
        long downAfterMillis,
        long failoverTimeoutMillis,
        long parallelSyncs,
        String notificationScript,
        String clientReconfigScript,
        List<Replica> replicas,
        List<Opinion> others) {

    /**
     * A replica as the Sentinel knows it.
     *
     * @param flags such as {@code s_down}; {@code slave} is left out
     * @param priority its {@code replica-priority}; 0: never promoted
     * @param linked its connection to its source is up
     * @param source whom it says that it follows; null where that isn't known
     */
    record Replica(
            Endpoint address,
            List<String> flags,
            long priority,
            boolean linked,
            @Nullable Endpoint source) {
        /** Copies the list. */
        Replica {
            flags = List.copyOf(flags);
        }
    }

    /**
     * What another Sentinel takes for the primary.
     *
     * @param sentinel that one
     * @param primary null where it named none
     * @param problem why it named none; empty where it did
     */
    record Opinion(Endpoint sentinel, @Nullable Endpoint primary, String problem) {}

    /** Copies the lists. */
    WatchedGroup {
        flags = List.copyOf(flags);
        replicas = List.copyOf(replicas);
        others = List.copyOf(others);
    }

    /** The primary first, then the replicas. */
    List<Endpoint> members() {
        List<Endpoint> members = new ArrayList<>(List.of(primary));
        replicas.forEach(replica -> members.add(replica.address()));
        return members;
    }
}
