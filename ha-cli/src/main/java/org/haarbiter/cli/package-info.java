/** {@code hactl}: one class a command, over the masters' admin API. */
@NullMarked
package org.haarbiter.cli;

import org.jspecify.annotations.NullMarked;
