/**
 * Names in a file: a hosts file, or a part of a zone file that a DNS server includes. For set-ups without a DNS server that takes
 * updates.
 */
@NullMarked
package org.haarbiter.dns.zonefile;

import org.jspecify.annotations.NullMarked;
