package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/**
 * One address of an {@link EndpointGroup}, and how it stands with it. Immutable.
 *
 * @param address a literal IPv4 or IPv6 address
 * @param site where it stands; empty where that isn't told
 * @param weight how much of the traffic it takes beside others, 1 to 1000
 * @param order in groups that prefer some endpoints, the lower the better; 0 to 1000
 * @param capacity how much it can hold, in the unit of {@link EndpointGroup#loads}; 0 where that isn't told
 * @param state what was decided of it
 */
public record CheckedEndpoint(String address, String site, int weight, int order, long capacity, State state) {

    /** The most that a weight and an order may be. */
    public static final int MOST_WEIGHT = 1_000;

    /** The most that a capacity and a load may be. */
    public static final long MOST_CAPACITY = 1_000_000_000;

    /** What a quorum of masters found. */
    public enum Health {
        /** Nothing yet, or nothing since its address or the check changed. */
        UNCHECKED,
        /** It can be used. */
        HEALTHY,
        /** It can't. */
        UNHEALTHY
    }

    /** What a person has ordered. */
    public enum Order {
        /** No clients are to be sent to it: it is being worked on. */
        DRAINED,
        /** Clients are sent to it, whatever the checks find. */
        HELD_IN,
        /** No clients are sent to it, whatever the checks find. */
        HELD_OUT;

        /** Clients are kept away from it. */
        public boolean keepsOut() {
            return this != HELD_IN;
        }

        /** For people. */
        public String words() {
            return switch (this) {
                case DRAINED -> "drained";
                case HELD_IN -> "held in";
                case HELD_OUT -> "held out";
            };
        }
    }

    /**
     * A person's order, until the person ends it.
     *
     * @param sinceMillis the leader's wall clock; a label for people
     */
    public record ByHand(Order order, String by, String reason, long sinceMillis) {}

    /**
     * What was decided.
     *
     * @param health what the masters found
     * @param why what they said when that changed; empty before
     * @param sinceMillis the leader's wall clock when it changed, or when the endpoint was set; a label for people
     * @param served whether clients may be sent to it; see {@link EndpointGroup}
     * @param byHand what a person has ordered; null where nobody has
     */
    public record State(
            Health health,
            String why,
            long sinceMillis,
            boolean served,
            @Nullable ByHand byHand) {}

    /** As it is before anybody has looked. */
    static State unchecked(boolean served, long wallMillis, @Nullable ByHand byHand) {
        return new State(Health.UNCHECKED, "", wallMillis, served, byHand);
    }

    /** A person keeps clients away from it. */
    boolean keptOut() {
        return state.byHand() != null && state.byHand().order().keepsOut();
    }

    /** Clients may be sent to it for its own sake, and not only because there is nobody better. */
    public boolean fit() {
        if (state.byHand() != null) {
            return !state.byHand().order().keepsOut();
        }
        // One that served before anybody looked goes on until somebody has.
        return state.health() == Health.HEALTHY || (state.health() == Health.UNCHECKED && state.served());
    }

    CheckedEndpoint withState(State newState) {
        return new CheckedEndpoint(address, site, weight, order, capacity, newState);
    }

    CheckedEndpoint withServed(boolean served) {
        return withState(new State(state.health(), state.why(), state.sinceMillis(), served, state.byHand()));
    }

    CheckedEndpoint withByHand(@Nullable ByHand byHand) {
        return withState(new State(state.health(), state.why(), state.sinceMillis(), state.served(), byHand));
    }

    /** Why no endpoint can be so, as a sentence with the setting and its value; null where one can. */
    @Nullable
    String problem() {
        if (weight < 1 || weight > MOST_WEIGHT) {
            return "weight: " + weight + " (must be 1 to " + MOST_WEIGHT + ")";
        }
        if (order < 0 || order > MOST_WEIGHT) {
            return "order: " + order + " (must be 0 to " + MOST_WEIGHT + ")";
        }
        return capacity < 0 || capacity > MOST_CAPACITY
                ? "capacity: " + capacity + " (must be 0 to " + MOST_CAPACITY + ", 0 for any)"
                : null;
    }
}
