package org.haarbiter.dns.server;

/**
 * What a zone's SOA record says beside the serial number. Names that end with a dot are absolute, others relative to the zone.
 *
 * @param primary the name of the primary server
 * @param mailbox of whoever is responsible, as a name: {@code hostmaster} for hostmaster@ZONE
 * @param refreshSeconds how often a secondary asks that isn't notified, 1 to 2147483647
 * @param retrySeconds how soon it asks again after a failure, 1 to 2147483647
 * @param expireSeconds after how long without an answer it stops to serve the zone, 1 to 2147483647
 * @param minimumSeconds how long resolvers may remember that a name doesn't exist, 0 to 86400; 1 or 2, lest a new name stays unknown
 * @param ttlSeconds how long resolvers may keep the records of the apex, 0 to 86400
 */
public record StartOfAuthority(
        String primary,
        String mailbox,
        int refreshSeconds,
        int retrySeconds,
        int expireSeconds,
        int minimumSeconds,
        int ttlSeconds) {}
