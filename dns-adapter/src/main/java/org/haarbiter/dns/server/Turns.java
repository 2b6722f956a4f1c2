package org.haarbiter.dns.server;

import java.math.BigInteger;
import java.util.List;
import java.util.stream.IntStream;

/** Who comes when, so that each has its share of any long run of turns, and nobody has many in a row. */
final class Turns {

    /** A share is true to about a hundredth. */
    private static final int MOST = 100;

    private Turns() {}

    /**
     * One round.
     *
     * @param shares each one's, beside the others, 1 or more
     * @return numbers of those who have them, each once at least; some {@value #MOST} turns where shares don't come out with fewer
     */
    static IntStream of(List<Integer> shares) {
        long sum = shares.stream().mapToLong(Integer::longValue).sum();
        int[] turns = shares.stream()
                .mapToInt(share -> sum <= MOST ? share : (int) Math.max(1, Math.round((double) share * MOST / sum)))
                .toArray();
        int divisor = IntStream.of(turns).reduce(0, Turns::greatestCommonDivisor);
        int all = IntStream.of(turns).sum();
        int round = divisor == 0 ? 0 : all / divisor;
        // Whoever has waited for the most of its due is next: the smooth weighted round robin of load balancers.
        int[] due = new int[turns.length];
        int[] order = new int[round];
        for (int turn = 0; turn < round; turn++) {
            int next = 0;
            for (int each = 0; each < turns.length; each++) {
                due[each] += turns[each];
                if (due[each] > due[next]) {
                    next = each;
                }
            }
            due[next] -= all;
            order[turn] = next;
        }
        return IntStream.of(order);
    }

    private static int greatestCommonDivisor(int one, int other) {
        return BigInteger.valueOf(one).gcd(BigInteger.valueOf(other)).intValueExact();
    }
}
