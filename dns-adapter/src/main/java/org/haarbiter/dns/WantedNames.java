package org.haarbiter.dns;

import java.util.List;

/**
 * What the zone shall say of one group.
 *
 * @param group the group
 * @param epoch the epoch at which this is wanted
 * @param epochName relative name of the TXT record that holds the epoch, e.g. {@code _ha-epoch.orders}
 * @param names the address names; a name with no addresses must not exist
 */
public record WantedNames(String group, long epoch, String epochName, List<AddressName> names) {
    /** Copies the list. */
    public WantedNames {
        names = List.copyOf(names);
    }

    /**
     * One name.
     *
     * @param name relative to the zone, e.g. {@code orders-rw}
     * @param addresses IPv4 or IPv6 literals, in canonical order
     * @param ttlSeconds 0 or more
     */
    public record AddressName(String name, List<String> addresses, int ttlSeconds) {
        /** Copies the list. */
        public AddressName {
            addresses = List.copyOf(addresses);
        }
    }
}
