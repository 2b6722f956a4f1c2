/** Whole arbiters over real servers, as processes: what the demo shows, the benchmarks measure and the tests break. */
@NullMarked
package org.haarbiter.trial;

import org.jspecify.annotations.NullMarked;
