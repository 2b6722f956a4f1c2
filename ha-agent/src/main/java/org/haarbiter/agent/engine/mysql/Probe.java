package org.haarbiter.agent.engine.mysql;

import org.haarbiter.words.Position;

/**
 * The answer to the statement that every tick asks: cheap, and without any lock that a stuck server may hold.
 *
 * @param applied what has been executed here
 */
record Probe(String serverId, String version, boolean writable, Position applied) {}
