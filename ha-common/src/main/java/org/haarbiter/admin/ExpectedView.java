package org.haarbiter.admin;

import java.util.List;

/**
 * What a person announced of a group that isn't adopted yet.
 *
 * @param engine what its agents must say
 * @param durability what it will promise, with its limits
 * @param members the addresses of all its servers
 * @param awaited those of them that no agent speaks for now; adoption waits for them
 * @param by who announced it
 * @param reason why
 * @param sinceMillis when, on the leader's wall clock then; ms since 1970
 */
public record ExpectedView(
        String engine,
        String durability,
        List<String> members,
        List<String> awaited,
        String by,
        String reason,
        long sinceMillis) {
    /** Copies the lists. */
    public ExpectedView {
        members = List.copyOf(members);
        awaited = List.copyOf(awaited);
    }
}
