/**
 * Names in a zone that takes signed dynamic updates (RFC 2136, TSIG: RFC 8945): BIND, Knot, PowerDNS. Every update carries
 * the group's epoch as a prerequisite, so one that comes late or from a replaced leader changes nothing.
 */
@NullMarked
package org.haarbiter.dns.rfc2136;

import org.jspecify.annotations.NullMarked;
