/**
 * Names in a zone of PowerDNS, by its HTTP API. The API has no compare-and-set: an epoch is looked at before it is replaced, which
 * keeps a leader that was replaced long ago from writing, and doesn't keep one whose request was under way. What such a request takes
 * back stays until the leader's next regular read-back. Where that isn't good enough, PowerDNS takes RFC 2136 updates as well.
 */
@NullMarked
package org.haarbiter.dns.powerdns;

import org.jspecify.annotations.NullMarked;
