/** The link between agents and masters: framing, keepalive, reconnecting, TLS. Never blocks its callers. */
@NullMarked
package org.haarbiter.link;

import org.jspecify.annotations.NullMarked;
