/** How the processes write their logs. */
@NullMarked
package org.haarbiter.logging;

import org.jspecify.annotations.NullMarked;
