package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * What moving over from a Sentinel comes to. {@code hactl -o json import sentinel}.
 *
 * @param sentinel the Sentinel that was read
 * @param profile the timing profile that fits the least patient of the groups
 * @param groups by name
 * @param steps of moving over, in order
 * @param applied what the masters said, a sentence for each group; empty without {@code --apply}
 * @param refused the groups that aren't expected by the masters now although that was asked for
 * @param written the agents' settings that were written
 */
record SentinelImport(
        String sentinel,
        String profile,
        List<ImportedGroup> groups,
        List<String> steps,
        List<String> applied,
        List<String> refused,
        List<String> written) {

    /** Copies the lists. */
    SentinelImport {
        groups = List.copyOf(groups);
        steps = List.copyOf(steps);
        applied = List.copyOf(applied);
        refused = List.copyOf(refused);
        written = List.copyOf(written);
    }

    /** What a person does, in this order. */
    static List<String> steps(String sentinel, String profile, List<ImportedGroup> groups) {
        List<String> steps = new ArrayList<>();
        steps.add("Masters: 3 or 5, each with a 'sentinel' address, and 'timing: {profile: " + profile
                + "}' (docs/masters.md, docs/sentinel.md).");
        steps.add(
                "Accounts: each Redis server gets the agents' (docs/getting-started.md, Redis); Sentinel's stays until the end.");
        steps.add("Announce the groups: hactl import sentinel " + sentinel
                + " --apply --agents DIR. Nothing is taken over yet: the masters wait for every agent.");
        steps.add(
                "Before any agent starts, so that two never promote, each Sentinel forgets the groups; from here until the"
                        + " adoption nobody fails over:");
        for (ImportedGroup group : groups) {
            group.removals().forEach(removal -> steps.add("  " + removal));
        }
        steps.add(
                "Configuration of each server: 'replicaof 127.0.0.1 1' and the other lines of docs/getting-started.md, Redis, in"
                        + " place of the 'replicaof' that Sentinel's CONFIG REWRITE has left there. They count from its next start;"
                        + " hactl status names those that are missing.");
        steps.add(
                "Agents: one beside each server, with its file of DIR/GROUP/HOST-PORT. hactl group show GROUP names those that"
                        + " are missing; with the last one the group is adopted, and its primary stays.");
        steps.add("Clients: the same master name, and the masters' 'sentinel' addresses for those of the Sentinels.");
        return steps;
    }
}
