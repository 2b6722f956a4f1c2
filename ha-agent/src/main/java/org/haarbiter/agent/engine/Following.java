package org.haarbiter.agent.engine;

import org.haarbiter.words.Endpoint;

/**
 * An order to follow.
 *
 * @param source whom
 * @param acknowledges acknowledge what is received
 */
public record Following(Endpoint source, boolean acknowledges) {}
