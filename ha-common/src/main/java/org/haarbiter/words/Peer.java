package org.haarbiter.words;

/**
 * Another member of the group as its primary's agent is told of it.
 *
 * @param member the member's name
 * @param agent where its agent listens for the group's other agents
 */
public record Peer(String member, Endpoint agent) {}
