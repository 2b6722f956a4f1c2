package org.haarbiter.sim;

import java.io.PrintStream;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Runs seeds from the command line: {@code --seeds N [--from S]}, or {@code --seed S [--verbose]}. */
public final class Simulate {
    private Simulate() {}

    /** Exit code 1 where a seed failed, 2 where the arguments are wrong. */
    public static void main(String[] arguments) throws InterruptedException {
        long from = 1;
        long seeds = 2_000;
        boolean one = false;
        boolean verbose = false;
        for (int i = 0; i < arguments.length; i++) {
            String option = arguments[i];
            if (option.equals("--verbose")) {
                verbose = true;
            } else if (i + 1 < arguments.length && arguments[i + 1].matches("\\d{1,18}")) {
                long value = Long.parseLong(arguments[++i]);
                switch (option) {
                    case "--seeds" -> seeds = value;
                    case "--from" -> from = value;
                    case "--seed" -> {
                        from = value;
                        seeds = 1;
                        one = true;
                    }
                    default -> usage(option);
                }
            } else {
                usage(option);
            }
        }
        if (one) {
            Simulation.Result result = Simulation.run(from, verbose);
            report(result, System.out);
            System.exit(result.invariant() == null ? 0 : 1);
        }
        System.exit(many(from, seeds, System.out) ? 0 : 1);
    }

    private static void usage(String option) {
        System.err.println("'" + option + "' isn't understood (--seeds N, --from N, --seed N, --verbose)");
        System.exit(2);
    }

    /** Runs many seeds on all cores; true where all of them held. */
    static boolean many(long from, long seeds, PrintStream out) throws InterruptedException {
        long began = System.nanoTime();
        AtomicLong next = new AtomicLong(from);
        AtomicInteger failures = new AtomicInteger();
        TreeMap<String, Long> counts = new TreeMap<>();
        Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(
                    () -> {
                        long seed = next.getAndIncrement();
                        while (seed < from + seeds) {
                            Simulation.Result result = Simulation.run(seed);
                            synchronized (counts) {
                                result.counts().forEach((name, count) -> counts.merge(name, count, Long::sum));
                                if (result.invariant() != null && failures.incrementAndGet() <= 5) {
                                    report(result, out);
                                }
                            }
                            seed = next.getAndIncrement();
                        }
                    },
                    "simulate-" + i);
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        synchronized (counts) {
            counts.forEach((name, count) -> out.printf("%-40s %12d%n", name, count));
        }
        out.printf("%d seeds in %.1f s (%.0f seeds/s), %d failed%n", seeds, seconds, seeds / seconds, failures.get());
        return failures.get() == 0;
    }

    private static void report(Simulation.Result result, PrintStream out) {
        if (result.invariant() == null) {
            result.recent().forEach(out::println);
            out.println("seed " + result.seed() + " holds");
            return;
        }
        out.println("---- seed " + result.seed() + " failed: " + result.sentence());
        result.recent().forEach(out::println);
        out.println("again: scripts/bench.sh simulate --seed " + result.seed() + " --verbose");
    }
}
