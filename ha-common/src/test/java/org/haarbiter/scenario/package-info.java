/** Text scenarios: what the transcripts of the agent's core and of the master's core have in common. */
@NullMarked
package org.haarbiter.scenario;

import org.jspecify.annotations.NullMarked;
