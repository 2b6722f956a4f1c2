/** Brings the DNS zone to what the log says. */
@NullMarked
package org.haarbiter.master.names;

import org.jspecify.annotations.NullMarked;
