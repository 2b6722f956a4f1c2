/**
 * An authoritative DNS server over UDP and TCP, for zones whose contents are handed to it whole and in order of their serial
 * numbers. Queries are answered from an encoded, immutable snapshot; transfers, signatures and notifications go another way,
 * through dnsjava, on threads of their own.
 */
@NullMarked
package org.haarbiter.dns.server;

import org.jspecify.annotations.NullMarked;
