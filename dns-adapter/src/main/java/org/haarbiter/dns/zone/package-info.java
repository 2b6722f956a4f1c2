/** A zone's records as providers write them and servers answer them, and the exchange of messages with DNS servers. */
@NullMarked
package org.haarbiter.dns.zone;

import org.jspecify.annotations.NullMarked;
