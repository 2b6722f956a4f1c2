package org.haarbiter.master.core;

import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A member as the log has it.
 *
 * @param name unique in the group
 * @param site the data centre
 * @param address where clients and replicas reach it
 * @param serverId the server's lasting identity
 * @param electable settings allow an automatic promotion
 * @param standing towards the present primary
 * @param donor whose copy shall replace its data, until it follows again; null while nobody has asked for that
 */
public record Member(
        String name,
        String site,
        Endpoint address,
        String serverId,
        boolean electable,
        Standing standing,
        @Nullable String donor) {

    Member with(Standing newStanding) {
        return new Member(
                name, site, address, serverId, electable, newStanding, newStanding == Standing.AWAY ? donor : null);
    }

    Member rebuiltFrom(String newDonor) {
        return new Member(name, site, address, serverId, electable, standing, newDonor);
    }
}
