package org.haarbiter.admin;

import java.util.List;

/**
 * A traffic class of a group, as {@code set-class} and {@code remove-class} name it.
 *
 * @param name the class, and its name in the DNS, relative to the zone
 * @param follows {@code primary}, {@code replicas} or {@code members}; empty for {@code remove-class}
 * @param pins with {@code members}: which; empty otherwise
 * @param fallBack with {@code members}: where the name leads while none of them is well, {@code none}, {@code replicas} or
 *     {@code any} (replicas, and where none is healthy the primary); empty for {@code none}
 */
public record ClassChange(String name, String follows, List<String> pins, String fallBack) {
    /** Copies the list. */
    public ClassChange {
        pins = List.copyOf(pins);
    }
}
