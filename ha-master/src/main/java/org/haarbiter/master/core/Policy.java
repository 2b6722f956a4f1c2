package org.haarbiter.master.core;

import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * What a group promises, and what it gives up first.
 *
 * @param durability of acknowledged writes
 * @param maxLagMillis with {@link Durability#BOUNDED}: a candidate may lack what was written in this time before the primary
 *     was last heard of, in ms; 0 for any
 * @param maxLagTransactions with {@link Durability#BOUNDED}: a candidate may lack so many transactions (of Redis bytes of its
 *     replication stream) that the primary was heard to have; 0 for any
 * @param onNoAcknowledger whether writes wait when nobody is left to acknowledge them, as those of {@link Durability#LOSSLESS}
 *     groups must be; of Redis with {@link Durability#BOUNDED}: whether they are refused when no replica is attached
 * @param priority which groups switch first when many must: 1 before all others to 9 after them
 */
public record Policy(
        Durability durability,
        long maxLagMillis,
        long maxLagTransactions,
        OnNoAcknowledger onNoAcknowledger,
        int priority) {

    /** Of a group of which nobody has said how important it is. */
    public static final int USUAL_PRIORITY = 5;

    private static final int LEAST_PRIORITY = 9;

    /** Loses nothing, and waits. */
    public static final Policy LOSSLESS = new Policy(Durability.LOSSLESS, 0, 0, OnNoAcknowledger.WAIT, USUAL_PRIORITY);

    /** Loses the newest writes rather than wait. */
    public static final Policy AVAILABLE =
            new Policy(Durability.AVAILABLE, 0, 0, OnNoAcknowledger.WAIT, USUAL_PRIORITY);

    /** Why a group can't be promised this; null where it can. */
    public static @Nullable String problem(
            Durability durability, long maxLagMillis, long maxLagTransactions, long priority) {
        if (priority < 1 || priority > LEAST_PRIORITY) {
            return "priority is " + priority + " (must be 1, switched first, to " + LEAST_PRIORITY + ", switched last)";
        }
        if (maxLagMillis < 0 || maxLagTransactions < 0) {
            return "a candidate's lag is limited to " + maxLagMillis + " ms and " + maxLagTransactions
                    + " transactions (neither may be negative)";
        }
        return durability == Durability.BOUNDED && maxLagMillis == 0 && maxLagTransactions == 0
                ? "durability bounded needs a limit: max-lag-millis, max-lag-transactions, or both (greater than 0)"
                : null;
    }

    /** Refuses a policy without meaning. */
    public Policy {
        String problem = problem(durability, maxLagMillis, maxLagTransactions, priority);
        if (problem != null) {
            throw new IllegalArgumentException(problem);
        }
    }

    /** The same with another limit of a candidate's lag in time. */
    public Policy withMaxLagMillis(long millis) {
        return new Policy(durability, millis, maxLagTransactions, onNoAcknowledger, priority);
    }

    /** For people: the durability with its limits. */
    public String words(PositionKind kind) {
        return promise(kind) + (priority == USUAL_PRIORITY ? "" : ", priority " + priority);
    }

    private String promise(PositionKind kind) {
        if (durability != Durability.BOUNDED) {
            return durability == Durability.LOSSLESS ? "lossless" + withoutAcknowledger() : "available";
        }
        return "bounded to "
                + (maxLagMillis > 0 ? maxLagMillis + " ms" : "")
                + (maxLagMillis > 0 && maxLagTransactions > 0 ? " and " : "")
                + (maxLagTransactions > 0 ? maxLagTransactions + " " + kind.unit() : "")
                + (kind.acknowledgersLimit() == 0 ? withoutAcknowledger() : "");
    }

    private String withoutAcknowledger() {
        return ", on-no-acknowledger " + (onNoAcknowledger == OnNoAcknowledger.WAIT ? "wait" : "degrade");
    }
}
