package org.haarbiter.dns.zone;

import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.SOARecord;

/** How long resolvers keep "no such name". */
public final class NegativeTtl {

    /** It should not outlive a switch by more than this. */
    private static final long MOST_SECONDS = 5;

    private NegativeTtl() {}

    /** What to do where it is too long, as a sentence; null where it isn't. */
    public static @Nullable String warning(Name zone, SOARecord soa) {
        // RFC 2308 5: the smaller of the two counts.
        long negative = Math.min(soa.getMinimum(), soa.getTTL());
        return negative <= MOST_SECONDS
                ? null
                : "zone " + zone + ": resolvers keep \"no such name\" for " + negative + " s (should be at most "
                        + MOST_SECONDS
                        + "). Lower the last number of its SOA record: a name that was asked for before it"
                        + " existed stays unknown that long";
    }
}
