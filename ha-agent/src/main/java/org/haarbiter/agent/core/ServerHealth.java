package org.haarbiter.agent.core;

import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * How the server may be used, as the agent's loop saw it when it last turned. Whether it may still take writes is for
 * {@link AgentCore#permitted} to say, by the clock. Immutable.
 *
 * @param state what the agent can tell of the process
 * @param detail the evidence for the state; empty while all is well
 * @param role what the masters want of it; null where they haven't said
 * @param epoch of that wish; 0 where there is none
 * @param openEpoch the agent opened writes under this epoch, and the server was seen to take them since; 0 otherwise, and as soon as a fence is due
 *     or under way
 * @param follows it receives and applies what the source has that the masters want
 * @param lagMillis how far behind it was, in ms; -1 where unknown
 * @param lookedNanos when the look began that this is from, on the agent's monotonic clock
 * @param standsBy another agent speaks for the cluster of which the server is a node
 */
public record ServerHealth(
        ServerState state,
        String detail,
        @Nullable Role role,
        long epoch,
        long openEpoch,
        boolean follows,
        long lagMillis,
        long lookedNanos,
        boolean standsBy) {}
