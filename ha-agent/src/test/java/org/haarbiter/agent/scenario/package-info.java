/** Transcripts of an agent's core: inputs, and what it did at each, reviewed as diffs. */
@NullMarked
package org.haarbiter.agent.scenario;

import org.jspecify.annotations.NullMarked;
