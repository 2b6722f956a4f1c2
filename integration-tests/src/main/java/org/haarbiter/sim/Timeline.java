package org.haarbiter.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/** Virtual time: what happens when, in an order that depends on nothing but what was put in. */
final class Timeline {
    private record Event(long at, long order, Runnable what) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private static final int REMEMBERED = 80;

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final ArrayDeque<String> recent = new ArrayDeque<>();
    private final List<String> transcript = new ArrayList<>();
    private final boolean everything;
    private long now;
    private long order;
    private long count;

    /** @param everything keep the whole transcript, not only its end */
    Timeline(boolean everything) {
        this.everything = everything;
    }

    long now() {
        return now;
    }

    long count() {
        return count;
    }

    void after(long nanos, Runnable what) {
        events.add(new Event(now + Math.max(0, nanos), order++, what));
    }

    /** Runs the next event; false where none is left before the end. */
    boolean step(long end) {
        Event next = events.peek();
        if (next == null || next.at() > end) {
            now = end;
            return false;
        }
        events.remove();
        now = next.at();
        count++;
        next.what().run();
        return true;
    }

    void note(String line) {
        String timed = (now / 1_000_000) + "." + (now / 100_000 % 10) + " " + line;
        if (everything) {
            transcript.add(timed);
        }
        recent.addLast(timed);
        if (recent.size() > REMEMBERED) {
            recent.removeFirst();
        }
    }

    List<String> recent() {
        return List.copyOf(recent);
    }

    List<String> transcript() {
        return List.copyOf(transcript);
    }
}
