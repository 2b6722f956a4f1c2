/** The master as a process: settings, wiring, metrics. */
@NullMarked
package org.haarbiter.master.daemon;

import org.jspecify.annotations.NullMarked;
