package org.haarbiter.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** Links between hosts, each direction of its own: delay, loss, cuts. */
final class SimNetwork {

    /** A byte stream: in order, and all or (after a reset) a beginning. */
    static final class Stream {
        /** Nothing that is sent from here on arrives; what is under way does. */
        boolean broken;

        /** The receiver has hung up: nothing arrives any more. */
        boolean closed;

        private long lastAt;
    }

    private record Stalled(Stream stream, Runnable delivery) {}

    private static final class Link {
        boolean cut;
        boolean resets;
        long slowNanos;
        final List<Stalled> stalled = new ArrayList<>();
    }

    private final Timeline timeline;
    private final Chance chance;
    private final TreeMap<String, Link> links = new TreeMap<>();
    private final TreeSet<String> cuts = new TreeSet<>();

    SimNetwork(Timeline timeline, Chance chance) {
        this.timeline = timeline;
        this.chance = chance;
    }

    private Link link(String from, String to) {
        return links.computeIfAbsent(from + ">" + to, k -> new Link());
    }

    boolean cut(String from, String to) {
        return !cuts.isEmpty() && cuts.contains(from + ">" + to);
    }

    /** @param resets connections are reset; otherwise what they carry waits for the link to heal */
    void cut(String from, String to, boolean resets) {
        if (from.equals(to)) {
            return;
        }
        Link link = link(from, to);
        link.cut = true;
        link.resets = resets;
        cuts.add(from + ">" + to);
    }

    void slow(String from, String to, long nanos) {
        link(from, to).slowNanos = nanos;
    }

    void heal() {
        links.values().forEach(this::heal);
        cuts.clear();
    }

    void heal(String from, String to) {
        heal(link(from, to));
        cuts.remove(from + ">" + to);
    }

    private void heal(Link link) {
        link.slowNanos = 0;
        if (!link.cut) {
            return;
        }
        link.cut = false;
        List<Stalled> late = List.copyOf(link.stalled);
        link.stalled.clear();
        for (Stalled next : late) {
            if (!next.stream().broken) {
                carry(link, next.stream(), next.delivery());
            }
        }
    }

    private long delay(Link link) {
        long base = 100_000L + chance.below(400_000);
        return base + link.slowNanos + (chance.below(200) == 0 ? chance.millis(5, 60) : 0);
    }

    /** A message that may be lost, doubled, or overtaken. */
    void datagram(String from, String to, Runnable delivery) {
        Link link = link(from, to);
        if (link.cut || chance.below(500) == 0) {
            return;
        }
        timeline.after(delay(link), delivery);
        if (chance.below(300) == 0) {
            timeline.after(delay(link) + chance.millis(0, 100), delivery);
        }
    }

    void stream(String from, String to, Stream stream, Runnable delivery) {
        if (stream.broken) {
            return;
        }
        Link link = link(from, to);
        if (!link.cut) {
            carry(link, stream, delivery);
        } else if (link.resets) {
            stream.broken = true;
        } else {
            link.stalled.add(new Stalled(stream, delivery));
        }
    }

    private void carry(Link link, Stream stream, Runnable delivery) {
        long at = Math.max(timeline.now() + delay(link), stream.lastAt);
        stream.lastAt = at;
        timeline.after(at - timeline.now(), () -> {
            if (!stream.closed) {
                delivery.run();
            }
        });
    }
}
