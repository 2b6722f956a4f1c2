package org.haarbiter.dns.server;

import org.haarbiter.words.Endpoint;

/**
 * What is known of one secondary of one zone, since the start.
 *
 * @param zone the zone's name
 * @param address where it is notified
 * @param wantedSerial the newest that it was to be told of; -1 where there was none yet
 * @param acknowledgedSerial the newest notification that it acknowledged; -1 where it didn't
 * @param transferredSerial the newest that was sent to a client at its address, or that such a client said it had; -1 where there
 *     was none
 */
public record SecondaryState(
        String zone, Endpoint address, long wantedSerial, long acknowledgedSerial, long transferredSerial) {}
