package org.haarbiter.admin;

/**
 * What became of a manual act.
 *
 * @param accepted it is committed; otherwise nothing was changed
 * @param sentence what begins, or why it was refused and what to do
 * @param epoch the epoch of the switch that begins, or the group's; 0 where it isn't about a group, or was refused
 * @param index of the entry in the Raft log; 0 where there is none
 */
public record CommandResult(boolean accepted, String sentence, long epoch, long index) {}
