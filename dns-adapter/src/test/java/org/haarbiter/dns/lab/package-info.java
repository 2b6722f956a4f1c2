/** Real DNS servers as processes of a test: what BIND, Knot and PowerDNS have in common, and how each is set up. */
@NullMarked
package org.haarbiter.dns.lab;

import org.jspecify.annotations.NullMarked;
