package org.haarbiter.words;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an agent says of the permission that the agents of a group give each other while no master can be reached.
 *
 * @param agent where it listens for the group's other agents; null where it doesn't
 * @param list of a primary: the names in the newest list that it has accepted; it goes on only by the permission of all of them
 * @param rememberedEpoch the newest epoch that is on the agent's disk: it never again gives a primary of an older one a
 *     permission, whatever happens to the agent
 * @param promised a permission that it gave, or that it may have given before it was restarted, may still be running
 * @param askedMillis how long ago the agent of the group's primary last asked it for a permission, in ms; -1 for never
 */
public record Peering(
        @Nullable Endpoint agent, List<String> list, long rememberedEpoch, boolean promised, long askedMillis) {
    /** An agent that gives no permissions and asks for none. */
    public static final Peering NONE = new Peering(null, List.of(), 0, false, -1);

    /** Copies the list. */
    public Peering {
        list = List.copyOf(list);
    }
}
