package org.haarbiter.dns.server;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How many responses by UDP the clients of one network get, so that forged queries can't turn this server against somebody
 * else. Networks are /24 of IPv4 and /56 of IPv6. A table of fixed size: two networks that meet in it share the limit, for
 * the while. Any thread.
 */
final class ResponseRate {

    /** What becomes of a response. */
    enum Verdict {
        /** It is sent. */
        SEND,
        /** An empty one that says "ask by TCP" is sent in its stead: a forged query's victim gets no more than was sent. */
        SLIP,
        /** Nothing is sent. */
        DROP
    }

    private static final int SLOTS = 1 << 16;
    /** Of a slot: 24 bits of time in 1/16 s, 24 of credit, 16 of a count of what was held back. */
    private static final int TICKS_PER_SECOND = 16;

    private static final int BACK_TICKS = 2 * TICKS_PER_SECOND;

    private static final int FIELD = 0xff_ffff;

    private final int perSecond;
    private final int slip;
    private final AtomicLongArray slots = new AtomicLongArray(SLOTS);
    /** A credit is 1/16 of a response, so that a tick brings a whole number of them. */
    private final int most;

    /**
     * @param perSecond responses a second and network, 1 to 1,000,000; as many may come at once
     * @param slip each how many-th response beyond is slipped, 1 to 100; 0 for none
     */
    ResponseRate(int perSecond, int slip) {
        this.perSecond = perSecond;
        this.slip = slip;
        this.most = perSecond * TICKS_PER_SECOND;
    }

    /** Counts one response to this address and says what becomes of it. */
    Verdict take(long high, long low, long nowNanos) {
        int slot = slot(high, low);
        int now = (int) (nowNanos / (1_000_000_000L / TICKS_PER_SECOND)) & FIELD;
        while (true) {
            long old = slots.get(slot);
            int credit;
            int held = (int) (old & 0xffff);
            if (old == 0) {
                credit = most; // never used
            } else {
                int before = (int) (old >>> 40);
                int elapsed = (now - before) & FIELD;
                // Another thread may have read the clock a moment later than this one; time doesn't go back for that.
                if (elapsed > FIELD - BACK_TICKS) {
                    elapsed = 0;
                    now = before;
                }
                credit = (int) Math.min(most, ((int) (old >>> 16) & FIELD) + (long) elapsed * perSecond);
            }
            Verdict verdict = Verdict.SEND;
            if (credit >= TICKS_PER_SECOND) {
                credit -= TICKS_PER_SECOND;
                held = 0;
            } else {
                held = (held + 1) & 0xffff;
                verdict = slip > 0 && held % slip == 0 ? Verdict.SLIP : Verdict.DROP;
            }
            // The time is never stored as 0 with no credit and no count: 0 stands for "never used".
            long next = ((long) now << 40) | ((long) credit << 16) | held;
            if (slots.compareAndSet(slot, old, next == 0 ? 1 : next)) {
                return verdict;
            }
        }
    }

    private static int slot(long high, long low) {
        boolean four = high == 0 && low >>> 32 == Network.IPV4_LOW >>> 32;
        long network = four ? low >>> 8 : high >>> 8;
        long mixed = network * 0x9e37_79b9_7f4a_7c15L;
        return (int) (mixed >>> 48);
    }
}
