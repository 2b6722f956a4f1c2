package org.haarbiter.dns.server;

/**
 * How old what this server knows may be.
 *
 * @param appliedIndex the last entry of the log that its answers come from; 0 or more
 * @param leaderSilenceMillis since the leader was last heard, on the monotonic clock; 0 at the leader itself, -1 where none was
 *     heard since the start
 */
public record StateAge(long appliedIndex, long leaderSilenceMillis) {}
