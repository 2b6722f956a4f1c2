/** A zone in memory, with the same rules as the real ones. */
@NullMarked
package org.haarbiter.dns.memory;

import org.jspecify.annotations.NullMarked;
