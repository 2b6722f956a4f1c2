package org.haarbiter.master.core;

import org.haarbiter.words.Endpoint;

/**
 * A member as the log has it.
 *
 * @param name unique in the group
 * @param site the data centre
 * @param address where clients and replicas reach it
 * @param serverId the server's lasting identity
 * @param electable settings allow an automatic promotion
 * @param standing towards the present primary
 */
public record Member(
        String name, String site, Endpoint address, String serverId, boolean electable, Standing standing) {

    Member with(Standing newStanding) {
        return new Member(name, site, address, serverId, electable, newStanding);
    }
}
