package org.haarbiter.sim;

/** Chance from a seed (SplitMix64). Each part of the world gets its own, so that one more draw here moves nothing there. */
final class Chance {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private long state;

    Chance(long seed) {
        state = mix(seed + GAMMA);
    }

    Chance split(String name) {
        long h = 1_125_899_906_842_597L;
        for (int i = 0; i < name.length(); i++) {
            h = 31 * h + name.charAt(i);
        }
        return new Chance(mix(state ^ mix(h)));
    }

    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }

    long next() {
        state += GAMMA;
        return mix(state);
    }

    int below(int bound) {
        return (int) Long.remainderUnsigned(next(), bound);
    }

    boolean percent(int chance) {
        return below(100) < chance;
    }

    /** From one to the other, both included, in milliseconds; returned in nanoseconds with a random fraction. */
    long millis(int from, int to) {
        return from * 1_000_000L + Long.remainderUnsigned(next(), Math.max(1, (to - from) * 1_000_000L));
    }
}
