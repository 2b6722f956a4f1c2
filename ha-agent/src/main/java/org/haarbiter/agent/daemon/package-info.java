/** The agent as a process: settings, threads, connections to the masters, metrics. */
@NullMarked
package org.haarbiter.agent.daemon;

import org.jspecify.annotations.NullMarked;
