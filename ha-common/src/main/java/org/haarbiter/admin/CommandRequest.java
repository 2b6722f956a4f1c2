package org.haarbiter.admin;

import org.jspecify.annotations.Nullable;

/**
 * A manual act. {@code POST /v1/commands}.
 *
 * @param action {@code promote}, {@code switchover}, {@code demote}, {@code rebuild}, {@code pause}, {@code resume}, {@code ack}, {@code set-policy}, {@code expect-group}, {@code forget-group}, {@code set-class}, {@code remove-class}, {@code set-records}, {@code remove-records}, {@code set-endpoints}, {@code remove-endpoints}, {@code drain-endpoint}, {@code undrain-endpoint}, {@code hold-endpoint}, {@code hold-endpoint-in}, {@code hold-endpoint-out}, {@code release-endpoint}, {@code add-master}, {@code remove-master}
 *     or {@code transfer-leader}
 * @param group the group, of databases or of endpoints; empty for the fleet and for masters
 * @param member the member for {@code promote}, {@code demote} and {@code rebuild}, and for {@code switchover} unless the best shall take over; the endpoint for all that ends with that word, and what {@code hold-endpoint} begins; the Raft address of a master for the last three; empty
 *     otherwise
 * @param acceptDataLoss for {@code promote}: go on where it can't be proved that no acknowledged write is lost
 * @param donor for {@code rebuild}: whose copy; empty for the best
 * @param policy for {@code set-policy}: what changes; for {@code expect-group}: what is to differ from what such groups are
 *     promised, null for nothing; null otherwise
 * @param expected for {@code expect-group}: the group; null otherwise
 * @param trafficClass for {@code set-class} and {@code remove-class}: the class; null otherwise
 * @param records for {@code set-records} and {@code remove-records}: the DNS records; null otherwise
 * @param endpoints for {@code set-endpoints}: what is set; null otherwise
 * @param by who asks, {@code user@host}
 * @param reason why; never blank
 * @param forMillis for {@code pause}: for how long at the most; 0 until somebody ends it, and for any other action
 */
public record CommandRequest(
        String action,
        String group,
        String member,
        boolean acceptDataLoss,
        String donor,
        @Nullable PolicyChange policy,
        @Nullable ExpectedGroup expected,
        @Nullable ClassChange trafficClass,
        @Nullable RecordsChange records,
        @Nullable EndpointsChange endpoints,
        String by,
        String reason,
        long forMillis) {

    /** An act that lasts until somebody ends it. */
    public CommandRequest(
            String action,
            String group,
            String member,
            boolean acceptDataLoss,
            String donor,
            @Nullable PolicyChange policy,
            @Nullable ExpectedGroup expected,
            @Nullable ClassChange trafficClass,
            @Nullable RecordsChange records,
            @Nullable EndpointsChange endpoints,
            String by,
            String reason) {
        this(
                action,
                group,
                member,
                acceptDataLoss,
                donor,
                policy,
                expected,
                trafficClass,
                records,
                endpoints,
                by,
                reason,
                0);
    }

    /** An act that announces no group, and is about no traffic class, no records and no settings of endpoints. */
    public CommandRequest(
            String action,
            String group,
            String member,
            boolean acceptDataLoss,
            String donor,
            @Nullable PolicyChange policy,
            String by,
            String reason) {
        this(action, group, member, acceptDataLoss, donor, policy, null, null, null, null, by, reason);
    }
}
