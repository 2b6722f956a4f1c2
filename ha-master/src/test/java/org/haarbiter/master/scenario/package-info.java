/** Transcripts of the master's core: inputs, and what it said to each, reviewed as diffs. */
@NullMarked
package org.haarbiter.master.scenario;

import org.jspecify.annotations.NullMarked;
