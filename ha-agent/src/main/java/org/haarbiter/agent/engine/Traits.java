package org.haarbiter.agent.engine;

import org.haarbiter.words.PositionKind;

/**
 * What may be known of an engine without knowing its name.
 *
 * @param name for people
 * @param positionKind how positions are compared
 * @param historySurvivesRestart what was received and acknowledged is still held after a restart of the server
 */
public record Traits(String name, PositionKind positionKind, boolean historySurvivesRestart) {}
