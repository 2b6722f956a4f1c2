/**
 * Answers Redis clients as Redis Sentinel does, so that they find a group's primary and follow a switch unmodified: the commands and
 * events that clients use, read-only, from this master's applied state.
 */
@NullMarked
package org.haarbiter.master.sentinel;

import org.jspecify.annotations.NullMarked;
