package org.haarbiter.agent.core;

import org.haarbiter.words.Endpoint;

/**
 * Who the agent speaks for.
 *
 * @param group the group
 * @param member the member's name, unique in the group
 * @param site the data centre
 * @param address where clients and replicas reach the server
 * @param agent where the agent listens for the group's other agents
 * @param electable may be promoted
 */
public record Identity(String group, String member, String site, Endpoint address, Endpoint agent, boolean electable) {}
