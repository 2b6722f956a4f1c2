package org.haarbiter.admin;

import java.util.List;

/**
 * The switch log. {@code GET /v1/log?group=NAME&limit=N&epoch=E&since=WALL_MILLIS&after=INDEX}.
 *
 * @param group the group that was asked for; empty for all
 * @param switches the newest switches, newest first
 * @param events everything else that was decided in the same time (pauses, members that left or joined), newest first
 * @param more older switches are known that the limit left out
 */
public record LogView(String group, List<SwitchView> switches, List<EventView> events, boolean more) {
    /** Copies the lists. */
    public LogView {
        switches = List.copyOf(switches);
        events = List.copyOf(events);
    }
}
