package org.haarbiter.sim;

import java.util.ArrayDeque;

/** Something that runs, may stand still, ends, and has a clock of its own speed. */
class SimProcess {
    final String name;
    final Timeline timeline;
    private final double rate;
    private final long offset;
    private final ArrayDeque<Runnable> held = new ArrayDeque<>();
    private int life;
    private boolean up;
    private boolean frozen;

    SimProcess(String name, Timeline timeline, Chance chance) {
        this.name = name;
        this.timeline = timeline;
        // Two such clocks differ by less than the 10 per mille that the rules allow for.
        this.rate = 1.0 + (chance.below(9) - 4) / 1_000.0;
        this.offset = 1_000_000_000L * chance.below(1_000);
    }

    final long clock() {
        return offset + (long) (timeline.now() * rate);
    }

    final boolean up() {
        return up;
    }

    final boolean frozen() {
        return frozen;
    }

    final int life() {
        return life;
    }

    final void begin() {
        up = true;
        life++;
    }

    final void end() {
        up = false;
        frozen = false;
        life++;
        held.clear();
    }

    /** Runs it now if the same life is still led, later if it stands still, never if it ended. */
    final void arrive(int inLife, Runnable what) {
        if (!up || inLife != life) {
            return;
        }
        if (frozen) {
            held.add(() -> arrive(inLife, what));
        } else {
            what.run();
        }
    }

    /** After so long by this process's own clock. */
    final void after(long nanos, Runnable what) {
        int inLife = life;
        timeline.after((long) (nanos / rate), () -> arrive(inLife, what));
    }

    final void freeze() {
        frozen = up;
    }

    final void thaw() {
        if (!frozen) {
            return;
        }
        frozen = false;
        int waiting = held.size();
        for (int i = 0; i < waiting && !frozen; i++) {
            Runnable next = held.poll();
            if (next == null) {
                break;
            }
            next.run();
        }
    }
}
