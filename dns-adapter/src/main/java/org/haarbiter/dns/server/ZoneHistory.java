package org.haarbiter.dns.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last changes of one zone, for secondaries that have an older serial number (RFC 1995). Thread-safe. */
final class ZoneHistory {

    private static final int MAX_STEPS = 1_000;
    private static final int MAX_NAMES = 20_000;

    /**
     * From one serial number to the next that was served.
     *
     * @param from the serial number before
     * @param to the serial number after
     * @param names what changed
     */
    record Step(long from, long to, List<NameChange> names) {}

    /** One name's record sets before and after; empty where it had none. */
    record NameChange(String name, List<RecordSet> before, List<RecordSet> after) {}

    private final Deque<Step> steps = new ArrayDeque<>();
    private int names;

    /** Notes that the zone went on. */
    synchronized void add(ZoneContents before, ZoneContents after) {
        if (!before.sameApex(after)) {
            steps.clear(); // rare: whoever has an older one gets the whole zone
            names = 0;
            return;
        }
        List<NameChange> changes = new ArrayList<>();
        for (String name : after.changedFrom(before)) {
            changes.add(new NameChange(name, before.sets(name), after.sets(name)));
        }
        steps.addLast(new Step(before.serial(), after.serial(), List.copyOf(changes)));
        names += changes.size();
        while (!steps.isEmpty() && (steps.size() > MAX_STEPS || names > MAX_NAMES)) {
            names -= steps.removeFirst().names().size();
        }
    }

    /** All steps from a serial number on, up to another; null where they aren't known any more. */
    synchronized @Nullable List<Step> between(long serial, long newest) {
        List<Step> found = new ArrayList<>();
        for (Step step : steps) {
            if (step.from() == serial || !found.isEmpty()) {
                found.add(step);
                if (step.to() == newest) {
                    return found;
                }
            }
        }
        return null;
    }
}
