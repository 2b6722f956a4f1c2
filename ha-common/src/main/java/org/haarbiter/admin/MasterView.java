package org.haarbiter.admin;

/**
 * One master, as the one that answered sees it.
 *
 * @param name from the settings; its Raft address where the settings don't name it
 * @param raft where other masters reach it
 * @param agents where agents reach it; empty where unknown
 * @param admin where this API is reached; empty where unknown
 * @param state {@code leader}, {@code follower}, {@code unreachable} or {@code unknown}
 * @param detail a sentence where something is wrong with it; empty otherwise
 */
public record MasterView(String name, String raft, String agents, String admin, String state, String detail) {}
