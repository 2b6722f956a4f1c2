package org.haarbiter.master.core;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/** What a person may ask for. */
public sealed interface Command {

    /** The group; empty for the whole fleet. */
    String group();

    /** Who asks. */
    String by();

    /** Why, in the person's words. */
    String reason();

    /**
     * Make a member the primary: planned where the present primary is well, otherwise by a failover to it. On a group that
     * isn't adopted it says which member is the primary.
     *
     * @param acceptDataLoss go on where it can't be proved that no acknowledged write is lost
     */
    record Promote(String group, String member, boolean acceptDataLoss, String by, String reason) implements Command {}

    /**
     * Move the primary, losing nothing, while it is well.
     *
     * @param to the member that takes over; null for the best
     */
    record Switchover(String group, @Nullable String to, String by, String reason) implements Command {}

    /**
     * Replace all data of a member that is away by a copy.
     *
     * @param from whose copy; null for the best
     */
    record Rebuild(String group, String member, @Nullable String from, String by, String reason) implements Command {}

    /**
     * Change what the group promises. What isn't given stays.
     *
     * @param durability null to leave it
     * @param maxLagMillis null to leave it
     * @param maxLagTransactions null to leave it
     * @param onNoAcknowledger null to leave it
     * @param priority null to leave it
     */
    record ChangePolicy(
            String group,
            @Nullable Durability durability,
            @Nullable Long maxLagMillis,
            @Nullable Long maxLagTransactions,
            @Nullable OnNoAcknowledger onNoAcknowledger,
            @Nullable Long priority,
            String by,
            String reason)
            implements Command {}

    /**
     * Announce a group whose agents are still to report.
     *
     * @param engine what its agents will say
     * @param positionKind how its positions compare
     * @param members the addresses of all its servers, never empty
     * @param policy the group, what is to differ from what groups of its kind are promised, who asks, and why
     */
    record ExpectGroup(String engine, PositionKind positionKind, SortedSet<Endpoint> members, ChangePolicy policy)
            implements Command {
        /** Copies the members. */
        public ExpectGroup {
            members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
        }

        @Override
        public String group() {
            return policy.group();
        }

        @Override
        public String by() {
            return policy.by();
        }

        @Override
        public String reason() {
            return policy.reason();
        }
    }

    /**
     * Say where a class of the group's clients is to be sent; {@link TrafficClass#REMOVED}: that there is none any more.
     *
     * @param name the class, and its name in the DNS
     */
    record SetClass(String group, String name, TrafficClass trafficClass, String by, String reason)
            implements Command {}

    /**
     * Put records into the zone, or take them out where they have no values.
     *
     * @param records what the zone shall hold of this name and type
     */
    record SetRecords(RecordsByHand records, String by, String reason) implements Command {
        @Override
        public String group() {
            return "";
        }
    }

    /** About a group of endpoints. */
    sealed interface OfEndpoints extends Command {
        /** The group of endpoints. */
        String name();

        /** Empty: it is no group of databases, and waits for no decision on one. */
        @Override
        default String group() {
            return "";
        }
    }

    /**
     * Say what endpoints a name leads to.
     *
     * @param wanted what a person can set of it; whatever else it holds is not looked at
     */
    record SetEndpoints(EndpointGroup wanted, String by, String reason) implements OfEndpoints {
        @Override
        public String name() {
            return wanted.name();
        }
    }

    /** Forget a group of endpoints, and its name. */
    record RemoveEndpoints(String name, String by, String reason) implements OfEndpoints {}

    /** Order where clients are sent, whatever the checks find, or end such an order. */
    record OrderEndpoint(String name, String endpoint, EndpointAct act, String by, String reason)
            implements OfEndpoints {}

    /** What can be ordered of an endpoint. */
    enum EndpointAct {
        /** No clients are sent to it. */
        DRAIN,
        /** That ends. */
        UNDRAIN,
        /** It stays in or out, as it is now. */
        HOLD,
        /** It is in, and stays. */
        HOLD_IN,
        /** It is out, and stays. */
        HOLD_OUT,
        /** The end of each of these three. */
        RELEASE
    }

    /** Expect a group no more. */
    record ForgetGroup(String group, String by, String reason) implements Command {}

    /** Let another member take over from the primary; the best is chosen. */
    record Demote(String group, String member, String by, String reason) implements Command {}

    /** Say that the failovers of a group are known: it needn't wait before the next one. */
    record Acknowledge(String group, String by, String reason) implements Command {}

    /**
     * Stop everything automatic.
     *
     * @param forMillis for how long at most; 0 until somebody ends it
     */
    record Pause(String group, String by, String reason, long forMillis) implements Command {}

    /** End a pause. */
    record Resume(String group, String by, String reason) implements Command {}

    /** The answer: an entry to propose, or the reason why not. */
    record Outcome(@Nullable Entry entry, String sentence) {
        static Outcome accepted(Entry entry, String sentence) {
            return new Outcome(entry, sentence);
        }

        static Outcome refused(String sentence) {
            return new Outcome(null, sentence);
        }
    }
}
