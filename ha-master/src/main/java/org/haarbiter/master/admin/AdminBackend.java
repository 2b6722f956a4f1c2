package org.haarbiter.master.admin;

import java.util.concurrent.CompletableFuture;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.DnsView;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.WhyView;
import org.jspecify.annotations.Nullable;

/**
 * What the admin API asks of a master. Thread-safe; no call blocks. Futures fail with an {@link AdminException}; any other
 * failure is a fault.
 *
 * <p>Only the leader knows leases and takes decisions, so views are asked of it: a master that doesn't lead fails with
 * {@link AdminException#notLeader}. Where {@code local} is true it answers with what it knows itself, which is all that
 * there is while no leader can be elected.
 */
public interface AdminBackend {

    /** The fleet. */
    CompletableFuture<StatusView> status(boolean local);

    /** One group; fails with {@link AdminException.Kind#NOT_FOUND} where no agent and no entry named it. */
    CompletableFuture<GroupView> group(String name, boolean local);

    /** What the rules say of one group; fails as {@link #group} does. */
    CompletableFuture<WhyView> why(String name, boolean local);

    /**
     * The DNS names of the groups.
     *
     * @param group of this one only; null for all. Fails as {@link #group} does
     * @param readNow whether every authoritative server is asked first
     */
    CompletableFuture<DnsView> dns(@Nullable String group, boolean readNow, boolean local);

    /** All groups of endpoints. */
    CompletableFuture<EndpointsView> endpoints(boolean local);

    /** One of them; fails with {@link AdminException.Kind#NOT_FOUND} where there is none of that name. */
    CompletableFuture<EndpointGroupView> endpointGroup(String name, boolean local);

    /** The switch log. */
    CompletableFuture<LogView> log(LogQuery query, boolean local);

    /** The masters. */
    CompletableFuture<MastersView> masters(boolean local);

    /**
     * Carries out a manual act. The request is well-formed: a known action, a reason, who asks, and a group or member where
     * the action needs them.
     *
     * @return completes once it is committed, or refused with a sentence
     */
    CompletableFuture<CommandResult> command(CommandRequest request);

    /** Whether this master leads, as far as it knows. Returns at once. */
    boolean leading();

    /**
     * Which part of the switch log.
     *
     * @param group null for all
     * @param epoch only the switch of this epoch; 0 for all
     * @param limit the most switches, and the most other events, 1 to 1000
     * @param sinceWallMillis only switches that began, and other events that happened, at this time or later; 0 for all
     * @param afterIndex only entries behind this one; 0 for all
     */
    record LogQuery(@Nullable String group, long epoch, int limit, long sinceWallMillis, long afterIndex) {}
}
