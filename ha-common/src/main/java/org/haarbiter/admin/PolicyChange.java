package org.haarbiter.admin;

import org.jspecify.annotations.Nullable;

/**
 * What of a group's policy is to change; null for what stays.
 *
 * @param durability {@code lossless}, {@code bounded} or {@code available}
 * @param maxLagMillis with {@code bounded}: how much time's writes a candidate may lack, in ms; 0 for any
 * @param maxLagTransactions with {@code bounded}: how many transactions a candidate may lack; 0 for any
 * @param onNoAcknowledger {@code wait} or {@code degrade}
 * @param priority which groups switch first when many must: 1 before all others to 9 after them
 */
public record PolicyChange(
        @Nullable String durability,
        @Nullable Long maxLagMillis,
        @Nullable Long maxLagTransactions,
        @Nullable String onNoAcknowledger,
        @Nullable Long priority) {

    /** Changes nothing. */
    public static final PolicyChange NONE = new PolicyChange(null, null, null, null, null);
}
