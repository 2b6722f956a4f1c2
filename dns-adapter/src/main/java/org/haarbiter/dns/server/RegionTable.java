package org.haarbiter.dns.server;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which region an address is in: the longest network that holds it counts. Kept as neighbouring ranges that cover all
 * addresses, so that a look-up is one binary search. Immutable; any thread.
 */
final class RegionTable {

    private static final BigInteger END = BigInteger.ONE.shiftLeft(128);

    static final RegionTable EMPTY = new RegionTable(Map.of());

    /** The first address of each range, in order; the first range begins at 0. */
    private final long[] high;

    private final long[] low;
    private final int[] region;

    private record Open(BigInteger end, int region) {}

    /** From networks and the number of the region of each. */
    RegionTable(Map<Network, Integer> networks) {
        List<Network> sorted = new ArrayList<>(networks.keySet());
        sorted.sort(
                Comparator.<Network, BigInteger>comparing(RegionTable::first).thenComparingInt(Network::prefixBits));
        TreeMap<BigInteger, Integer> begins = new TreeMap<>();
        begins.put(BigInteger.ZERO, RegionNames.NONE);
        Deque<Open> open = new ArrayDeque<>();
        for (Network network : sorted) {
            BigInteger first = first(network);
            closeUntil(first, open, begins);
            int own = networks.getOrDefault(network, RegionNames.NONE);
            begins.put(first, own);
            open.push(new Open(first.add(BigInteger.ONE.shiftLeft(128 - network.prefixBits())), own));
        }
        closeUntil(END, open, begins);
        begins.remove(END);
        List<BigInteger> starts = new ArrayList<>();
        List<Integer> regions = new ArrayList<>();
        begins.forEach((first, own) -> {
            if (regions.isEmpty() || !regions.get(regions.size() - 1).equals(own)) {
                starts.add(first);
                regions.add(own);
            }
        });
        high = starts.stream()
                .mapToLong(start -> start.shiftRight(64).longValue())
                .toArray();
        low = starts.stream().mapToLong(BigInteger::longValue).toArray();
        region = regions.stream().mapToInt(Integer::intValue).toArray();
    }

    private static void closeUntil(BigInteger first, Deque<Open> open, Map<BigInteger, Integer> begins) {
        while (!open.isEmpty() && open.peek().end().compareTo(first) <= 0) {
            BigInteger end = open.pop().end();
            begins.put(end, open.isEmpty() ? RegionNames.NONE : open.peek().region());
        }
    }

    private static BigInteger first(Network network) {
        return unsigned(network.high()).shiftLeft(64).or(unsigned(network.low()));
    }

    private static BigInteger unsigned(long bits) {
        return new BigInteger(Long.toUnsignedString(bits));
    }

    /** The number of the region; {@link RegionNames#NONE} where no network holds the address. */
    int of(long addressHigh, long addressLow) {
        return region[range(addressHigh, addressLow)];
    }

    /**
     * The least number of leading bits, of 128, such that all addresses with the same ones are in the same region: what a
     * resolver may share the answer by.
     */
    int scopeBits(long addressHigh, long addressLow) {
        int range = range(addressHigh, addressLow);
        int bits = 0;
        // Only the neighbours count: the network that is sought holds neither the address before the range nor the one
        // after.
        if (range > 0) {
            long beforeLow = low[range] - 1;
            long beforeHigh = low[range] == 0 ? high[range] - 1 : high[range];
            bits = 1 + commonBits(addressHigh, addressLow, beforeHigh, beforeLow);
        }
        if (range + 1 < region.length) {
            bits = Math.max(bits, 1 + commonBits(addressHigh, addressLow, high[range + 1], low[range + 1]));
        }
        return bits;
    }

    private static int commonBits(long high, long low, long otherHigh, long otherLow) {
        long differing = high ^ otherHigh;
        return differing != 0 ? Long.numberOfLeadingZeros(differing) : 64 + Long.numberOfLeadingZeros(low ^ otherLow);
    }

    private int range(long addressHigh, long addressLow) {
        int from = 0;
        int to = region.length - 1;
        while (from < to) {
            int middle = (from + to + 1) >>> 1;
            int compared = Long.compareUnsigned(high[middle], addressHigh);
            if (compared < 0 || (compared == 0 && Long.compareUnsigned(low[middle], addressLow) <= 0)) {
                from = middle;
            } else {
                to = middle - 1;
            }
        }
        return from;
    }

    /** How many networks of each region there are can't be told any more; this is the number of ranges. */
    int ranges() {
        return region.length;
    }

    /**
     * Reads lines of {@code NETWORK REGION}; what follows a {@code #} is left out.
     *
     * @throws IllegalArgumentException with one line for each mistake, each with its line number
     */
    static RegionTable parse(List<String> lines, RegionNames regions) {
        Map<Network, Integer> networks = new HashMap<>();
        Map<Network, Integer> lineOf = new HashMap<>();
        List<String> mistakes = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            int comment = line.indexOf('#');
            String text = (comment < 0 ? line : line.substring(0, comment)).strip();
            if (text.isEmpty()) {
                continue;
            }
            String[] words = text.split("\\s+", -1);
            String where = "line " + (i + 1) + ": ";
            if (words.length != 2) {
                mistakes.add(where + "'" + text + "' (must be NETWORK REGION, such as 10.1.0.0/16 north)");
                continue;
            }
            if (!regions.contains(words[1])) {
                mistakes.add(where + "region '" + words[1] + "' (must be one of " + regions + ")");
                continue;
            }
            try {
                Network network = Network.parse(words[0]);
                Integer earlier = lineOf.putIfAbsent(network, i + 1);
                if (earlier != null) {
                    mistakes.add(where + words[0] + " (stands in line " + earlier + " too; must stand once)");
                }
                networks.put(network, regions.number(words[1]));
            } catch (IllegalArgumentException e) {
                mistakes.add(where + e.getMessage());
            }
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
        return new RegionTable(networks);
    }
}
